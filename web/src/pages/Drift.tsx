import { Button } from '@mantine/core';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { spoken } from '../../../src/domain/words.js';
import { post } from '../api/client.js';
import { driftQuery, queryClient } from '../api/queries.js';
import type { Drift as Told } from '../api/types.js';
import { moneyOf } from '../format/money.js';
import { capital, shortId } from '../format/text.js';
import { Amount } from '../parts/Amount.js';
import { Dialog } from '../parts/Dialog.js';
import { ItemLink } from '../parts/ItemLink.js';
import { NoteField } from '../parts/NoteField.js';
import { PageHead } from '../parts/PageHead.js';
import { RunbookLink } from '../parts/RunbookLink.js';
import { Said } from '../parts/Said.js';
import { Empty, Loading, Problem, Stale } from '../parts/States.js';
import { useMayAct } from '../parts/useMayAct.js';
import { When } from '../parts/When.js';
import { LastRun } from './LastRun.js';

/** Where the ledger and a provider tell different things. */
export function Drift() {
  const query = useInfiniteQuery(driftQuery({ state: 'open' }));
  const open = query.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <>
      <PageHead
        title="Drift"
        about="Where the ledger and a provider tell different things. Nothing moves by itself because of it."
      >
        <Compare />
      </PageHead>
      <LastRun />
      {query.isPending ? <Loading what="what differs" /> : null}
      {query.isError && query.data ? <Stale error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isError && !query.data ? <Problem error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isSuccess && open.length === 0 ? <Empty icon="check" title="No drift is open" /> : null}
      <DriftCards drifts={open} />
      {query.hasNextPage ? (
        <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          More
        </Button>
      ) : null}
    </>
  );
}

export function DriftCards({ drifts }: { readonly drifts: readonly Told[] }) {
  return (
    <ul className="cards">
      {drifts.map((drift) => (
        <li key={drift.id} className="panel">
          <Card drift={drift} />
        </li>
      ))}
    </ul>
  );
}

function Card({ drift }: { readonly drift: Told }) {
  const { kind, words, provider, provider_id: providerId, item, amount, currency } = drift;
  return (
    <article className="stack">
      <header className="card-head">
        <h2>{capital(spoken(kind))}</h2>
        {amount === null ? null : <Amount money={moneyOf(amount, currency)} />}
      </header>
      <p>{capital(words)}.</p>
      <dl className="told">
        <div>
          <dt>Our ledger</dt>
          <dd>{drift.ledger_says}</dd>
        </div>
        <div>
          <dt>{capital(provider)}</dt>
          <dd>
            <Said text={drift.provider_says} /> (<code>{providerId}</code>, looked at <When at={drift.last_seen_at} />)
          </dd>
        </div>
        <div>
          <dt>About</dt>
          <dd>
            {item ? (
              <ItemLink kind={item.kind} id={item.id} row>
                {item.kind} {shortId(item.id)}
              </ItemLink>
            ) : (
              'nothing of ours'
            )}
            , since <When at={drift.opened_at} />
          </dd>
        </div>
      </dl>
      <div className="item-tags">
        <RunbookLink runbook={drift.runbook} />
        <Accept drift={drift} />
      </div>
    </article>
  );
}

/** A person says that it is right as it is. */
function Accept({ drift }: { readonly drift: Told }) {
  const [isOpen, setOpen] = useState(false);
  const [note, setNote] = useState('');
  // What was read when he began: what is told otherwise meanwhile is not what he accepts.
  const [seen, setSeen] = useState(drift.version);
  const accept = useMutation({
    mutationFn: () => post(`/api/v1/drift/${drift.id}/accept`, { note, version: seen }),
    onSuccess: async () => {
      setOpen(false);
      await queryClient.invalidateQueries({ queryKey: ['drift'] });
    },
  });
  if (!useMayAct()) return null;
  const verb = drift.waiting_acceptance ? 'Confirm' : 'Accept';
  return (
    <>
      <Button
        variant="default"
        size="compact-xs"
        onClick={() => {
          setSeen(drift.version);
          setOpen(true);
        }}
        aria-label={`${verb} ${spoken(drift.kind)} ${drift.provider_id}`}
      >
        {verb}
      </Button>
      {drift.waiting_acceptance ? (
        <span className="muted">
          <Said text={drift.waiting_acceptance.by} /> has asked that it be accepted{' '}
          <When at={drift.waiting_acceptance.at} />: “<Said text={drift.waiting_acceptance.note} />
          ”. An approver confirms it.
        </span>
      ) : null}
      <Dialog opened={isOpen} close={() => setOpen(false)} title="It is right as it is">
        <p>No money moves. Should the provider tell something else later, it is told again.</p>
        <form
          className="stack"
          onSubmit={(submitted) => {
            submitted.preventDefault();
            accept.mutate();
          }}
        >
          <NoteField description="Why; kept with it" value={note} set={setNote} />
          {accept.isError ? <Problem error={accept.error} /> : null}
          <Button type="submit" loading={accept.isPending}>
            Accept
          </Button>
        </form>
      </Dialog>
    </>
  );
}

function Compare() {
  const compare = useMutation({
    mutationFn: () => post('/api/v1/reconciliations', {}),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['drift'] }),
  });
  if (!useMayAct()) return null;
  return (
    <>
      <Button variant="default" loading={compare.isPending} onClick={() => compare.mutate()}>
        Compare now
      </Button>
      {compare.isSuccess ? <span role="status">A run is at work.</span> : null}
      {compare.isError ? <Problem error={compare.error} /> : null}
    </>
  );
}
