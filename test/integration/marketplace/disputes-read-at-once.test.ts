import { afterEach, describe, expect, it } from 'vitest';
import { createDisputeFollow } from '../../../src/calls/marketplace/disputes/follow.js';
import type { ReadAnswer, StripeDispute } from '../../../src/domain/calls/provider-answers.js';
import type { DisputeId, OrderId } from '../../../src/domain/ids.js';
import type { DisputePolicy } from '../../../src/domain/marketplace/disputes.js';
import { HOUR_MS } from '../../support/durations.js';
import type { DisputeWorld } from '../../support/marketplace/dispute-world.js';
import { type TwoSellers, twoSellersPaid, twoSellersSold } from '../../support/marketplace/two-sellers.js';

/** What tells of a dispute tells of it at once, over several connections, and each has it read. */

let two: TwoSellers;
let world: DisputeWorld;
afterEach(() => world.close());

const begun = async (opened: Promise<TwoSellers>): Promise<OrderId> => {
  two = await opened;
  world = two.world;
  return two.order;
};

describe.each<DisputePolicy>(['reverse', 'hold', 'wait'])('DISPUTE_POLICY=%s', (policy) => {
  it('everything told, read, searched, refunded and decided at once moves each cent once', async () => {
    const order = await begun(policy === 'hold' ? twoSellersPaid({ policy }) : twoSellersSold({ policy }));
    const { payment } = await world.find(order);
    const failing = await world.refundUnread(order, 300n);
    const standing = await world.refundUnread(order, 100n);
    const dispute = await world.dispute(order, { amount: 500 });
    const atOnce = (...more: readonly (() => Promise<unknown>)[]) =>
      Promise.all(
        [
          () => world.hyperswitchTells(order, dispute),
          () => world.hyperswitchTells(order, dispute, 'dispute_opened'),
          () => world.stripeTells('charge.dispute.created', dispute.atProcessor),
          () => world.stripeTells('charge.dispute.funds_withdrawn', dispute.atProcessor),
          () => world.calls.searchPayment(payment!.id),
          () => world.settle(),
          () => world.settle(),
          ...more,
        ].map((one) => one()),
      );
    const twice = (one: () => Promise<unknown>) => [one, one];

    await atOnce(...twice(() => world.calls.advanceRefund(failing)));
    await atOnce(...twice(() => world.calls.advanceRefund(standing)), () =>
      world.move(dispute, { move: 'reinstate', amount: 200 }),
    );
    await atOnce(
      () => world.move(dispute, { move: 'win' }),
      () => world.failRefund(failing),
    );
    world.clock.advance(3 * HOUR_MS);
    await atOnce();
    expect((await world.find(order)).refunds).toContainEqual(
      expect.objectContaining({ attention: expect.objectContaining({ reason: 'refund_failed_after_reversal' }) }),
    );
    await atOnce(...twice(() => world.decide('refund', failing, 'compensate')));
    world.clock.advance(3 * HOUR_MS);
    await world.settle();
    expect(await two.disputes()).toEqual(['won back 0']);
    expect(await two.balances()).toEqual([540n, 360n]);
    expect(await two.sharesOut()).toEqual([540n, 360n, 0n]);

    await atOnce(() => world.move(dispute, { move: 'lose' }));
    await atOnce();
    world.clock.advance(3 * HOUR_MS);
    await world.settle();
    expect(await two.disputes()).toEqual(['lost out 500']);
    expect(await two.balances()).toEqual([240n, 160n]);
    expect(await two.sharesOut()).toEqual([240n, 160n, 0n]);
  });
});

describe('an answer of Stripe that comes after a newer one was followed', () => {
  async function overtaken(id: DisputeId, meanwhile: () => Promise<unknown>): Promise<void> {
    const { atProcessor, read } = await recordOf(id);
    let isFirst = true;
    const { readDispute } = createDisputeFollow({
      ledger: world.ledger,
      hyperswitch: { readDispute: never, disputesOf: never, account: { profileMisfit: never, control: never } },
      wake: () => undefined,
      stripe: {
        async readDispute() {
          const answer = await read(atProcessor);
          if (isFirst) {
            isFirst = false;
            await meanwhile();
          }
          return answer;
        },
      },
    });
    expect(await readDispute(id)).toEqual({ kind: 'read' });
  }

  async function recordOf(id: DisputeId) {
    const { providerDisputeId: atProcessor } = (await world.ledger.disputeToFollow(id))!;
    return { atProcessor, read: (name: string): Promise<ReadAnswer<StripeDispute>> => world.readAtStripe(name) };
  }

  it('lets nothing go that is held, where the bank has taken the funds again meanwhile', async () => {
    const order = await begun(twoSellersPaid({ policy: 'hold' }));
    const dispute = await world.dispute(order, { amount: 500 });
    await world.hyperswitchTells(order, dispute);
    await world.move(dispute, { move: 'reinstate' });
    const [known] = (await world.find(order)).disputes;
    await overtaken(known!.id, async () => {
      await world.move(dispute, { move: 'withdraw' });
      await world.advance({ kind: 'dispute', id: known!.id });
    });
    await world.settle(['transfer']);
    expect(await two.disputes()).toEqual(['open out 500']);
    expect((await world.find(order)).transfers.map(({ status }) => status)).toEqual(['held', 'held']);
    expect(await two.balances()).toEqual([0n, 0n]);
  });

  it('holds nothing again, where the funds are back meanwhile', async () => {
    const order = await begun(twoSellersPaid({ policy: 'hold' }));
    const dispute = await world.dispute(order, { amount: 500 });
    await world.hyperswitchTells(order, dispute);
    const [known] = (await world.find(order)).disputes;
    await overtaken(known!.id, async () => {
      await world.move(dispute, { move: 'win' });
      await world.advance({ kind: 'dispute', id: known!.id });
    });
    await world.settle(['transfer']);
    expect(await two.disputes()).toEqual(['won back 0']);
    expect(await two.balances()).toEqual([600n, 400n]);
  });
});

const never = (): never => {
  throw new Error('nobody asks for this');
};
