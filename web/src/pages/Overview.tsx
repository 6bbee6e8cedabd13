import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { reasonIn, spoken } from '../../../src/domain/words.js';
import { overviewQuery } from '../api/queries.js';
import type { Overview as Facts, Needed, Sum } from '../api/types.js';
import { type Money, moneyOf } from '../format/money.js';
import { capital, plural } from '../format/text.js';
import { shortAsset } from '../lists/columns.js';
import { Amount, type AmountColumn, columnOf } from '../parts/Amount.js';
import { PageHead } from '../parts/PageHead.js';
import { Panel } from '../parts/Panel.js';
import { RunbookLink } from '../parts/RunbookLink.js';
import { Empty, Loading, Problem, Stale } from '../parts/States.js';
import { StatusTag } from '../parts/Status.js';
import { When } from '../parts/When.js';
import { NotCompared } from './NotCompared.js';
import { Providers } from './Providers.js';

const Charts = lazy(async () => ({ default: (await import('./Charts.js')).Charts }));

/** What waits for whom, how much of it, since when, and how the providers are. */
export function Overview() {
  const query = useQuery(overviewQuery);
  return (
    <>
      <PageHead
        title="Overview"
        about={
          query.data ? (
            <>
              As Postgres had it <When at={query.data.at} />
            </>
          ) : null
        }
      />
      {query.isPending ? <Loading rows={12} what="the overview" /> : null}
      {query.isError && query.data ? <Stale error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isError && !query.data ? <Problem error={query.error} retry={() => void query.refetch()} /> : null}
      {query.data ? <Parts facts={query.data} /> : null}
    </>
  );
}

function Parts({ facts }: { readonly facts: Facts }) {
  return (
    <>
      <Figures facts={facts} />
      <NotCompared compared={facts.compared} />
      <div className="grid-overview">
        <NeedsAPerson needed={facts.needs_a_person} />
        <Panel title="The last hours" className="panel-whole">
          <Suspense fallback={<Loading rows={8} what="the charts" />}>
            <Charts series={facts.series} />
          </Suspense>
        </Panel>
        <div className="column">
          <OpenMoneyPanel facts={facts} />
          <Housekeeping facts={facts} />
        </div>
        <Providers providers={facts.providers} />
      </div>
    </>
  );
}

/** The four numbers that say whether somebody has to get up. */
function Figures({ facts }: { readonly facts: Facts }) {
  const waiting = facts.needs_a_person.reduce((sum, { count }) => sum + count, 0);
  const unsettled = facts.unsettled.reduce((sum, { count }) => sum + count, 0);
  const oldest = facts.unsettled.map(({ oldest_at: at }) => at).sort()[0];
  const ill = facts.providers.filter(({ state }) => state !== 'closed');
  return (
    <dl className="figures">
      <div className={waiting > 0 ? 'figure figure-bad' : 'figure'}>
        <dt>Needs a person</dt>
        <dd>{waiting.toLocaleString('en-GB')}</dd>
        <dd className="figure-foot">
          {waiting === 0 ? (
            'nobody has to decide anything'
          ) : (
            <>
              oldest <When at={facts.needs_a_person.map(({ oldest_at: at }) => at).sort()[0]} />
            </>
          )}
        </dd>
      </div>
      <div className="figure">
        <dt>Unsettled charges</dt>
        <dd>{unsettled.toLocaleString('en-GB')}</dd>
        <dd className="figure-foot">
          {oldest ? (
            <>
              oldest <When at={oldest} />
            </>
          ) : (
            'everything is collected'
          )}
        </dd>
      </div>
      <div className={facts.counts.unknown > 0 ? 'figure figure-warn' : 'figure'}>
        <dt>Outcome unknown</dt>
        <dd>{facts.counts.unknown.toLocaleString('en-GB')}</dd>
        <dd className="figure-foot">
          {facts.counts.unknown === 0 ? 'every outcome is known' : 'unknown is not failed: being looked up'}
        </dd>
      </div>
      <div className={ill.length > 0 ? 'figure figure-warn' : 'figure'}>
        <dt>Providers not open</dt>
        <dd>{ill.length}</dd>
        <dd className="figure-foot">
          {ill.length === 0 ? 'all let us in' : ill.map(({ provider }) => provider).join(', ')}
        </dd>
      </div>
    </dl>
  );
}

const moneyOfSum = ({ unit, decimals, amount }: Sum): Money | undefined => moneyOf(amount, shortAsset(unit), decimals);

function NeedsAPerson({ needed }: { readonly needed: readonly Needed[] }) {
  const rows = [...needed].sort((one, other) => (one.oldest_at < other.oldest_at ? -1 : 1));
  const column = columnOf(needed.flatMap(({ amounts }) => amounts.map(moneyOfSum)));
  return (
    <Panel title="Needs a person" className="panel-whole">
      {rows.length === 0 ? (
        <Empty title="Nobody has to decide anything">What gets stuck appears here with its amount and its age.</Empty>
      ) : (
        <div className="table-wrap">
          <table className="table needed">
            <thead>
              <tr>
                <th scope="col">Reason</th>
                <th scope="col">What</th>
                <th scope="col" className="number">
                  Amount at risk
                </th>
                <th scope="col">Oldest</th>
                <th scope="col">Runbook</th>
                <th scope="col">All of them</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <NeededRow key={`${row.kind} ${row.reason}`} row={row} column={column} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function NeededRow({ row, column }: { readonly row: Needed; readonly column: AmountColumn }) {
  const { kind, reason, count, amounts, oldest_at: oldest, runbook } = row;
  return (
    <tr>
      <th scope="row" data-head="Reason" className="reason-cell">
        <Link
          to="/$list"
          params={{ list: `${kind}s` }}
          search={{ needs_attention: 'true', reason }}
          className="item-link"
          data-row=""
        >
          {spoken(reason)}
        </Link>
        <span className="muted reason-means">
          {capital(reasonIn(kind, reason) ?? 'this console does not know the reason')}.
        </span>
      </th>
      <td data-head="What">{plural(count, kind)}</td>
      <td data-head="Amount at risk" className="number">
        {amounts.length === 0 ? <span className="muted">—</span> : null}
        {amounts.map((sum) => (
          <div key={`${sum.unit} ${sum.decimals}`}>
            <Amount money={moneyOfSum(sum)} {...column} />
          </div>
        ))}
      </td>
      <td data-head="Oldest">
        <When at={oldest} />
      </td>
      <td data-head="Runbook">
        <RunbookLink runbook={runbook} />
      </td>
      <td data-head="All of them">
        {reason === 'approval_pending' ? (
          <Link to="/approvals">Confirm</Link>
        ) : (
          <Link to="/decide" search={{ kind, reason }}>
            Decide
          </Link>
        )}
      </td>
    </tr>
  );
}

function OpenMoneyPanel({ facts }: { readonly facts: Facts }) {
  const { unsettled, marketplace } = facts;
  const column = columnOf([
    ...unsettled.map(({ amount, asset, decimals }) => moneyOf(amount, shortAsset(asset), decimals)),
    ...marketplace.map(({ amount, currency }) => moneyOf(amount, currency)),
  ]);
  return (
    <Panel title="Promised and not moved yet">
      {unsettled.length + marketplace.length === 0 ? (
        <Empty title="Everything that was promised has moved" />
      ) : (
        <div className="table-wrap">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">What</th>
                <th scope="col">Status</th>
                <th scope="col" className="number">
                  Amount
                </th>
                <th scope="col" className="number">
                  Count
                </th>
                <th scope="col">Oldest</th>
              </tr>
            </thead>
            <tbody>
              {unsettled.map(({ protocol, asset, decimals, amount, count, oldest_at: at }) => (
                <tr key={`${protocol} ${asset}`}>
                  <th scope="row" data-head="What">
                    <Link
                      to="/$list"
                      params={{ list: 'settlements' }}
                      search={{ status: 'pending', protocol }}
                      className="item-link"
                      data-row=""
                    >
                      Charges by {protocol}
                    </Link>
                  </th>
                  <td data-head="Status">
                    <StatusTag kind="settlement" status="pending" />
                  </td>
                  <td data-head="Amount" className="number">
                    <Amount money={moneyOf(amount, shortAsset(asset), decimals)} {...column} />
                  </td>
                  <td data-head="Count" className="number">
                    {count.toLocaleString('en-GB')}
                  </td>
                  <td data-head="Oldest">
                    <When at={at} />
                  </td>
                </tr>
              ))}
              {marketplace.map(({ kind, status, currency, amount, count, oldest_at: at }) => (
                <tr key={`${kind} ${status} ${currency}`}>
                  <th scope="row" data-head="What">
                    <Link
                      to="/$list"
                      params={{ list: `${kind}s` }}
                      search={{ status }}
                      className="item-link"
                      data-row=""
                    >
                      {capital(kind)}s
                    </Link>
                  </th>
                  <td data-head="Status">
                    <StatusTag kind={kind} status={status} />
                  </td>
                  <td data-head="Amount" className="number">
                    <Amount money={moneyOf(amount, currency)} {...column} />
                  </td>
                  <td data-head="Count" className="number">
                    {count.toLocaleString('en-GB')}
                  </td>
                  <td data-head="Oldest">
                    <When at={at} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function Housekeeping({ facts }: { readonly facts: Facts }) {
  const { inbox, sweeps, counts } = facts;
  const others: readonly (readonly [string, number])[] = [
    ['credentials near their expiry', counts.expiring],
    ['suspected settled elsewhere', counts.suspected_elsewhere],
    ['billed, delivery unknown', counts.delivery_unknown],
    ['answers due to payers', counts.answers_due],
  ];
  return (
    <Panel title="Sweeps, inbox and the rest">
      <dl className="facts">
        {others.map(([name, count]) => (
          <div key={name}>
            <dt>{capital(name)}</dt>
            <dd>{count.toLocaleString('en-GB')}</dd>
          </div>
        ))}
        {inbox.map(({ provider, count, oldest_at: at }) => (
          <div key={provider}>
            <dt>Events of {provider} not processed</dt>
            <dd>
              {count.toLocaleString('en-GB')}
              {count > 0 ? (
                <>
                  , oldest <When at={at} />
                </>
              ) : null}
            </dd>
          </div>
        ))}
        {sweeps.map(({ name, last_success_at: at }) => (
          <div key={name}>
            <dt>Sweep {name}</dt>
            <dd>{at ? <When at={at} /> : 'never'}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
