import type { Command } from 'commander';
import { explanationLines } from '../../domain/explanations/explain.js';
import { channelExplanationLines, explainChannel } from '../../domain/explanations/explain-channel.js';
import { orderExplanationLines } from '../../domain/explanations/explain-order.js';
import { explainPayout, payoutExplanationLines } from '../../domain/explanations/explain-payout.js';
import type { Payout } from '../../domain/marketplace/payouts.js';
import type { Drift } from '../../domain/reconciliation/drift.js';
import { driftAnswer, driftLines } from '../../domain/reconciliation/drift-answer.js';
import { type FoundItem, MOST_FOUND } from '../../ledger/find-items.js';
import { explainItem, idsOfParts } from '../../reading/explanations.js';
import { asJson } from '../as-json.js';
import { type CliContext, CommandRefused } from '../context.js';
import { type OperatorLedger, withOperatorLedger } from '../operator-ledger.js';
import { LIVE_FLAG, LIVE_HELP, lookedAt, withLive } from './live.js';

export function addExplainCommand(program: Command, context: CliContext): void {
  program
    .command('explain <id>')
    .description(
      'in plain words: where the money is, why, what happens next and when, and what you can do. Any id: ours, a key, a name at Stripe, Hyperswitch or on chain, a request, an event, a decision, a payer, a seller, an order reference, a payout',
    )
    .option(LIVE_FLAG, LIVE_HELP)
    .option('--json', 'answer as JSON')
    .action((text: string, options: ExplainOptions) => run(context, text, options));
}

interface ExplainOptions {
  readonly json?: true;
  readonly live?: true;
}

interface Told {
  readonly answer: object;
  readonly lines: readonly string[];
}

async function run(context: CliContext, text: string, { json, live }: ExplainOptions): Promise<void> {
  const nowMs = context.clock.nowMs();
  const { answer, lines } = await withOperatorLedger(context, async (ledger) => {
    const told = await tellWithDrift(ledger, text.trim(), nowMs);
    return live ? withLive(told, await lookedAt(context, ledger, text.trim())) : told;
  });
  if (json) context.out(asJson(answer));
  else for (const line of lines) context.out(line);
}

/** Beside what the ledger says of it, where a provider tells something else. */
async function tellWithDrift(ledger: OperatorLedger, text: string, nowMs: number): Promise<Told> {
  const items = await ledger.findItems(text);
  const drifts = await ledger.driftsAbout(text, await withParts(ledger, items));
  const payout = items.length === 0 ? await ledger.findPayout(text) : undefined;
  const told = payout
    ? tellPayout(payout)
    : items.length === 0 && drifts.length > 0
      ? NOTHING_OF_OURS
      : await tell(ledger, text, nowMs);
  return drifts.length === 0 ? told : withDrifts(told, drifts);
}

/** No item: it moves nothing of ours, and is known by what Stripe calls it, or by the id in a message to people. */
function tellPayout(payout: Payout): Told {
  const explained = explainPayout(payout);
  return { answer: explained, lines: payoutExplanationLines(explained) };
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
  return [...items.map(({ id }) => id), ...(order ? idsOfParts(order) : [])];
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
  const explained = await explainItem(ledger, item, nowMs);
  const lines = explained.kind === 'order' ? orderExplanationLines(explained) : explanationLines(explained);
  return { answer: explained, lines };
}
