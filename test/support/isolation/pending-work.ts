import { randomUUID } from 'node:crypto';
import { privateKeyToAccount } from 'viem/accounts';
import { createCharges } from '../../../bench/charges.js';
import { refundKey } from '../../../src/domain/calls/idempotency-keys.js';
import { newOrderId, newPaymentId, newRefundId, type OrderId, type PaymentId } from '../../../src/domain/ids.js';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../../../src/providers/hyperswitch/ids.js';
import { captureOf, storeChannel } from '../channels/channel-rows.js';
import { chainClient, newAccount, openChannel, signVoucher } from '../channels/tempo-chain.js';
import type { Provider } from './provider-faults.js';
import { PAYEE_KEY, type Providers } from './providers.js';

/** One kind of unfinished work, each at one provider alone. */
export const WORK_KINDS = ['charge', 'capture', 'payment', 'refund', 'transfer', 'payout'] as const;
export type WorkKind = (typeof WORK_KINDS)[number];

export const PROVIDER_OF: Readonly<Record<WorkKind, Provider>> = {
  charge: 'auth server',
  capture: 'chain',
  payment: 'Hyperswitch',
  refund: 'Hyperswitch',
  transfer: 'Stripe',
  payout: 'Stripe',
};

interface Place {
  readonly table: string;
  readonly id: string;
  readonly done: string;
}
const PLACE_OF: Readonly<Record<WorkKind, Place>> = {
  charge: { table: 'settlements', id: 'id::text', done: `status = 'settled'` },
  capture: { table: 'settlements', id: 'id::text', done: `status = 'settled'` },
  payment: { table: 'payments', id: 'id::text', done: `status = 'succeeded'` },
  refund: { table: 'refunds', id: 'id::text', done: `status = 'succeeded'` },
  transfer: { table: 'seller_transfers', id: 'id::text', done: `status = 'completed'` },
  payout: { table: 'webhook_events', id: 'event_id', done: 'processed_at IS NOT NULL' },
};

/** What is there and due only when it is released. */
export interface PendingWork {
  prepare(kind: WorkKind, count: number): Promise<readonly string[]>;
  /** Due from now on, as something that nobody took further. */
  release(kind: WorkKind, ids: readonly string[]): Promise<void>;
  /** @returns those of them that are finished */
  finished(kind: WorkKind, ids: readonly string[]): Promise<readonly string[]>;
  /** Every open channel is due to be looked at, and to be read from the chain. */
  readChannelsNow(): Promise<void>;
}

const EARNED = 2_000n;
/** Less than what is earned, so that the channel goes on owing something and is watched. */
const CAPTURED = 1_000n;
const SELLER = 'acct_1Neighbour';

export async function createPendingWork(providers: Providers): Promise<PendingWork> {
  const { ledger, database, stripe, chain, calls, hyperswitchClient: hyperswitch } = providers;
  const charge = await createCharges();
  const payee = privateKeyToAccount(PAYEE_KEY).address;

  const request = async (operation: 'orders' | 'payments' | 'refunds') => {
    const given = { principal: 'till', operation, key: randomUUID(), bodySha256: 'one body' } as const;
    await ledger.beginRequest(given);
    return given;
  };
  const order = async (): Promise<OrderId> => {
    const items = [{ sellerAccount: SELLER, amount: 1_000n, description: 'a lamp' }];
    const id = newOrderId(Date.now());
    await ledger.createOrder({ id, currency: 'USD', items }, await request('orders'));
    return id;
  };
  const paymentOf = async (orderId: OrderId): Promise<PaymentId> => {
    const given = { id: newPaymentId(Date.now()), orderId, hyperswitchPaymentId: hyperswitchPaymentId(orderId) };
    await ledger.createPayment(given, await request('payments'));
    return given.id;
  };
  const hold = async (kind: WorkKind, condition: string, value: string): Promise<void> => {
    await database.query(
      `UPDATE ${PLACE_OF[kind].table} SET next_check_at = clock_now() + interval '1 day' WHERE ${condition} AND next_check_at IS NOT NULL`,
      [value],
    );
  };
  const held = async (kind: WorkKind, id: string): Promise<string> => {
    await hold(kind, `${PLACE_OF[kind].id} = $1`, id);
    return id;
  };

  const make: Readonly<Record<WorkKind, () => Promise<string>>> = {
    async charge() {
      const one = charge();
      await ledger.createSettlement(one);
      return await held('charge', one.id);
    },
    async capture() {
      const payer = chainClient(chain.url, newAccount());
      const channel = await openChannel(payer, { payee });
      await storeChannel(database, channel, { deposit: 1_000_000n, accepted: EARNED, earned: EARNED });
      const signature = await signVoucher(payer, channel.channelId, CAPTURED);
      const amounts = { kind: 'settle', cumulative: CAPTURED, capture: CAPTURED, newly: CAPTURED, signature } as const;
      const opened = await ledger.openCapture(captureOf(channel, amounts));
      if (opened.kind !== 'opened') throw new Error(`a capture of a fresh channel was answered with ${opened.kind}`);
      return await held('capture', opened.id);
    },
    payment: async () => await held('payment', await paymentOf(await order())),
    async refund() {
      const orderId = await order();
      const step = await calls.advancePayment(await paymentOf(orderId));
      if (step.kind !== 'final') throw new Error(`an order could not be paid: ${JSON.stringify(step)}`);
      const id = newRefundId(Date.now());
      const given = { id, orderId, amount: 100n, reason: 'requested_by_customer' };
      await ledger.createRefund(
        { ...given, hyperswitchRefundId: hyperswitchRefundId(refundKey(id)) },
        await request('refunds'),
      );
      return await held('refund', id);
    },
    /** Paid at Hyperswitch past the worker, which would send the share at once. */
    async transfer() {
      const orderId = await order();
      const paymentId = await paymentOf(orderId);
      const metadata = { order_id: orderId, payment_id: paymentId };
      const paid = await hyperswitch.createPayment(orderId, { amount: 1_000n, currency: 'USD', metadata });
      if (paid.kind !== 'done') throw new Error(`an order could not be paid: ${paid.detail}`);
      await ledger.applyPayment({ paymentId, runner: null, facts: paid.value });
      await hold('transfer', 'order_id = $1', orderId);
      const [transfer] = (await ledger.findOrder(orderId))?.transfers ?? [];
      if (!transfer) throw new Error('a paid order has no transfer');
      return transfer.id;
    },
    async payout() {
      const { id } = await stripe.createPayout({ account: SELLER, amount: 1, currency: 'usd', status: 'paid' });
      const eventId = `evt_${randomUUID()}`;
      const event = { type: 'payout.paid', objectId: id, parentId: null, account: SELLER, bodySha256: 'one body' };
      await ledger.storeWebhook({ provider: 'stripe', eventId, ...event });
      return await held('payout', eventId);
    },
  };
  await stripe.setBalance({ account: SELLER, currency: 'usd', available: 1_000_000_000 });

  return {
    async prepare(kind, count) {
      const ids: string[] = [];
      for (let nth = 0; nth < count; nth += 1) ids.push(await make[kind]());
      return ids;
    },
    async release(kind, ids) {
      const { table, id } = PLACE_OF[kind];
      await database.query(
        `UPDATE ${table} SET next_check_at = clock_now() WHERE ${id} = ANY ($1) AND next_check_at IS NOT NULL`,
        [ids],
      );
    },
    async finished(kind, ids) {
      const { table, id, done } = PLACE_OF[kind];
      const rows = await database.query<{ id: string }>(
        `SELECT ${id} AS id FROM ${table} WHERE ${id} = ANY ($1) AND ${done}`,
        [ids],
      );
      return rows.map((row) => row.id);
    },
    async readChannelsNow() {
      await database.query(
        `UPDATE channels SET chain_read_at = clock_now() - interval '10 minutes', chain_asked_at = NULL,
           next_check_at = clock_now() WHERE NOT finalized`,
      );
    },
  };
}
