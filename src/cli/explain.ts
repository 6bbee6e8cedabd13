import type { Command } from 'commander';
import { explainNext, explainNextOfSettlement, whenNext } from '../domain/decisions/explain-next.js';
import { type Explanation, explain, explanationLines } from '../domain/explanations/explain.js';
import { channelExplanationLines, explainChannel } from '../domain/explanations/explain-channel.js';
import { explainOrder, orderExplanationLines } from '../domain/explanations/explain-order.js';
import type { MoneyFacts } from '../domain/explanations/where-money-is.js';
import type { SettlementId } from '../domain/ids.js';
import type { MarketplaceKind, Order, SellerTransfer } from '../domain/marketplace/marketplace.js';
import { formatDecimal } from '../domain/money.js';
import { type Drift } from '../domain/reconciliation/drift.js';
import { driftAnswer, driftLines } from '../domain/reconciliation/drift-answer.js';
import { type FoundItem, MOST_FOUND } from '../ledger/find-items.js';
import { asJson } from './as-json.js';
import { type CliContext, CommandRefused } from './context.js';
import { type OperatorLedger, withOperatorLedger } from './operator-ledger.js';

export function addExplainCommand(program: Command, context: CliContext): void {
  program
    .command('explain <id>')
    .description(
      'in plain words: where the money is, why, what happens next and when, and what you can do. Any id: ours, a key, a name at Stripe, Hyperswitch or on chain, a request, an event, a decision, a payer, a seller, an order reference',
    )
    .option('--json', 'answer as JSON')
    .action((text: string, options: { json?: true }) => run(context, text, options));
}

interface Told {
  readonly answer: object;
  readonly lines: readonly string[];
}

async function run(context: CliContext, text: string, { json }: { json?: true }): Promise<void> {
  const nowMs = context.clock.nowMs();
  const { answer, lines } = await withOperatorLedger(context, (ledger) => tellWithDrift(ledger, text.trim(), nowMs));
  if (json) context.out(asJson(answer));
  else for (const line of lines) context.out(line);
}

/** Beside what the ledger says of it, where a provider tells something else. */
async function tellWithDrift(ledger: OperatorLedger, text: string, nowMs: number): Promise<Told> {
  const items = await ledger.findItems(text);
  const drifts = await ledger.driftsAbout(text, await withParts(ledger, items));
  const told = items.length === 0 && drifts.length > 0 ? NOTHING_OF_OURS : await tell(ledger, text, nowMs);
  return drifts.length === 0 ? told : withDrifts(told, drifts);
}

const NOTHING_OF_OURS: Told = { answer: {}, lines: [] };

const withDrifts = ({ answer, lines }: Told, drifts: readonly Drift[]): Told => ({
  answer: { ...answer, drift: drifts.map(driftAnswer) },
  lines: [...lines, ...drifts.flatMap(driftLines)],
});

/** Of an order what is about its parts is about it too. */
async function withParts(ledger: OperatorLedger, items: readonly FoundItem[]): Promise<readonly string[]> {
  const [only] = items;
  const order = only?.kind === 'order' && items.length === 1 ? await ledger.findOrder(only.orderId) : undefined;
  const parts = order ? partsOf(order).map(({ id }) => id) : [];
  return [...items.map(({ id }) => id), ...parts];
}

async function tell(ledger: OperatorLedger, text: string, nowMs: number): Promise<Told> {
  const [items, channel] = await Promise.all([ledger.findItems(text), ledger.explainedChannel(text.toLowerCase())]);
  const told = await Promise.all(items.slice(0, MOST_FOUND).map((item) => tellOne(ledger, item, nowMs)));
  if (channel) {
    const explained = explainChannel(channel);
    const captures = told.map(({ answer }) => answer);
    return {
      answer: { ...explained, settlements: captures },
      lines: [...channelExplanationLines(explained), ...told.map(({ lines: [first = ''] }) => `  ${first}`)],
    };
  }
  const [only, ...others] = told;
  if (!only) throw new CommandRefused(`nothing has the id ${text}; makegood list shows what there is`);
  if (others.length === 0) return only;
  const more = items.length > MOST_FOUND;
  return {
    answer: { items: told.map(({ answer }) => answer), more },
    lines: [
      `${text} stands for several items; makegood explain with the id of one tells more`,
      ...told.map(({ lines: [first = '', second = ''] }) => `${first}; ${second}`),
      ...(more ? [`… and more than these ${MOST_FOUND}`] : []),
    ],
  };
}

async function tellOne(ledger: OperatorLedger, item: FoundItem, nowMs: number): Promise<Told> {
  if (item.kind === 'settlement') return toTell(await settlement(ledger, item.id as SettlementId, nowMs));
  const order = await ledger.findOrder(item.orderId);
  if (!order) throw new Error(`order ${item.orderId} is gone from the ledger`);
  if (item.kind !== 'order') {
    const part = partsOf(order).find(({ money, id }) => money.kind === item.kind && id === item.id);
    if (!part) throw new Error(`${item.kind} ${item.id} is gone from the ledger`);
    return toTell(await explainPart(ledger, part, nowMs));
  }
  const parts: Explanation[] = [];
  for (const part of partsOf(order)) parts.push(await explainPart(ledger, part, nowMs));
  const explained = explainOrder(order, parts);
  return { answer: explained, lines: orderExplanationLines(explained) };
}

const toTell = (explained: Explanation): Told => ({ answer: explained, lines: explanationLines(explained) });

async function settlement(ledger: OperatorLedger, id: SettlementId, nowMs: number): Promise<Explanation> {
  const found = await ledger.findSettlement(id);
  if (!found) throw new Error(`settlement ${id} is gone from the ledger`);
  const [call, decision] = await Promise.all([ledger.settlementCall(id), ledger.waitingDecision('settlement', id)]);
  return explain({
    ...found,
    money: { ...found, kind: 'settlement' },
    amount: `${formatDecimal(found.spent, found.decimals)} ${found.asset}`,
    decision,
    next: explainNextOfSettlement(found, call),
    nextAt: whenNext(found, call, nowMs),
  });
}

interface Part extends Pick<SellerTransfer, 'certainty' | 'attention' | 'nextRetryAt' | 'currency' | 'amount'> {
  readonly id: string;
  readonly money: MoneyFacts & { readonly kind: MarketplaceKind };
}

function partsOf({ payment, refunds, transfers, reversals, disputes }: Order): readonly Part[] {
  return [
    ...(payment ? [{ ...payment, nextRetryAt: null, money: { ...payment, kind: 'payment' as const } }] : []),
    ...refunds.map((refund) => ({ ...refund, nextRetryAt: null, money: { ...refund, kind: 'refund' as const } })),
    ...transfers.map((transfer) => ({ ...transfer, money: { ...transfer, kind: 'transfer' as const } })),
    ...reversals.map((reversal) => ({ ...reversal, money: { ...reversal, kind: 'reversal' as const } })),
    ...disputes.map((dispute) => ({
      ...dispute,
      certainty: 'done' as const,
      nextRetryAt: null,
      money: { ...dispute, kind: 'dispute' as const },
    })),
  ];
}

async function explainPart(ledger: OperatorLedger, part: Part, nowMs: number): Promise<Explanation> {
  const { kind, status } = part.money;
  const [call, decision] = await Promise.all([
    ledger.callDetails(kind, part.id),
    ledger.waitingDecision(kind, part.id),
  ]);
  if (!call) throw new Error(`${kind} ${part.id} is gone from the ledger`);
  return explain({
    ...part,
    amount: `${part.amount} ${part.currency} (minor units)`,
    decision,
    next: explainNext({ ...part, ...call, kind, status }, nowMs),
    nextAt: whenNext(part, call, nowMs),
  });
}
