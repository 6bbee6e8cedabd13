import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChannelId } from '../../../../src/domain/channels/channel.js';
import { createAtomicStore } from '../../../../src/ledger/channels/atomic-store.js';
import type { ChannelPayment } from '../../../../src/ledger/channels/channel-types.js';
import type { SessionChange } from '../../../../src/ledger/settlements/settlement-types.js';
import { type CaseCounts, createCaseCounts } from '../../../support/case-counts.js';
import {
  acceptingVoucher,
  channelState,
  paymentOf,
  someChannelId,
} from '../../../support/channels/channel-fixtures.js';
import { atomic, ledgerForFile } from '../../../support/ledger-fixtures.js';

const store = await ledgerForFile();
const lease = await store.ledger.takeLease('test', 3_600_000);

const DEPOSIT = 1_000n;

type Step =
  | { readonly do: 'reserve'; readonly cumulative: bigint; readonly amount: bigint }
  | { readonly do: 'hand in'; readonly cumulative: bigint }
  | { readonly do: 'checkpoint' | 'close'; readonly request: number; readonly share: number }
  | { readonly do: 'release'; readonly request: number };

const cumulative = fc.bigInt({ min: 1n, max: DEPOSIT + 50n });
/** Three are made in most stories: a change of one that is not there says nothing. */
const request = fc.nat({ max: 3 });
const share = fc.double({ min: 0, max: 1.2, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      cumulative,
      amount: fc.bigInt({ min: 1n, max: 300n }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hand in' as const), cumulative }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('checkpoint' as const, 'close' as const), request, share }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), request }) },
);

/** The rules of the ledger said a second time, in a few lines and without a database. */
class Model {
  accepted = 1n;
  readonly used = new Set<bigint>();
  readonly requests: { amount: bigint; spent: bigint; open: boolean }[] = [];

  get earned(): bigint {
    return this.requests.reduce((sum, { spent }) => sum + spent, 0n);
  }
  get spent(): bigint {
    return this.requests.reduce((sum, one) => sum + (one.open ? one.amount : one.spent), 0n);
  }
  reserve(by: bigint, amount: bigint): boolean {
    const accepted = by > this.accepted ? by : this.accepted;
    if (this.used.has(by) || accepted - this.spent < amount) return false;
    this.accepted = accepted;
    this.used.add(by);
    this.requests.push({ amount, spent: 0n, open: true });
    return true;
  }
}

const changeOf = ({ reservation }: ChannelPayment, kind: 'checkpoint' | 'close', spent: bigint): SessionChange => {
  if (reservation === null) throw new Error('it has no reservation');
  const { id, closeToken } = reservation;
  const common = { id, closeToken, lease, spent: atomic(spent) };
  return kind === 'checkpoint' ? { kind, ...common } : { kind, ...common, by: 'end', body: '', delivery: 'unknown' };
};

async function play(id: ChannelId, steps: readonly Step[], cases: CaseCounts): Promise<void> {
  const model = new Model();
  const payments: ChannelPayment[] = [];
  const { ledger } = store;
  for (const one of steps) {
    if (one.do === 'reserve' || one.do === 'hand in') {
      const amount = one.do === 'reserve' ? one.amount : null;
      const payment = paymentOf(id, one.cumulative, amount, lease);
      if (one.cumulative > DEPOSIT) {
        const paying = ledger.payFromChannel(payment, acceptingVoucher(id, one.cumulative));
        // What even the voucher does not cover is not written down, so no deposit is asked about.
        const covered = one.cumulative - model.spent >= (amount ?? 0n);
        if (covered) await expect(paying).rejects.toThrow('accepted_within_deposit');
        else expect((await paying).kind).toBe('insufficient');
        cases.count('above the deposit', covered);
      } else if (amount === null) {
        await ledger.payFromChannel(payment, acceptingVoucher(id, one.cumulative));
        if (one.cumulative > model.accepted) model.accepted = one.cumulative;
      } else {
        const { kind } = await ledger.payFromChannel(payment, acceptingVoucher(id, one.cumulative));
        expect(kind === 'paid').toBe(model.reserve(one.cumulative, amount));
        if (kind === 'paid') payments.push(payment);
        cases.count(kind === 'paid' ? 'paid' : 'refused');
      }
    } else {
      const [known, payment] = [model.requests[one.request], payments[one.request]];
      if (!known || !payment) continue;
      const spent = one.do === 'release' ? 0n : BigInt(Math.floor(Number(known.amount) * one.share));
      const fits = known.open && spent >= known.spent && spent <= known.amount;
      const kind = one.do === 'checkpoint' ? 'checkpoint' : 'close';
      const outcome = await ledger.commitChannelRequests([changeOf(payment, kind, spent)]).catch(() => ['refused']);
      expect(outcome[0] === 'committed').toBe(fits);
      if (fits) Object.assign(known, { spent, open: kind === 'checkpoint' });
      cases.count(fits ? one.do : 'changes that do not fit');
    }
    const channel = await ledger.findChannel(id);
    expect(channel).toMatchObject({ accepted: model.accepted, spent: model.spent, earned: model.earned });
    expect(model.earned <= model.spent && model.spent <= model.accepted && model.accepted <= DEPOSIT).toBe(true);
  }
}

describe('the arithmetic of a channel', () => {
  it('is that of its model after any order of reservations, checkpoints, charges and releases', async () => {
    const cases = createCaseCounts();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25, size: 'max' }), async (steps) => {
        const id = someChannelId();
        await createAtomicStore(store.database).put(id, channelState(id, { deposit: DEPOSIT }));
        await play(id, steps, cases);
      }),
      { numRuns: 40 },
    );
    cases.expectAtLeast({
      paid: 60,
      refused: 10,
      'above the deposit': 5,
      checkpoint: 3,
      close: 3,
      release: 3,
      'changes that do not fit': 3,
    });
  });

  it('loses and doubles nothing when closes and reservations of several channels come at once', async () => {
    const cases = createCaseCounts();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 10 }), { minLength: 10, maxLength: 30 }), async (shares) => {
        const ids = [someChannelId(), someChannelId(), someChannelId()];
        for (const id of ids)
          await createAtomicStore(store.database).put(id, channelState(id, { deposit: 1_000_000n }));
        const paid = await Promise.all(
          shares.map(async (tenths, n) => {
            const id = ids[n % 3] as ChannelId;
            const payment = paymentOf(id, BigInt(n + 1) * 10n, 10n, lease);
            const { kind } = await store.ledger.payFromChannel(payment, acceptingVoucher(id, BigInt(n + 1) * 10n));
            return { id, kind, payment, spent: BigInt(tenths) };
          }),
        );
        const open = paid.filter(({ kind }) => kind === 'paid');
        cases.count('paid', open.length);
        const halves = [open.filter((_, n) => n % 2 === 0), open.filter((_, n) => n % 2 === 1).toReversed()];
        await Promise.all(
          halves.map((half) =>
            store.ledger.commitChannelRequests(half.map(({ payment, spent }) => changeOf(payment, 'close', spent))),
          ),
        );
        for (const id of ids) {
          const earned = open.filter((one) => one.id === id).reduce((sum, { spent }) => sum + spent, 0n);
          expect(await store.ledger.findChannel(id)).toMatchObject({ earned, spent: earned });
        }
      }),
      { numRuns: 15 },
    );
    cases.expectAtLeast({ paid: 100 });
  });
});

describe('the database itself', () => {
  const row = async () => {
    const id = someChannelId();
    await createAtomicStore(store.database).put(id, channelState(id, { highestVoucherAmount: 100n }));
    return id;
  };

  it.each([
    ['spent above what was signed', 'spent = accepted + 1', 'spent_within_accepted'],
    ['signed above the deposit', 'accepted = deposit + 1', 'accepted_within_deposit'],
    ['earned above what was spent', 'earned = spent + 1', 'earned_within_spent'],
    ['captured above the deposit', 'settled = deposit + 1', 'settled_within_deposit'],
    ['a smaller deposit', 'deposit = deposit - 1', 'never shrink'],
    ['a lower voucher', 'accepted = accepted - 1', 'never shrink'],
    ['another payee', `payee = '0x${'d'.repeat(40)}'`, 'what its id is made of never changes'],
    ['a close voucher without a close', `close_cumulative = 1, close_signature = '0x'`, 'close_voucher_covers'],
  ])('refuses %s', async (_what, change, why) => {
    const id = await row();
    await expect(store.database.query(`UPDATE channels SET ${change} WHERE channel_id = $1`, [id])).rejects.toThrow(
      why,
    );
  });

  it('refuses a reservation on a channel that is closing, and a change of a request that is closed', async () => {
    const id = await row();
    const payment = paymentOf(id, 101n, 10n, lease);
    expect((await store.ledger.payFromChannel(payment, acceptingVoucher(id, 101n))).kind).toBe('paid');
    expect(await store.ledger.commitChannelRequests([changeOf(payment, 'close', 4n)])).toEqual(['committed']);
    const requestId = payment.reservation?.id;
    for (const [change, why] of [
      ['spent = 5', 'its amount is frozen'],
      [`status = 'reserved'`, 'its amount is frozen'],
      ['reserved = 11', 'its reservation never change'],
    ])
      await expect(
        store.database.query(`UPDATE channel_requests SET ${change} WHERE id = $1`, [requestId]),
      ).rejects.toThrow(why);
    await store.ledger.requestClose(payment.voucher, true, () => Promise.resolve(undefined));
    const later = await store.ledger.payFromChannel(paymentOf(id, 102n, 1n, lease), acceptingVoucher(id, 102n));
    expect(later.kind).toBe('gone');
    await expect(
      store.database.query(
        `INSERT INTO channel_requests SELECT gen_random_uuid(), channel_id, route, reserved, 0, 'reserved', lease_id, epoch,
           close_token, deadline FROM channel_requests WHERE id = $1`,
        [requestId],
      ),
    ).rejects.toThrow('pays for nothing any more');
  });
});
