import { Button } from '@mantine/core';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { spoken } from '../../../src/domain/words.js';
import { post } from '../api/client.js';
import { type Filters, payoutsQuery, queryClient } from '../api/queries.js';
import type { Payout } from '../api/types.js';
import { moneyOf } from '../format/money.js';
import { capital, shortId } from '../format/text.js';
import { Amount } from '../parts/Amount.js';
import { Dialog } from '../parts/Dialog.js';
import { ItemLink } from '../parts/ItemLink.js';
import { NoteField } from '../parts/NoteField.js';
import { PageHead } from '../parts/PageHead.js';
import { RunbookLink } from '../parts/RunbookLink.js';
import { SellerLink } from '../parts/SellerLink.js';
import { Empty, Loading, Problem, Stale } from '../parts/States.js';
import { useMayAct } from '../parts/useMayAct.js';
import { When } from '../parts/When.js';

/** Payouts to sellers' banks: of all, or of one seller (`?seller=acct_…`). */
export function Payouts() {
  const filters: Filters = useSearch({ strict: false });
  const query = useInfiniteQuery(payoutsQuery(filters));
  const payouts = query.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <>
      <PageHead
        title={filters['seller'] ? `Payouts of ${filters['seller']}` : 'Payouts'}
        about="What Stripe sends from the sellers’ balances to their banks, with our transfers in it where Stripe says so."
      />
      {query.isPending ? <Loading what="payouts" /> : null}
      {query.isError && query.data ? <Stale error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isError && !query.data ? <Problem error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isSuccess && payouts.length === 0 ? <Empty icon="check" title="No payout is known" /> : null}
      <ul className="cards">
        {payouts.map((payout) => (
          <li key={payout.id} className="panel">
            <Card payout={payout} />
          </li>
        ))}
      </ul>
      {query.hasNextPage ? (
        <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          More
        </Button>
      ) : null}
    </>
  );
}

function Card({ payout }: { readonly payout: Payout }) {
  const { id, status, amount, currency, attention, contents, transfers } = payout;
  return (
    <article className="stack">
      <header className="card-head">
        <h2>{capital(spoken(status))}</h2>
        <Amount money={moneyOf(amount, currency)} />
      </header>
      <dl className="told">
        <div>
          <dt>To the bank of</dt>
          <dd>
            <SellerLink account={payout.seller_account} /> (<code>{id}</code>)
          </dd>
        </div>
        <div>
          <dt>Arrives</dt>
          <dd>
            {payout.arrival_at ? <When at={payout.arrival_at} /> : 'Stripe does not say'}
            {payout.failure_code ? `; failed: ${payout.failure_code}` : null}
          </dd>
        </div>
        <div>
          <dt>Our transfers in it</dt>
          <dd>
            {contents.state === 'listed' ? null : contents.detail}
            {transfers.map((one) => (
              <span key={one.stripe_transfer_id}>
                {one.id ? (
                  <ItemLink kind="transfer" id={one.id} row>
                    {shortId(one.id)}
                  </ItemLink>
                ) : (
                  one.stripe_transfer_id
                )}{' '}
                <Amount money={moneyOf(one.amount, one.currency)} />{' '}
              </span>
            ))}
          </dd>
        </div>
      </dl>
      {attention ? (
        <>
          <p>{capital(attention.detail)}.</p>
          <div className="item-tags">
            <RunbookLink runbook="docs/runbooks/payout-failed.md" />
            <Dismiss id={id} />
          </div>
        </>
      ) : null}
    </article>
  );
}

/** A person says that nothing is left to do. */
function Dismiss({ id }: { readonly id: string }) {
  const [isOpen, setOpen] = useState(false);
  const [note, setNote] = useState('');
  const dismiss = useMutation({
    mutationFn: () => post(`/api/v1/payouts/${id}/dismiss`, { note }),
    onSuccess: async () => {
      setOpen(false);
      await Promise.all(['payouts', 'overview'].map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
    },
  });
  if (!useMayAct()) return null;
  return (
    <>
      <Button variant="default" size="compact-xs" onClick={() => setOpen(true)} aria-label={`Dismiss ${id}`}>
        Dismiss
      </Button>
      <Dialog opened={isOpen} close={() => setOpen(false)} title="Nothing is left to do">
        <p>No money moves. A later payout that arrives says the same by itself.</p>
        <form
          className="stack"
          onSubmit={(submitted) => {
            submitted.preventDefault();
            dismiss.mutate();
          }}
        >
          <NoteField description="Why; kept with it" value={note} set={setNote} />
          {dismiss.isError ? <Problem error={dismiss.error} /> : null}
          <Button type="submit" loading={dismiss.isPending}>
            Dismiss
          </Button>
        </form>
      </Dialog>
    </>
  );
}
