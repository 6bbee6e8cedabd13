import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { searchQuery } from '../api/queries.js';
import { plural, shortId } from '../format/text.js';
import { ItemLink } from '../parts/ItemLink.js';
import { PageHead } from '../parts/PageHead.js';
import { Said } from '../parts/Said.js';
import { SellerLink } from '../parts/SellerLink.js';
import { Empty, Loading, Problem } from '../parts/States.js';
import { StatusTag } from '../parts/Status.js';
import { Tag } from '../parts/Tag.js';

/** By any name that a person may have for an item. */
export function SearchPage() {
  const { q = '' } = useSearch({ strict: false }) as { q?: string };
  const query = useQuery(searchQuery(q));
  const found = query.data?.results ?? [];
  return (
    <>
      <PageHead
        title="Search"
        about={
          q === '' ? (
            'Press / and paste any name that an item has.'
          ) : (
            <>
              What bears the name <code className="searched">{q}</code>
            </>
          )
        }
      />
      {q === '' ? (
        <Empty icon="search" title="What do you look for?">
          An id of ours, an idempotency key, a request id, an order or its reference, a payer, a seller, an id at Stripe
          or Hyperswitch, an event, a transaction’s hash, a channel, a decision.
        </Empty>
      ) : null}
      {q !== '' && query.isPending ? <Loading what="what is found" rows={4} /> : null}
      {query.isError ? <Problem error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isSuccess && found.length === 0 ? (
        <Empty icon="search" title="Nothing has that name">
          Names are compared whole: paste all of it, without spaces around it.
        </Empty>
      ) : null}
      {q.startsWith('acct_') ? (
        <p>
          <SellerLink account={q}>What this seller owes, and what waits for him</SellerLink>
        </p>
      ) : null}
      {found.length > 0 ? (
        <>
          <ul className="found">
            {found.map(({ kind, id, matched, label, status, needs_attention: waits }) => (
              <li key={`${kind}/${id}`}>
                <ItemLink kind={kind} id={id} row>
                  <span className="found-kind">{kind}</span> <code>{shortId(id)}</code>
                </ItemLink>
                <span className="found-label">
                  <Said text={label} />
                </span>
                <span className="item-tags">
                  <StatusTag kind={kind} status={status} />
                  {waits ? (
                    <Tag tone="bad" icon="hand">
                      needs a person
                    </Tag>
                  ) : null}
                </span>
                <span className="muted">found by its {matched}</span>
              </li>
            ))}
          </ul>
          <p className="muted">
            {plural(found.length, 'item')}
            {query.data?.more ? ', and more than these: name one of them more closely' : ''}
          </p>
        </>
      ) : null}
    </>
  );
}
