import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { effectIn, spoken } from '../../../src/domain/words.js';
import { listQuery } from '../api/queries.js';
import type { WaitingDecision } from '../api/types.js';
import { moneyOf } from '../format/money.js';
import { capital, shortId } from '../format/text.js';
import { Amount } from '../parts/Amount.js';
import { ItemLink } from '../parts/ItemLink.js';
import { PageHead } from '../parts/PageHead.js';
import { Said } from '../parts/Said.js';
import { Empty, Loading, Problem, Stale } from '../parts/States.js';
import { ReasonTag } from '../parts/Status.js';
import { Tag } from '../parts/Tag.js';
import { When } from '../parts/When.js';
import { ApproveForm } from './Act.js';

/** What somebody has asked for and another person has to confirm. */
export function Approvals() {
  const query = useInfiniteQuery(listQuery('decisions', { state: 'pending_approval' }));
  const waiting = (query.data?.pages.flatMap(({ items }) => items) ?? []) as unknown as readonly WaitingDecision[];
  return (
    <>
      <PageHead
        title="For a second person"
        about="Large or unprovable decisions move nothing until somebody else confirms them."
      />
      {query.isPending ? <Loading what="what waits" /> : null}
      {query.isError && query.data ? <Stale error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isError && !query.data ? <Problem error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isSuccess && waiting.length === 0 ? (
        <Empty icon="two" title="No decision waits for a second person" />
      ) : null}
      <ul className="cards">
        {waiting.map((decision) => (
          <li key={decision.id} className="panel">
            <Waiting decision={decision} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Waiting({ decision }: { readonly decision: WaitingDecision }) {
  const [isDone, setDone] = useState(false);
  const {
    kind,
    item_id: itemId,
    action,
    by,
    authenticated,
    note,
    reason,
    amount,
    currency,
    requested_at: at,
    evidence,
  } = decision;
  return (
    <article className="stack">
      <header className="card-head">
        <h2>
          {capital(spoken(action))}{' '}
          <ItemLink kind={kind} id={itemId} row>
            {kind} {shortId(itemId)}
          </ItemLink>
        </h2>
        <Amount money={moneyOf(amount, currency)} />
      </header>
      <p className="item-tags">
        {reason ? <ReasonTag kind={kind} reason={reason} /> : null}
        {authenticated ? null : (
          <Tag
            tone="warn"
            icon="question"
            means="A name that anybody may type: it counts for nobody, so two approvers have to confirm it"
          >
            claimed name
          </Tag>
        )}
      </p>
      <p>
        <strong>
          <Said text={by} />
        </strong>{' '}
        asked for it <When at={at} />: “<Said text={note} />”
      </p>
      {evidence && Object.keys(evidence).length > 0 ? (
        <p className="muted">
          Evidence:{' '}
          {Object.entries(evidence).map(([name, value], nth) => (
            <span key={name}>
              {nth === 0 ? '' : ', '}
              {spoken(name)} <Said text={String(value)} />
            </span>
          ))}
        </p>
      ) : null}
      {isDone ? (
        <p role="status">Confirmed.</p>
      ) : (
        <ApproveForm decision={decision} effect={effectIn(kind, action)} done={() => setDone(true)} />
      )}
    </article>
  );
}
