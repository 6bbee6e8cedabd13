import type { DecidableKind } from '../../../../src/domain/decisions/decisions.js';
import { HOUR_MS } from '../../durations.js';
import type { DisputeWorld } from '../dispute-world.js';
import { nameOf, type Played, toldOf } from './cells.js';

/** What a person was asked, about which kind of item, and for which reason. */
export type Asked = ReadonlySet<string>;

/** One after the other; what nobody tells is looked for an hour after a payment at the earliest, and a person is asked an hour after that. */
const PASSING_HOURS = [2, 2, 26, 40 * 24] as const;
const LANES = ['hyperswitch-event', 'stripe-event', 'stripe-read'] as const;

/** Nobody tells anything any more: time passes until all is read, and persons answer what they are asked. @returns what, by order */
export async function comeToRest(world: DisputeWorld, all: readonly Played[]): Promise<ReadonlyMap<string, Asked>> {
  const asked = new Map(all.map(({ stage }) => [stage.order as string, new Set<string>()]));
  for (const hours of PASSING_HOURS) {
    world.clock.advance(hours * HOUR_MS);
    for (const payment of await world.ledger.duePaymentSearches(100)) await world.calls.searchPayment(payment);
    for (const lane of LANES) for (const event of await world.ledger.dueWebhooks(lane, 100)) await world.hears(event);
    await world.settle();
    for (const played of all) await answer(world, played, asked.get(played.stage.order) ?? new Set());
    await world.settle();
  }
  return asked;
}

interface Question {
  readonly kind: DecidableKind;
  readonly id: string;
  readonly reason: string;
}

export async function questionsOf(world: DisputeWorld, { stage }: Played): Promise<readonly Question[]> {
  const rows = await world.database.query<{ kind: DecidableKind; id: string; reason: string }>(
    `SELECT kind, id::text, reason FROM (
       SELECT 'payment' AS kind, id, order_id, attention_reason AS reason FROM payments
       UNION ALL SELECT 'refund', id, order_id, attention_reason FROM refunds
       UNION ALL SELECT 'dispute', id, order_id, attention_reason FROM disputes
       UNION ALL SELECT 'transfer', id, order_id, attention_reason FROM seller_transfers
       UNION ALL SELECT 'reversal', id, order_id, attention_reason FROM reversals) all_items
     WHERE order_id = $1 AND reason IS NOT NULL ORDER BY kind, id`,
    [stage.order],
  );
  return rows.map((row) => ({ ...row }));
}

/** As docs/runbooks/dispute.md has it. */
const ANSWERS: Readonly<Record<string, string>> = {
  'dispute dispute': 'adopt',
  'payment unknown_refund': 'given_back',
  'payment conflict': 'given_back',
  'refund refund_failed_after_reversal': 'compensate',
};

/** One after the other: an answer may end other questions, and raise new ones. */
async function answer(world: DisputeWorld, played: Played, asked: Set<string>): Promise<void> {
  const answered = new Set<string>();
  for (;;) {
    const [next] = (await questionsOf(world, played)).filter(({ id }) => !answered.has(id));
    if (!next) return;
    const { kind, id, reason } = next;
    answered.add(id);
    asked.add(`${kind} ${reason}`);
    const action = ANSWERS[`${kind} ${reason}`];
    if (action === undefined) continue;
    const outcome = await world.decide(kind, id, action);
    if (outcome.kind !== 'applied') asked.add(`${kind} ${reason} is not answered by ${action}: ${outcome.kind}`);
  }
}

export const cellName = ({ cell }: Played): string => `${nameOf(cell.pair)}, ${toldOf(cell)}`;
