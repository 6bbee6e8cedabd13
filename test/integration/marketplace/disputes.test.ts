import { afterEach, describe, expect, it } from 'vitest';
import type { OrderId } from '../../../src/domain/ids.js';
import { HOUR_MS } from '../../support/durations.js';
import type { DisputeWorld, DisputeWorldOptions } from '../../support/marketplace/dispute-world.js';
import { ADA, BOB, type TwoSellers, twoSellersPaid, twoSellersSold } from '../../support/marketplace/two-sellers.js';

/** Sellers' shares follow the funds of a dispute, as Stripe's own record of what it moved has them. */

let two: TwoSellers;
let world: DisputeWorld;
afterEach(() => world.close());

const begun = async (opened: Promise<TwoSellers>): Promise<OrderId> => {
  two = await opened;
  world = two.world;
  return two.order;
};
const sold = (rules?: DisputeWorldOptions) => begun(twoSellersSold(rules));
const paid = (rules?: DisputeWorldOptions) => begun(twoSellersPaid(rules));

describe('a chargeback', () => {
  it('takes every seller’s share when the funds are out, and gives it back by itself when they are back', async () => {
    const order = await sold();
    const dispute = await world.dispute(order, { fee: 1_500 });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect(await two.disputes()).toEqual(['open out 1000']);
    expect(await two.reversed()).toEqual(['600 reversed', '400 reversed']);
    expect(await two.balances()).toEqual([0n, 0n]);
    expect(await two.sharesOut()).toEqual([0n, 0n, 0n]);

    await world.move(dispute, { move: 'win' });
    await world.hyperswitchTells(order, dispute, 'dispute_won');
    await world.settle();
    expect(await two.disputes()).toEqual(['won back 0']);
    expect(await two.compensations()).toEqual([`400 completed ${BOB}`, `600 completed ${ADA}`]);
    expect(await two.balances()).toEqual([600n, 400n]);
    expect(await two.sharesOut()).toEqual([600n, 400n, 0n]);
    expect(await world.openEvents()).toBe(0);
  });

  it('of a part takes parts, and coming back in part restores parts', async () => {
    const order = await sold();
    const dispute = await world.dispute(order, { amount: 500 });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect(await two.balances()).toEqual([300n, 200n]);
    await world.move(dispute, { move: 'reinstate', amount: 200 });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect(await two.disputes()).toEqual(['open out 300']);
    expect(await two.balances()).toEqual([420n, 280n]);
    await world.move(dispute, { move: 'lose' });
    await world.hyperswitchTells(order, dispute, 'dispute_cancelled');
    await world.settle();
    expect(await two.disputes()).toEqual(['lost out 300']);
    expect(await two.balances()).toEqual([420n, 280n]);
  });

  it('that goes out again takes again, and what is told late, twice or out of order changes nothing', async () => {
    const order = await sold();
    const dispute = await world.dispute(order);
    await world.move(dispute, { move: 'win' });
    await world.move(dispute, { move: 'lose' });
    for (const type of ['dispute_won', 'dispute_opened', 'dispute_lost', 'dispute_won', 'dispute_cancelled'])
      await world.hyperswitchTells(order, dispute, type);
    await world.stripeTells('charge.dispute.funds_reinstated', dispute.atProcessor);
    await world.settle();
    expect(await two.disputes()).toEqual(['lost out 1000']);
    expect(await two.balances()).toEqual([0n, 0n]);
    expect(await two.compensations()).toEqual([]);
  });

  it('and a refund of one charge never take a share twice', async () => {
    const order = await sold();
    await world.refund(order, 500n);
    await world.settle();
    const dispute = await world.dispute(order, { amount: 500 });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect(await two.balances()).toEqual([0n, 0n]);
    const { reversals } = await world.find(order);
    expect(reversals.reduce((sum, { amount }) => sum + amount, 0n)).toBe(1_000n);
  });

  it('restores its own part by itself, and leaves that of a refund that failed meanwhile to two persons', async () => {
    const order = await sold();
    const refund = await world.refund(order, 500n);
    const dispute = await world.dispute(order, { amount: 500 });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect(await two.balances()).toEqual([0n, 0n]);
    await world.failRefund(refund);
    await world.move(dispute, { move: 'win' });
    await world.hyperswitchTells(order, dispute, 'dispute_won');
    await world.settle();
    expect(await two.balances()).toEqual([300n, 200n]);
    expect((await world.find(order)).refunds).toMatchObject([
      {
        attention: {
          reason: 'refund_failed_after_reversal',
          detail: expect.stringMatching(/300 USD to .*200 USD/) as string,
        },
      },
    ]);
    expect(await world.decide('refund', refund, 'compensate')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await two.balances()).toEqual([600n, 400n]);
  });

  it('restores nothing by itself of what a refund took that failed before the funds went out', async () => {
    const order = await sold();
    const refund = await world.refund(order, 500n);
    await world.settle();
    await world.failRefund(refund);
    const dispute = await world.dispute(order, { amount: 500 });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect(await two.balances()).toEqual([300n, 200n]);
    await world.move(dispute, { move: 'win' });
    await world.hyperswitchTells(order, dispute, 'dispute_won');
    await world.settle();
    expect(await two.balances()).toEqual([300n, 200n]);
    expect((await world.find(order)).refunds).toMatchObject([
      { attention: { reason: 'refund_failed_after_reversal' } },
    ]);
  });

  it('before anything was sent withholds it, and promises it again when it is back', async () => {
    const order = await paid();
    const dispute = await world.dispute(order, { amount: 500 });
    await world.hyperswitchTells(order, dispute);
    await world.settle(['dispute']);
    expect((await world.find(order)).transfers.map(({ amount }) => amount)).toEqual([300n, 200n]);
    await world.move(dispute, { move: 'win' });
    await world.hyperswitchTells(order, dispute, 'dispute_won');
    await world.settle();
    expect((await world.find(order)).transfers.map(({ amount, status }) => `${amount} ${status}`)).toEqual([
      '600 completed',
      '400 completed',
    ]);
    expect(await two.balances()).toEqual([600n, 400n]);
  });

  it('of all before anything was sent ends the transfers, and is restored by new ones', async () => {
    const order = await paid();
    const dispute = await world.dispute(order);
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect((await world.find(order)).transfers.map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
    await world.move(dispute, { move: 'win' });
    await world.hyperswitchTells(order, dispute, 'dispute_won');
    await world.settle();
    expect(await two.balances()).toEqual([600n, 400n]);
  });

  it('whose funds are back before the reversal is sent takes nothing', async () => {
    const order = await sold();
    const dispute = await world.dispute(order);
    await world.hyperswitchTells(order, dispute);
    await world.settle(['dispute']);
    await world.move(dispute, { move: 'win' });
    await world.settle(['transfer', 'reversal']);
    expect(await two.balances()).toEqual([600n, 400n]);
    expect(await two.reversed()).toEqual(['600 written_off', '400 written_off']);
    expect(await two.compensations()).toEqual([]);
    expect(await two.disputes()).toEqual(['won back 0']);
  });

  it('charges its fee once, as long as any of it is out', async () => {
    const order = await sold({ fees: new Map([['USD', 100n]]) });
    const dispute = await world.dispute(order, { amount: 500 });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect(await two.balances()).toEqual([240n, 160n]);
    await world.move(dispute, { move: 'reinstate', amount: 200 });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect(await two.balances()).toEqual([360n, 240n]);
    await world.move(dispute, { move: 'win' });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect(await two.balances()).toEqual([600n, 400n]);
  });

  it('charges its fee to the sellers where the setting says so, and gives that back too', async () => {
    const order = await sold({ fees: new Map([['USD', 50n]]) });
    const dispute = await world.dispute(order, { amount: 500 });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect(await two.balances()).toEqual([270n, 180n]);
    expect(await two.sharesOut()).toEqual([270n, 180n, 50n]);
    await world.move(dispute, { move: 'win' });
    await world.hyperswitchTells(order, dispute, 'dispute_won');
    await world.settle();
    expect(await two.balances()).toEqual([600n, 400n]);
  });
});

describe('an inquiry', () => {
  it('takes nothing, also when it is closed, and is a chargeback once it is escalated', async () => {
    const order = await sold();
    const dispute = await world.dispute(order, { inquiry: true });
    await world.hyperswitchTells(order, dispute, 'dispute_opened');
    await world.settle();
    expect(await two.disputes()).toEqual(['inquiry none 0']);
    await world.move(dispute, { move: 'escalate' });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect(await two.disputes()).toEqual(['open out 1000']);
    expect(await two.balances()).toEqual([0n, 0n]);
  });

  it('that is closed leaves everything as it is, although Hyperswitch calls that cancelled', async () => {
    const order = await sold();
    const dispute = await world.dispute(order, { inquiry: true });
    await world.move(dispute, { move: 'close_inquiry' });
    await world.hyperswitchTells(order, dispute, 'dispute_cancelled');
    await world.settle();
    expect(await two.disputes()).toEqual(['cancelled none 0']);
    expect(await two.balances()).toEqual([600n, 400n]);
  });
});

describe('DISPUTE_POLICY', () => {
  it('wait does nothing until it is lost; meanwhile the platform bears it', async () => {
    const order = await sold({ policy: 'wait' });
    const dispute = await world.dispute(order);
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect(await two.balances()).toEqual([600n, 400n]);
    expect((await world.find(order)).disputes).toMatchObject([{ funds: 'out', out: 1_000n, borneByPlatform: 1_000n }]);
    expect(await two.sharesOut()).toEqual([600n, 400n, -1_000n]);
    await world.move(dispute, { move: 'lose' });
    await world.hyperswitchTells(order, dispute, 'dispute_cancelled');
    await world.settle();
    expect(await two.balances()).toEqual([0n, 0n]);
    expect((await world.find(order)).disputes).toMatchObject([{ status: 'lost', borneByPlatform: 0n }]);
    expect(await two.sharesOut()).toEqual([0n, 0n, 0n]);
  });

  it('wait leaves with the platform what is left of funds that came back in part', async () => {
    const order = await sold({ policy: 'wait' });
    const dispute = await world.dispute(order, { amount: 500 });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    await world.move(dispute, { move: 'reinstate', amount: 200 });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect((await world.find(order)).disputes).toMatchObject([{ out: 300n, borneByPlatform: 300n }]);
    expect(await two.balances()).toEqual([600n, 400n]);
  });

  it('wait restores nothing of what it never took', async () => {
    const order = await sold({ policy: 'wait' });
    const dispute = await world.dispute(order);
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    await world.move(dispute, { move: 'win' });
    await world.hyperswitchTells(order, dispute, 'dispute_won');
    await world.settle();
    expect(await two.compensations()).toEqual([]);
    expect(await two.balances()).toEqual([600n, 400n]);
    expect(await two.sharesOut()).toEqual([600n, 400n, 0n]);
  });
});

describe('DISPUTE_POLICY=hold', () => {
  const statuses = async (order: OrderId) => (await world.find(order)).transfers.map(({ status }) => status);
  async function heldOrder(): Promise<{ order: OrderId; dispute: { id: string } }> {
    const order = await paid({ policy: 'hold' });
    const dispute = await world.dispute(order, { amount: 500 });
    await world.hyperswitchTells(order, dispute);
    await world.settle(['dispute']);
    return { order, dispute };
  }

  it('keeps what is not sent yet while nobody knows whose the funds are, and sends it when they are back', async () => {
    const { order, dispute } = await heldOrder();
    expect(await statuses(order)).toEqual(['held', 'held']);
    world.clock.advance(48 * HOUR_MS);
    await world.settle();
    expect(await statuses(order)).toEqual(['held', 'held']);
    expect(await two.balances()).toEqual([0n, 0n]);
    await world.move(dispute, { move: 'win' });
    await world.hyperswitchTells(order, dispute, 'dispute_won');
    await world.settle();
    expect(await two.balances()).toEqual([600n, 400n]);
  });

  it('sends what is left when it is lost', async () => {
    const { order, dispute } = await heldOrder();
    await world.move(dispute, { move: 'lose' });
    await world.hyperswitchTells(order, dispute, 'dispute_cancelled');
    await world.settle();
    expect(await two.balances()).toEqual([300n, 200n]);
    expect((await world.find(order)).reversals).toEqual([]);
  });

  it('sends all when it is won, also where a part of the funds stays out: that is the platform’s', async () => {
    const { dispute, order } = await heldOrder();
    await world.move(dispute, { move: 'win' });
    await world.move(dispute, { move: 'withdraw', amount: 200 });
    await world.hyperswitchTells(order, dispute, 'dispute_won');
    await world.settle();
    expect(await two.disputes()).toEqual(['won out 200']);
    expect(await two.balances()).toEqual([600n, 400n]);
    expect(await two.sharesOut()).toEqual([600n, 400n, -200n]);
  });

  it('takes nothing of what was sent until it is lost', async () => {
    const order = await sold({ policy: 'hold' });
    const dispute = await world.dispute(order);
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect(await two.balances()).toEqual([600n, 400n]);
    await world.move(dispute, { move: 'lose' });
    await world.hyperswitchTells(order, dispute, 'dispute_cancelled');
    await world.settle();
    expect(await two.balances()).toEqual([0n, 0n]);
  });
});

describe('what nobody tells of', () => {
  it('is found by looking at the payment, a chargeback that Hyperswitch heard of', async () => {
    const order = await sold();
    await world.dispute(order);
    world.clock.advance(2 * HOUR_MS);
    for (const payment of await world.ledger.duePaymentSearches(10)) await world.calls.searchPayment(payment);
    await world.settle();
    expect(await two.balances()).toEqual([0n, 0n]);
    expect(await world.ledger.duePaymentSearches(10)).toEqual([]);
  });

  it('takes nothing while Stripe alone holds it, and asks a person after an hour', async () => {
    const order = await sold();
    const dispute = await world.dispute(order, { events: [] });
    const payment = (await world.find(order)).payment!.id;
    const pi = (await world.ledger.paymentToSearch(payment))!.connectorTransactionId!;
    await world.stripeTells('charge.dispute.funds_withdrawn', dispute.atProcessor, pi);
    await world.settle();
    expect((await world.find(order)).disputes).toMatchObject([{ namedBy: null, attention: null, out: 0n }]);
    expect(await two.balances()).toEqual([600n, 400n]);
    world.clock.advance(2 * HOUR_MS);
    await world.settle();
    expect((await world.find(order)).disputes).toMatchObject([{ attention: { reason: 'dispute' } }]);
    const [found] = (await world.find(order)).disputes;
    expect(await world.decide('dispute', found!.id, 'adopt')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await two.balances()).toEqual([0n, 0n]);
    expect((await world.find(order)).disputes).toMatchObject([{ namedBy: 'decision', attention: null, out: 1_000n }]);
  });

  it('is one dispute when Hyperswitch names it later', async () => {
    const order = await sold();
    const dispute = await world.dispute(order, { events: [] });
    const payment = (await world.find(order)).payment!.id;
    const pi = (await world.ledger.paymentToSearch(payment))!.connectorTransactionId!;
    await world.stripeTells('charge.dispute.created', dispute.atProcessor, pi);
    await world.move(dispute, { events: ['charge.dispute.created', 'charge.dispute.funds_withdrawn'] });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect((await world.find(order)).disputes).toMatchObject([{ namedBy: 'hyperswitch', out: 1_000n }]);
    expect(await two.balances()).toEqual([0n, 0n]);
  });
});

describe('a dispute of another processor', () => {
  it('asks where its funds are, and shares follow what persons say', async () => {
    const order = await sold({ elsewhere: true });
    const dispute = await world.dispute(order);
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    const [found] = (await world.find(order)).disputes;
    const id = found!.id;
    expect(found).toMatchObject({ attention: { reason: 'dispute' }, funds: 'none' });
    expect(await two.balances()).toEqual([600n, 400n]);
    expect(await world.decide('dispute', id, 'funds_out', { amount: '500' })).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await two.balances()).toEqual([300n, 200n]);
    expect((await world.find(order)).disputes).toMatchObject([{ attention: null, funds: 'out', out: 500n }]);
    expect(await world.decide('dispute', id, 'funds_back')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await two.balances()).toEqual([600n, 400n]);
  });

  it('stays what was read of it where its record cannot be found any more, and a person is asked', async () => {
    const order = await sold();
    const dispute = await world.dispute(order, { amount: 500 });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    world.atStripe.setFaults([{ kinds: ['refused'], on: ['disputes.read'], status: 404, code: 'resource_missing' }]);
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect((await world.find(order)).disputes).toMatchObject([
      { status: 'open', funds: 'out', out: 500n, attention: { reason: 'dispute' } },
    ]);
    expect(await two.balances()).toEqual([300n, 200n]);
  });

  it('asks nothing about an inquiry, and once for each thing it is called', async () => {
    const order = await sold({ elsewhere: true });
    const dispute = await world.dispute(order, { stage: 'pre_dispute', status: 'dispute_opened' });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    const asked = async () => (await world.find(order)).disputes[0]?.attention?.reason ?? null;
    expect(await asked()).toBeNull();
    await world.move(dispute, { stage: 'dispute', status: 'dispute_opened' });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect(await asked()).toBe('dispute');
    const id = (await world.find(order)).disputes[0]!.id;
    expect(await world.decide('dispute', id, 'write_off')).toMatchObject({ kind: 'applied' });
    world.clock.advance(24 * HOUR_MS);
    await world.settle();
    expect(await asked()).toBeNull();
    await world.move(dispute, { status: 'dispute_lost' });
    await world.hyperswitchTells(order, dispute);
    await world.settle();
    expect(await asked()).toBe('dispute');
  });
});
