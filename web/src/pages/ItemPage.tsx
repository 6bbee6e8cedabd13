import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { runbookIn } from '../../../src/domain/words.js';
import { ApiProblem } from '../api/client.js';
import { driftQuery, explanationQuery, itemQuery, storyQuery } from '../api/queries.js';
import type { Explanation, ListedItem, Share } from '../api/types.js';
import { type Money, moneyInWords, moneyOf } from '../format/money.js';
import { capital, shortId } from '../format/text.js';
import { useKeys } from '../keys/keys.js';
import { shortAsset } from '../lists/columns.js';
import { Copyable } from '../parts/Copy.js';
import { Icon } from '../parts/Icon.js';
import { Lines } from '../parts/Lines.js';
import { MoneyIsHere } from '../parts/MoneyIsHere.js';
import { PageHead } from '../parts/PageHead.js';
import { Panel } from '../parts/Panel.js';
import { RelatedGraph } from '../parts/RelatedGraph.js';
import { RunbookLink } from '../parts/RunbookLink.js';
import { SideBySide } from '../parts/SideBySide.js';
import { Loading, Problem, Stale } from '../parts/States.js';
import { ReasonTag, StatusTag } from '../parts/Status.js';
import { Timeline } from '../parts/Timeline.js';
import { When } from '../parts/When.js';
import { Act } from './Act.js';
import { Captures } from './Captures.js';
import { DriftCards } from './Drift.js';
import { LiveReading } from './LiveReading.js';

/** The whole story of one item, and what a person can do about it. */
export function ItemPage() {
  const { kind, id } = useParams({ strict: false }) as { kind: string; id: string };
  return <Item key={`${kind}/${id}`} kind={kind} id={id} />;
}

function Item({ kind, id }: { readonly kind: string; readonly id: string }) {
  const explanation = useQuery(explanationQuery(kind, id));
  const item = useQuery(itemQuery(kind, id));
  useKeys({ d: () => document.querySelector<HTMLElement>('#act input, #act textarea')?.focus() });
  const again = () => void Promise.all([explanation.refetch(), item.refetch()]);
  const title = `${capital(kind)} ${shortId(id)}`;
  if (explanation.isPending)
    return (
      <>
        <PageHead title={title} />
        <Loading rows={12} what={`the ${kind}`} />
      </>
    );
  if (!explanation.data)
    return (
      <>
        <PageHead title={title} />
        <Problem
          error={
            explanation.error ??
            new ApiProblem({ title: 'There is nothing here', detail: 'no such item', status: 404, code: 'not_found' })
          }
          retry={again}
        />
      </>
    );
  const told = explanation.data;
  return (
    <>
      <PageHead
        title={title}
        about={
          <span className="item-tags">
            <StatusTag kind={kind} status={told.status} />
            {told.attention ? <ReasonTag kind={kind} reason={told.attention.reason} /> : null}
            <Copyable text={id} shown={id.length > 44 ? shortId(id) : id} />
          </span>
        }
      >
        {told.temporal_url ? (
          <a href={told.temporal_url} target="_blank" rel="noreferrer" className="with-icon">
            <Icon name="out" /> In Temporal
          </a>
        ) : null}
        <RunbookOf told={told} />
      </PageHead>
      {explanation.isError ? <Stale error={explanation.error} retry={again} /> : null}
      <div className="grid-item">
        <div className="column">
          <WhereItIs told={told} item={item.data ?? undefined} />
          {told.shares ? <Shares shares={told.shares} currency={item.data?.['currency']} /> : null}
          {kind === 'order' && item.data ? <Lines order={item.data} /> : null}
          {kind === 'order' ? null : (
            <Panel
              title="Ours and the provider’s last word"
              aside={
                <span className="muted">
                  provider looked at {told.evidence.looked_at ? <When at={told.evidence.looked_at} /> : 'never'}
                </span>
              }
            >
              <SideBySide
                ours={told.evidence.ours}
                provider={told.evidence.provider}
                currency={item.data?.['currency']}
              />
            </Panel>
          )}
          <LiveReading told={told} />
          {kind === 'channel' ? null : <DriftAbout id={id} />}
          <RelatedGraph self={told} item={item.data ?? undefined} />
          <Story kind={kind} id={id} />
        </div>
        <div className="column column-act">
          <Act told={told} />
          {kind === 'payment' && item.data ? <Captures payment={item.data} /> : null}
        </div>
      </div>
    </>
  );
}

function DriftAbout({ id }: { readonly id: string }) {
  const { data } = useInfiniteQuery(driftQuery({ state: 'open', item_id: id }));
  const drifts = data?.pages.flatMap(({ items }) => items) ?? [];
  return drifts.length === 0 ? null : (
    <Panel title="The provider tells something else">
      <DriftCards drifts={drifts} />
    </Panel>
  );
}

function RunbookOf({ told }: { readonly told: Explanation }) {
  const runbook = told.runbook ?? (told.attention ? (runbookIn(told.kind, told.attention.reason) ?? null) : null);
  return runbook ? <RunbookLink runbook={runbook} /> : null;
}

/** What the item is about, as its own answer has it. */
function moneyOfItem(kind: string, item: ListedItem | undefined): Money | undefined {
  if (!item) return undefined;
  if (kind === 'settlement') {
    const { amount, asset, decimals } = (item['spent'] ?? {}) as { amount?: string; asset?: string; decimals?: number };
    return moneyOf(amount, asset === undefined ? undefined : shortAsset(asset), decimals);
  }
  if (kind === 'channel') return moneyOf(item['deposit'], shortAsset(String(item['token'])), 0);
  return moneyOf(item['amount'], item['currency']);
}

function WhereItIs({ told, item }: { readonly told: Explanation; readonly item: ListedItem | undefined }) {
  return (
    <Panel title="Where the money is" className="panel-where">
      <MoneyIsHere
        size="large"
        money={moneyOfItem(told.kind, item)}
        amountInWords={told.amount}
        places={told.money.with}
        words={told.shares && item ? sharesInWords(told.shares, item['currency']) : told.money.words}
        certainty={told.certainty}
      />
      <dl className="told">
        <div>
          <dt>Why</dt>
          <dd>{capital(told.why)}.</dd>
        </div>
        <div>
          <dt>What happens next</dt>
          <dd>
            {capital(told.next)}.
            {told.next_at ? (
              <span className="next-at">
                <Icon name="clock" size={13} /> <When at={told.next_at} />
              </span>
            ) : null}
          </dd>
        </div>
      </dl>
    </Panel>
  );
}

/** In the unit of the amount above it. */
const sharesInWords = (shares: readonly Share[], currency: unknown): string =>
  shares.map(({ party, account, has }) => `${account ?? party}: ${inUnits(has, currency)}`).join(', ');

function Shares({ shares, currency }: { readonly shares: readonly Share[]; readonly currency: unknown }) {
  return (
    <Panel title="What each party has of it">
      <ul className="shares">
        {shares.map((share) => (
          <li key={`${share.party} ${share.account}`}>
            <MoneyIsHere
              money={moneyOf(share.has, currency)}
              amountInWords={String(share.has)}
              places={[share.party]}
              certainty={null}
              account={share.account}
              words={owed(share, currency)}
            />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function owed({ to_come: toCome, to_give_back: toGiveBack }: Share, currency: unknown): string {
  const open = [
    Number(toCome) === 0 ? undefined : `${inUnits(toCome, currency)} to come`,
    Number(toGiveBack) === 0 ? undefined : `${inUnits(toGiveBack, currency)} to be taken back`,
  ].filter((part) => part !== undefined);
  return open.join(', ');
}

function inUnits(amount: number | string, currency: unknown): string {
  const money = moneyOf(amount, currency);
  return money ? moneyInWords(money) : String(amount);
}

function Story({ kind, id }: { readonly kind: string; readonly id: string }) {
  const story = useQuery(storyQuery(kind, id));
  return (
    <Panel title="Its story">
      {story.isPending ? <Loading rows={5} what="the story" /> : null}
      {story.isError && !story.data ? <Problem error={story.error} retry={() => void story.refetch()} /> : null}
      {story.data ? <Timeline events={story.data.events} self={`${kind}/${id}`} /> : null}
    </Panel>
  );
}
