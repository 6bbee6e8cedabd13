import { EVIDENCE, isDecidable } from '../../domain/decisions/decisions.js';
import { isNothing, NOTHING_IS_NEXT } from '../../domain/decisions/explain-next.js';
import type { Explanation } from '../../domain/explanations/explain.js';
import { type ChannelExplanation, explainChannel } from '../../domain/explanations/explain-channel.js';
import type { OrderExplanation } from '../../domain/explanations/explain-order.js';
import type { SettlementId } from '../../domain/ids.js';
import type { ItemEvent } from '../../ledger/event-row.js';
import type { FoundItem } from '../../ledger/find-items.js';
import type { ItemSummary } from '../../ledger/reading/item-summaries.js';
import { explainItem } from '../../reading/explanations.js';
import { fromLedger } from '../from-ledger.js';
import type { Call, Reply } from '../route.js';
import { namedBy, noItem } from './named-item.js';
import type { ReadingDependencies } from './reading-dependencies.js';
import { relatedOf, relatedOfChannel } from './related.js';
import { needsSecondPerson } from './second-person.js';

/** The explanation that the command `explain` gives, and beside it what a person wants to see before he decides. */
export async function explanation(
  { params }: Call<unknown, unknown>,
  dependencies: ReadingDependencies,
): Promise<Reply> {
  const named = await namedBy(params, dependencies);
  if (named.kind === 'channel') return { status: 200, body: await ofChannel(named.id, dependencies) };
  const { ledger, clock } = dependencies;
  const explained = await fromLedger(explainItem(ledger, named, clock.nowMs()));
  const [related, summaries] = await fromLedger(
    Promise.all([relatedOf(named, ledger), ledger.itemSummaries([named.id])]),
  );
  const own =
    explained.kind === 'order'
      ? ofOrder(explained)
      : await ofItem(explained, { named, dependencies, summary: summaries[0] });
  return { status: 200, body: exact({ ...own, related }) };
}

/** Amounts of parts are bigints; no sum of an order is beyond what JSON's numbers hold, but in digits none can be. */
const exact = (body: object): unknown =>
  JSON.parse(JSON.stringify(body, (_name, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)));

interface Explained {
  readonly named: FoundItem;
  readonly dependencies: ReadingDependencies;
  readonly summary: ItemSummary | undefined;
}

async function ofItem(explained: Explanation, { named, dependencies, summary }: Explained): Promise<object> {
  const { ledger, approvalThreshold, temporalUi } = dependencies;
  const { decisions, kind, id, ...rest } = explained;
  const [word, call, waiting, workflowId] = await fromLedger(
    Promise.all([
      ledger.lastWord(kind, id),
      kind === 'settlement' ? ledger.settlementCall(id as SettlementId) : ledger.callDetails(kind, id),
      ledger.waitingDecision(kind, id),
      workflowOf(named, ledger),
    ]),
  );
  const fields = isDecidable(kind) ? EVIDENCE[kind] : [];
  return {
    kind,
    id,
    ...rest,
    // An approval is no decision about the item: it is made about what waits.
    actions: (waiting ? [] : decisions).map(({ action, does, persons, command }) => ({
      action,
      effect: does,
      persons,
      needs_second_person:
        persons.startsWith('two persons') || (summary ? needsSecondPerson(summary, action, approvalThreshold) : true),
      fields: [
        { name: 'note', required: true, evidence: false },
        ...fields.map((name) => ({ name, required: false, evidence: true })),
      ],
      command,
    })),
    waiting_decision: waiting && {
      id: waiting.id,
      action: waiting.action,
      by: waiting.by,
      note: waiting.note,
      requested_at: waiting.requestedAt,
    },
    evidence: {
      ours: { status: explained.status, certainty: explained.certainty, amount: explained.amount, ...call },
      ...saidBy(word),
    },
    temporal_url:
      temporalUi && workflowId
        ? `${temporalUi.url}/namespaces/${encodeURIComponent(temporalUi.namespace)}/workflows/${encodeURIComponent(workflowId)}`
        : null,
  };
}

const saidBy = (word: ItemEvent | null) => ({
  provider:
    word === null
      ? null
      : {
          what: word.kind,
          answer: word.answerClass,
          certainty: word.certainty,
          key: word.idempotencyKey,
          ...word.detail,
        },
  looked_at: word?.at ?? null,
});

/** The row's own, once it has one. */
async function workflowOf(item: FoundItem, ledger: ReadingDependencies['ledger']): Promise<string | null> {
  if (item.kind === 'settlement') return (await ledger.findSettlement(item.id as SettlementId))?.workflowId ?? null;
  const order = await ledger.findOrder(item.orderId);
  if (!order) return null;
  const parts = [
    ...(order.payment ? [order.payment] : []),
    ...order.refunds,
    ...order.transfers,
    ...order.reversals,
    ...order.disputes,
  ];
  return parts.find(({ id }) => id === item.id)?.workflowId ?? null;
}

const ofOrder = ({ shares, parts, amount, currency, ...order }: OrderExplanation) => ({
  ...order,
  certainty: null,
  amount: `${amount} ${currency} (minor units)`,
  money: {
    with: [...new Set(shares.filter(({ has }) => has > 0n).map(({ party }) => party))],
    words: shares.map(({ party, account, has }) => `${account ?? party}: ${has}`).join(', ') + ' (minor units)',
  },
  next: nextOf(parts),
  next_at:
    parts
      .map(({ next_at: at }) => at)
      .filter((at) => at !== null)
      .sort()[0] ?? null,
  attention: parts.find(({ attention }) => attention)?.attention ?? null,
  actions: [],
  waiting_decision: null,
  runbook: parts.find(({ runbook }) => runbook)?.runbook ?? null,
  evidence: { ours: { status: order.status }, provider: null, looked_at: null },
  temporal_url: null,
  shares,
  parts,
});

function nextOf(parts: readonly Explanation[]): string {
  // A reversal that waits by itself can be decided about, and need not be.
  const asked = parts.filter(
    ({ decisions, attention, kind }) => decisions.length > 0 && (attention !== null || kind !== 'reversal'),
  );
  if (asked.length > 0) return `a person decides about ${asked.map(({ kind, id }) => `${kind} ${id}`).join(', ')}`;
  if (parts.length === 0) return 'the buyer pays it, or not';
  return parts.every(({ next }) => isNothing(next)) ? NOTHING_IS_NEXT : 'each part of it goes on by itself';
}

async function ofChannel(id: string, { ledger }: ReadingDependencies): Promise<object> {
  const found = await fromLedger(ledger.explainedChannel(id));
  if (!found) throw noItem('channel');
  const explained: ChannelExplanation = explainChannel(found);
  const { kind, money, why, next, next_at, ...facts } = explained;
  return {
    kind,
    id,
    status: found.finalized ? 'closed' : found.closeRequestedAt === null ? 'open' : 'closing',
    certainty: null,
    amount: `${explained.deposit} (atomic units of ${explained.token})`,
    money,
    why,
    next,
    next_at,
    attention: null,
    actions: [],
    waiting_decision: null,
    runbook: null,
    evidence: { ours: facts, provider: null, looked_at: null },
    temporal_url: null,
    related: await fromLedger(relatedOfChannel(id, ledger)),
  };
}
