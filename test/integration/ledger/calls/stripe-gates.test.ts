import { beforeEach, describe, expect, it } from 'vitest';
import type { ReversalId } from '../../../../src/domain/ids.js';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../support/durations.js';
import { type TestLedger } from '../../../support/ledger-fixtures.js';
import {
  DONE,
  LOCKED_OUT,
  type MarketplaceSteps,
  marketplaceLedgerForTest,
  REFUSED,
  SHORT,
  THROTTLED,
  UNKNOWN,
} from '../../../support/marketplace/steps.js';

let test: TestLedger;
let steps: MarketplaceSteps;
beforeEach(async () => {
  ({ test, steps } = await marketplaceLedgerForTest());
});

/** Reversals of one seller, each of an order of its own, the oldest first. */
async function reversalsOf(seller: string, howMany: number, currency = 'USD'): Promise<ReversalId[]> {
  const ids: ReversalId[] = [];
  for (let index = 0; index < howMany; index += 1) {
    const order = await steps.paid({ [seller]: 1_000 }, currency);
    await steps.send(order.transfers[seller]!);
    await steps.refunded(order.id);
    ids.push((await steps.find(order.id)).reversals[0]!.id);
  }
  return ids;
}
const statusOf = async (id: ReversalId) => (await steps.reversal(id)).status;
const short = (id: ReversalId) => steps.reverse(id, SHORT, { provedAbsent: true });

describe('a seller whose balance is too low', () => {
  it('is asked for one reversal at a time, the oldest first, and the others wait without asking', async () => {
    const ids = await reversalsOf('acct_a', 4);
    await short(ids[0]!);
    for (const id of ids.slice(1)) expect(await steps.claimReversal(id)).toMatchObject({ kind: 'waiting_balance' });
    expect(await Promise.all(ids.map(statusOf))).toEqual(Array(4).fill('waiting_balance'));
    expect(await steps.claimReversal(ids[0]!)).toMatchObject({ kind: 'waiting_balance' });

    steps.pass(MINUTE_MS + SECOND_MS);
    for (const id of ids.slice(1)) expect(await steps.claimReversal(id)).toMatchObject({ kind: 'waiting_balance' });
    const claims = await Promise.all(ids.map((id) => steps.claimReversal(id)));
    expect(claims.map(({ kind }) => kind)).toEqual(['claimed', ...Array(3).fill('waiting_balance')]);
  });

  it('goes on while the balance lasts, and the gate opens after the last', async () => {
    const ids = await reversalsOf('acct_a', 3);
    for (const id of ids) if ((await steps.claimReversal(id)).kind === 'claimed') await answerHeld(id);
    steps.pass(MINUTE_MS + SECOND_MS);
    for (const [place, id] of ids.entries()) {
      const { started } = await steps.reverse(id);
      expect(started).toEqual(place < 2 ? [{ kind: 'reversal', id: ids[place + 1] }] : []);
    }
    const [fresh] = await reversalsOf('acct_a', 1);
    expect(await steps.claimReversal(fresh!)).toMatchObject({ kind: 'claimed' });
  });
  /** The claim that the last line took, answered as short. */
  const answerHeld = async (id: ReversalId) => {
    const { runner } = await steps.row<{ runner: string }>('reversals', id);
    await steps.attempt(await steps.holdReversal(id, runner), SHORT, { provedAbsent: true });
  };

  it('stops going on when the balance is too low again, and waits longer each time, an hour at most', async () => {
    const ids = await reversalsOf('acct_a', 2);
    await short(ids[0]!);
    await steps.claimReversal(ids[1]!);
    const waits: number[] = [];
    for (let probe = 0; probe < 9; probe += 1) {
      const claim = await steps.claimReversal(ids[0]!);
      if (claim.kind !== 'waiting_balance') throw new Error(claim.kind);
      waits.push(Math.round(claim.afterMs / MINUTE_MS));
      steps.pass(claim.afterMs + SECOND_MS);
      await short(ids[0]!);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(await statusOf(ids[1]!)).toBe('waiting_balance');
    expect(await steps.reversal(ids[0]!)).toMatchObject({ retryCount: 0, attention: null });
  });

  it('is not asked ever more seldom because many calls were on their way when the balance ended', async () => {
    const ids = await reversalsOf('acct_a', 6);
    const held = await Promise.all(ids.map((id) => steps.holdReversal(id)));
    for (const claim of held) await steps.attempt(claim, SHORT, { provedAbsent: true });
    const claim = await steps.claimReversal(ids[0]!);
    expect(claim.kind === 'waiting_balance' && claim.afterMs).toBeLessThanOrEqual(MINUTE_MS);
  });

  it('is asked at once when Stripe tells of money, for the oldest alone', async () => {
    const ids = await reversalsOf('acct_a', 3);
    await short(ids[0]!);
    for (const id of ids) await steps.claimReversal(id);
    expect(await test.ledger.balanceRose('acct_other')).toEqual([]);
    expect(await test.ledger.balanceRose('acct_a')).toEqual([{ kind: 'reversal', id: ids[0] }]);
    expect((await test.ledger.dueItems('reversal', 10)).map(({ id }) => id)).toEqual([ids[0]]);
    const claims = await Promise.all(ids.map((id) => steps.claimReversal(id)));
    expect(claims.map(({ kind }) => kind)).toEqual(['claimed', 'waiting_balance', 'waiting_balance']);
    expect(await test.ledger.balanceRose('acct_a')).toHaveLength(1);
  });

  it('waits in each currency by itself', async () => {
    const [usd] = await reversalsOf('acct_a', 1);
    const [eur] = await reversalsOf('acct_a', 1, 'EUR');
    await short(usd!);
    expect((await steps.reverse(eur!)).status).toBe('reversed');
  });

  it('holds up no other seller', async () => {
    const [mine] = await reversalsOf('acct_a', 1);
    const [others] = await reversalsOf('acct_b', 1);
    await short(mine!);
    expect((await steps.reverse(others!)).status).toBe('reversed');
  });

  it('is a question for a person after the horizon, and the next one asks then', async () => {
    const ids = await reversalsOf('acct_a', 2);
    await short(ids[0]!);
    await steps.claimReversal(ids[1]!);
    steps.pass(31 * 24 * HOUR_MS);
    const { started } = await short(ids[0]!);
    expect(started).toEqual([]);
    expect(await steps.reversal(ids[0]!)).toMatchObject({
      status: 'permanently_failed',
      certainty: 'absent',
      attention: { reason: 'balance_horizon' },
    });
    steps.pass(2 * MINUTE_MS);
    expect((await test.ledger.dueItems('reversal', 10)).map(({ id }) => id)).toEqual([ids[1]]);
    expect((await steps.reverse(ids[1]!)).status).toBe('reversed');
    // A person has another look at the first: it may ask at once.
    await steps.decide({ kind: 'reversal', itemId: ids[0]!, action: 'retry' });
    expect((await steps.reverse(ids[0]!)).status).toBe('reversed');
  });

  it.each([
    [
      'its refund failed',
      async (id: ReversalId) => void (await steps.refundSays((await steps.reversal(id)).refundId!, 'failed')),
    ],
    ['it is refused', async (id: ReversalId) => void (await steps.reverse(id, REFUSED, { provedAbsent: true }))],
  ])('is asked for the next one when the oldest is given up because %s', async (_, giveUp) => {
    const ids = await reversalsOf('acct_a', 2);
    await short(ids[0]!);
    await steps.claimReversal(ids[1]!);
    steps.pass(MINUTE_MS + SECOND_MS);
    await giveUp(ids[0]!);
    steps.pass(2 * MINUTE_MS);
    expect((await test.ledger.dueItems('reversal', 10)).map(({ id }) => id)).toEqual([ids[1]]);
    expect(await steps.claimReversal(ids[1]!)).toMatchObject({ kind: 'claimed' });
  });

  it('is not waited for on account of one that was given up', async () => {
    const ids = await reversalsOf('acct_a', 2);
    await short(ids[0]!);
    await steps.refundSays((await steps.reversal(ids[0]!)).refundId!, 'failed');
    expect(await steps.claimReversal(ids[1]!)).toMatchObject({ kind: 'claimed' });
  });

  it('is asked for the oldest also when that one came to wait last', async () => {
    const ids = await reversalsOf('acct_a', 2);
    await steps.reverse(ids[0]!, UNKNOWN);
    await short(ids[1]!);
    steps.pass(30 * SECOND_MS);
    const claim = await steps.claimReversal(ids[0]!);
    expect(claim).toMatchObject({ kind: 'waiting_balance' });
    expect(claim.kind === 'waiting_balance' && claim.afterMs).toBeLessThanOrEqual(MINUTE_MS);
    steps.pass(MINUTE_MS);
    expect(await steps.claimReversal(ids[1]!)).toMatchObject({ kind: 'waiting_balance' });
    expect(await steps.claimReversal(ids[0]!)).toMatchObject({ kind: 'claimed' });
  });

  it.each([
    ['turned away', THROTTLED, 0],
    ['not answered', UNKNOWN, 1],
  ] as const)('keeps waiting when the probe is %s', async (_, answer, retryCount) => {
    const ids = await reversalsOf('acct_a', 2);
    await short(ids[0]!);
    await steps.claimReversal(ids[1]!);
    steps.pass(MINUTE_MS + SECOND_MS);
    const { decision } = await steps.reverse(ids[0]!, answer);
    expect(await steps.reversal(ids[0]!)).toMatchObject({ status: 'waiting_balance', retryCount });
    expect(await steps.claimReversal(ids[0]!)).toMatchObject({ kind: 'waiting_balance' });
    expect(await steps.claimReversal(ids[1]!)).toMatchObject({ kind: 'waiting_balance' });
    steps.pass((decision.do === 'retry' ? decision.afterMs : 0) + SECOND_MS);
    expect((await steps.reverse(ids[0]!)).status).toBe('reversed');
  });

  it('is asked again when the process that probed died', async () => {
    const ids = await reversalsOf('acct_a', 2);
    await short(ids[0]!);
    await steps.claimReversal(ids[1]!);
    steps.pass(MINUTE_MS + SECOND_MS);
    await steps.leave(await steps.holdReversal(ids[0]!));
    expect(await steps.claimReversal(ids[1]!)).toMatchObject({ kind: 'waiting_balance' });
    steps.pass(2 * MINUTE_MS);
    expect((await test.ledger.dueItems('reversal', 10)).map(({ id }) => id)).toEqual([ids[0]]);
    expect(await steps.claimReversal(ids[0]!)).toMatchObject({ kind: 'claimed' });
  });

  it('is woken although another process claims the next reversal in this very moment', async () => {
    const ids = await reversalsOf('acct_a', 2);
    await short(ids[0]!);
    await steps.claimReversal(ids[1]!);
    steps.pass(MINUTE_MS + SECOND_MS);
    const probing = await steps.holdReversal(ids[0]!);
    await steps.leave(probing);
    // The claim of the second and the success of the first meet at the gate, in whichever order.
    const [early] = await Promise.all([steps.claimReversal(ids[1]!), steps.answered(probing, DONE)]);
    expect(early.kind === 'claimed' ? early : await steps.claimReversal(ids[1]!)).toMatchObject({ kind: 'claimed' });
  });
});

describe('Stripe that does not let us in', () => {
  it('is asked by one process at a time, and everything else waits', async () => {
    const ids = await reversalsOf('acct_a', 3);
    await steps.reverse(ids[0]!, LOCKED_OUT, { parks: 'stripe', detail: 'key revoked' });
    const parked = await Promise.all(ids.map((id) => steps.claimReversal(id)));
    expect(parked.map(({ kind }) => kind)).toEqual(['parked', 'parked', 'parked']);
    steps.pass(2 * SECOND_MS);
    const claims = await Promise.all(ids.map((id) => steps.claimReversal(id)));
    expect(claims.filter(({ kind }) => kind === 'probe')).toEqual([
      { kind: 'probe', provider: 'stripe', sellerAccount: 'acct_a' },
    ]);
    expect(claims.filter(({ kind }) => kind === 'parked')).toHaveLength(2);
  });

  it('is asked again after a process that asked has died, and less and less often while it refuses', async () => {
    const [id] = await reversalsOf('acct_a', 1);
    await steps.reverse(id!, LOCKED_OUT, { parks: 'stripe' });
    steps.pass(2 * SECOND_MS);
    expect(await steps.claimReversal(id!)).toMatchObject({ kind: 'probe' });
    expect(await steps.claimReversal(id!)).toMatchObject({ kind: 'parked' });
    steps.pass(31 * SECOND_MS);
    const waits: number[] = [];
    for (let probe = 0; probe < 8; probe += 1) {
      expect(await steps.claimReversal(id!)).toMatchObject({ kind: 'probe' });
      await test.ledger.parkProvider('stripe', 'still revoked');
      const claim = await steps.claimReversal(id!);
      if (claim.kind !== 'parked') throw new Error(claim.kind);
      waits.push(Math.round(claim.afterMs / SECOND_MS));
      steps.pass(claim.afterMs + SECOND_MS);
    }
    expect(waits).toEqual([2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it('parks everybody, a seller only himself, and nothing of either is counted', async () => {
    const [mine] = await reversalsOf('acct_a', 1);
    const [others] = await reversalsOf('acct_b', 1);
    await steps.reverse(mine!, LOCKED_OUT, { parks: 'seller', detail: 'access revoked' });
    expect(await steps.claimReversal(mine!)).toMatchObject({ kind: 'parked', why: 'stripe:acct_a is parked' });
    expect((await steps.reverse(others!)).status).toBe('reversed');
    await test.ledger.parkProvider('stripe', 'revoked');
    const [third] = Object.values((await steps.paid({ acct_c: 5 })).transfers);
    expect(await steps.claimTransfer(third!)).toMatchObject({ kind: 'parked', why: 'stripe is parked' });
    await test.ledger.unparkProvider('stripe');
    expect(await steps.claimTransfer(third!)).toMatchObject({ kind: 'claimed' });
    await test.ledger.unparkProvider('stripe:acct_a');
    expect((await steps.reverse(mine!)).status).toBe('reversed');
    expect(await steps.reversal(mine!)).toMatchObject({ retryCount: 0 });
  });

  it('shows the sweep one item while it is parked, and everything when it lets us in again', async () => {
    const ids = await reversalsOf('acct_a', 3);
    await steps.reverse(ids[0]!, LOCKED_OUT, { parks: 'stripe' });
    expect(await test.ledger.dueItems('reversal', 10)).toHaveLength(0);
    steps.pass(2 * MINUTE_MS);
    expect(await test.ledger.dueItems('reversal', 10)).toHaveLength(1);
    await test.ledger.unparkProvider('stripe');
    expect((await test.ledger.dueItems('reversal', 10)).map(({ id }) => id).sort()).toEqual([...ids].sort());
  });

  it('never gets a call of another account or mode than the one that came first', async () => {
    const ours = { accountId: 'acct_platform', livemode: false };
    const first = await Promise.all([ours, ours, ours].map((account) => test.ledger.pinStripeAccount(account)));
    expect(first).toEqual([true, true, true]);
    expect(await test.ledger.pinStripeAccount({ ...ours, livemode: true })).toBe(false);
    expect(await test.ledger.pinStripeAccount({ ...ours, accountId: 'acct_other' })).toBe(false);
    expect(await test.ledger.pinStripeAccount(ours)).toBe(true);
  });
});
