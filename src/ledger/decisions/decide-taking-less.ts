import { mayHaveMoved } from '../../domain/calls/certainty.js';
import { reversalKey } from '../../domain/calls/idempotency-keys.js';
import { amountStep } from '../../domain/marketplace/currencies.js';
import { undecidedOf } from '../../domain/marketplace/foreign-reversals.js';
import { planLess } from '../../domain/marketplace/offsets.js';
import { convertedPart, OrderMoney, StripeMoney } from '../../domain/marketplace/stripe-money.js';
import { type LockedReversal, lockReversal } from '../calls/reversal-claims.js';
import { newGeneration } from '../calls/stripe-calls.js';
import { owe, splitOff } from '../marketplace/debts.js';
import { countWhole, noteDecided } from '../marketplace/foreign-shares.js';
import { leavePlace } from '../marketplace/reversal-demands.js';
import { mustMove, type Query } from '../transition.js';
import type { ActionHandler, Said } from './decidable.js';
import { AGAIN, isProved, proveAbsent } from './decide-stripe-call.js';
import { asShare, atStake, convertedTransfer, foreignOf, type ReversalRow, unseenOf } from './reversal-row.js';

/** Not all of a share can be taken now: what is there is taken and the rest waits, or the seller's next transfers pay it. */

/** Something of it is under way, and ends by itself. */
export function whyBusy({ owed, certainty, held_ms }: ReversalRow): string | undefined {
  if (owed && mayHaveMoved(certainty))
    return 'it is kept of a transfer that is on its way to the seller: that ends it, or opens it again, by itself';
  return (held_ms ?? 0) > 0 ? 'an attempt to take it is under way: ask again when that has ended' : undefined;
}

const whyNotYet = (row: ReversalRow): string | undefined =>
  whyBusy(row) ??
  (isProved(row)
    ? undefined
    : 'an earlier call may still be carried out, so its amount and key stay: it is looked for every hour, and can be decided about 25 hours after it was first sent');

type Decides = ReadonlyMap<string, bigint>;
type Less = { readonly take: bigint; readonly decides: Decides } | { readonly refuse: string };

export const TAKE_AVAILABLE: ActionHandler<ReversalRow> = {
  atStake,
  missing(row, said) {
    const plan = lessOf(row, said);
    return 'refuse' in plan ? plan.refuse : undefined;
  },
  async apply({ query }, row, said) {
    const plan = lessOf(row, said);
    if ('refuse' in plan) throw new Error(`reversal ${row.id}: ${plan.refuse}`);
    const locked = await begin(query, row, plan.decides);
    await query('UPDATE reversals SET takes_available = true WHERE id = $1', [row.id]);
    const keep = BigInt(locked.counted) + plan.take;
    if (keep < BigInt(locked.amount)) {
      const rest = await splitOff(query, locked.id, keep);
      // Who owes the whole owes the rest.
      if (row.owed) await owe(query, rest, { split_from: locked.id });
    }
    await query('SELECT refresh_transfer($1)', [locked.transfer_id]);
    return 'pending';
  },
};

export const OFFSET: ActionHandler<ReversalRow> = {
  atStake,
  missing(row, said) {
    const plan = debtOf(row, said);
    return 'refuse' in plan ? plan.refuse : undefined;
  },
  async apply({ query, decisionId }, row, said) {
    const plan = debtOf(row, said);
    if ('refuse' in plan) throw new Error(`reversal ${row.id}: ${plan.refuse}`);
    const locked = await begin(query, row, plan.decides);
    const detail = { decision: decisionId, transfer: locked.transfer_id };
    const counted = BigInt(locked.counted);
    if (counted === 0n) {
      await owe(query, locked.id, detail);
      await query('SELECT refresh_transfer($1)', [locked.transfer_id]);
      return 'waiting_balance';
    }
    // What others took and stands for it is back; the rest is owed.
    await owe(query, await splitOff(query, locked.id, counted), detail);
    await countWhole(query, await lockReversal(query, locked.id));
    await query('SELECT refresh_transfer($1)', [locked.transfer_id]);
    return 'reversed';
  },
};

function lessOf(row: ReversalRow, { verified, evidence, offsets }: Said): Less {
  const refuse = whyNotYet(row);
  if (refuse !== undefined) return { refuse };
  if (verified.kind !== 'taken_by_others')
    return { refuse: 'detail' in verified ? verified.detail : 'what is left of its transfer was not read at Stripe' };
  const decides = undecided(row, verified);
  if ('refuse' in decides) return decides;
  const stated = statedIn(evidence);
  if (stated === 'unreadable') return { refuse: 'amount is digits of minor units' };
  const plan = planLess({
    toTake: BigInt(row.amount) - BigInt(row.counted),
    left: asShare(row, verified, BigInt(verified.left)),
    spokenFor: BigInt(row.about_to_take),
    available: verified.available === undefined ? undefined : asShare(row, verified, BigInt(verified.available)),
    stated,
    step: amountStep(row.currency),
    offsets: offsets?.on === true,
  });
  if ('refuse' in plan) return plan;
  const { converted } = verified;
  if (converted !== undefined && plan.take < BigInt(row.amount) && comesToNothing(row, plan.take))
    return {
      refuse: `${plan.take} ${row.currency} are less than the smallest amount of ${converted}, in which its transfer was sent`,
    };
  return { take: plan.take, decides: decides.decides };
}

function comesToNothing(row: ReversalRow, take: bigint): boolean {
  const transfer = convertedTransfer(row);
  const { share, sent } = transfer;
  const before = { share: new OrderMoney(0n, share.currency), taken: StripeMoney.read(0n, sent.currency) };
  return convertedPart(transfer, before, new OrderMoney(take, share.currency)).amount === 0n;
}

function debtOf(
  row: ReversalRow,
  { verified, offsets }: Said,
): { readonly decides: Decides } | { readonly refuse: string } {
  if (offsets?.on !== true) return { refuse: 'what sellers owe is not kept of their transfers here: OFFSET is off' };
  // Asked because nothing pays it: a person may say that it waits for his transfers all the same, and is asked when that has taken as long again.
  if (row.owed && row.attention_reason === null)
    return { refuse: 'it is kept of the next transfers already: retry asks it of Stripe again' };
  const refuse = whyNotYet(row);
  if (refuse !== undefined) return { refuse };
  // Nothing can be reversed of a transfer whose id nobody knows, and its seller owes it all the same.
  if (verified.kind === 'absent') return { decides: new Map() };
  if (verified.kind !== 'taken_by_others')
    return { refuse: 'detail' in verified ? verified.detail : 'what others took was not read at Stripe' };
  return undecided(row, verified);
}

/** Whoever goes on says of all that others took that it was for something else. */
function undecided(
  row: ReversalRow,
  verified: Extract<Said['verified'], { kind: 'taken_by_others' }>,
): { readonly decides: Decides } | { readonly refuse: string } {
  const reversals = foreignOf(verified);
  const refuse = unseenOf(row, reversals);
  if (refuse !== undefined) return { refuse };
  return { decides: new Map(reversals.map((one) => [one.id, undecidedOf(one, row.decided_of_others)])) };
}

function statedIn(evidence: Said['evidence']): bigint | undefined | 'unreadable' {
  const said = evidence?.['amount'];
  if (said === undefined) return undefined;
  return typeof said === 'string' && /^[0-9]{1,20}$/.test(said) ? BigInt(said) : 'unreadable';
}

/** Another amount is another call: surely unsent, it is pending under another key. */
async function begin(query: Query, row: ReversalRow, decides: Decides): Promise<LockedReversal> {
  if (mayHaveMoved(row.certainty)) await proveAbsent(query, 'reversals', row.id);
  const locked = await lockReversal(query, row.id);
  await noteDecided(query, locked, decides);
  const frozen = locked.params !== null;
  const set = `${AGAIN}, debt_since = NULL, runner = NULL, runner_until = NULL${frozen ? `, ${newGeneration('$4')}` : ''}`;
  await mustMove(query, 'reversals', {
    id: row.id,
    from: locked.status,
    to: 'pending',
    set,
    values: frozen ? [reversalKey(row.id, locked.generation + 1)] : [],
  });
  await leavePlace(query, { id: row.id, status: locked.status });
  return await lockReversal(query, row.id);
}
