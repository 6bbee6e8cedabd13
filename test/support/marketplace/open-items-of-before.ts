import { newDecisionId, newReconciliationId } from '../../../src/domain/ids.js';
import type { Database } from '../../../src/ledger/database.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { imaginaryChannel, storeChannel } from '../channels/channel-rows.js';
import { aSession, aSettlement, atomic, type TestLedger } from '../ledger-fixtures.js';
import { putOrder, unique, withoutTriggers } from './fixtures.js';

type Place = Pick<TestLedger, 'database' | 'clock' | 'ledger'>;

/** Something open of every kind, in the schema that releases, other checkouts and contents of payouts came after. */
export type OpenItems = Awaited<ReturnType<typeof putOpenItems>>;

export async function putOpenItems(place: Place) {
  const { database, ledger, clock } = place;
  const run = newReconciliationId(clock.nowMs());
  await ledger.beginReconciliation({ id: run, requestedBy: 'olga', since: null });
  return {
    run,
    money: await openOrders(place),
    disputed: await disputed(place),
    charges: await openCharges(place),
    channel: await openChannel(database),
    told: await told(database),
    ...(await asked(place, run)),
    session: await openSession(ledger),
  };
}

/** Its answer got lost. */
const lost = (now: Date) => ({
  certainty: 'unknown',
  attempts: 1,
  params: '{"amount":300}',
  key_first_sent_at: now,
});

async function openOrders({ database, clock }: Place) {
  const now = new Date(clock.nowMs());
  const put = (order: Parameters<typeof putOrder>[1]) => putOrder({ database, clock }, order);
  const waits = { waiting_detail: 'too little', next_check_at: now };
  await database.query(`INSERT INTO platform_gates (currency, read_next_at) VALUES ('USD', clock_now())`);
  await database.query(
    `INSERT INTO sellers (account, state, reason, read_next_at) VALUES ('acct_new', 'waiting', 'transfers_pending', clock_now())`,
  );
  const unpaid = await put({ paid: 900n, status: 'pending', transfers: [] });
  await withoutTriggers(database, (query) =>
    query(
      `INSERT INTO order_items (order_id, position, seller_account, amount, description) VALUES ($1, 1, 'acct_q', 900, 'goods')`,
      [unpaid.id],
    ),
  );
  return {
    unpaid,
    doubted: await put({
      paid: 800n,
      status: 'pending',
      transfers: [],
      payment: {
        status: 'processing',
        columns: {
          certainty: 'done',
          attention_reason: 'unknown_status',
          attention_since: now,
          attention_detail: 'called in_limbo',
        },
      },
    }),
    unsent: await put({
      transfers: [
        { seller: 'acct_p', amount: 100, status: 'pending' },
        { seller: 'acct_f', amount: 200, status: 'failed' },
        { seller: 'acct_u', amount: 300, status: 'pending', columns: lost(now) },
        { seller: 'acct_b', amount: 400, status: 'waiting_platform_balance', columns: waits },
        { seller: 'acct_new', amount: 500, status: 'waiting_seller', columns: waits },
      ],
    }),
    refunding: await put({
      transfers: [{ seller: 'acct_r', amount: 1_000 }],
      refunds: [{ amount: 250, status: 'pending', columns: lost(now) }],
    }),
    reversing: await put({
      transfers: [
        { seller: 'acct_x', amount: 600 },
        { seller: 'acct_y', amount: 300 },
        { seller: 'acct_z', amount: 100 },
      ],
      refunds: [
        {
          reversals: [
            { transfer: 0, amount: 600 },
            { transfer: 1, amount: 300, status: 'waiting_balance' },
            { transfer: 2, amount: 100, status: 'permanently_failed' },
          ],
        },
      ],
    }),
    sent: await put({
      payment: { columns: { disputes_look_at: now } },
      transfers: [{ seller: 'acct_s', amount: 70, stripeTransferId: 'tr_of_before' }],
    }),
  };
}

/** Its funds are out: one seller gave his share back, of the other it is to be taken. */
async function disputed({ database, clock }: Place) {
  const order = await putOrder(
    { database, clock },
    {
      transfers: [
        { seller: 'acct_d', amount: 600 },
        { seller: 'acct_e', amount: 400 },
      ],
    },
  );
  const [row] = await withoutTriggers(database, (query) =>
    query<{ id: string }>(
      `WITH d AS (
         INSERT INTO disputes (id, order_id, payment_id, psp_account, provider_dispute_id, hyperswitch_dispute_id, named_by, amount, currency,
             status, funds, next_check_at)
           VALUES (new_uuid_v7(), $1, $2, 'stripe', $3, $3 || '_named', 'hyperswitch', 1000, 'USD', 'open', 'none', clock_now()) RETURNING id
       ) SELECT id FROM d`,
      [order.id, order.paymentId, unique('dp')],
    ),
  );
  return { order, dispute: row!.id };
}

async function openCharges({ ledger, database }: Place) {
  const made = [await ledger.createSettlement(aSettlement()), await ledger.createSettlement(aSettlement())];
  const ids = made.map((one) => {
    if (one.kind !== 'created') throw new Error(one.kind);
    return one.settlement.id;
  });
  await database.query('UPDATE settlements SET next_check_at = clock_now() WHERE id = ANY ($1)', [ids]);
  return ids;
}

/** A voucher was accepted for more than the chain has seen. */
async function openChannel(database: Database): Promise<string> {
  const channel = imaginaryChannel();
  await storeChannel(database, channel, { deposit: 1_000n, accepted: 100n, earned: 90n });
  await database.query('UPDATE channels SET next_check_at = clock_now() WHERE channel_id = $1', [
    channel.channelId.toLowerCase(),
  ]);
  return channel.channelId.toLowerCase();
}

/** A paid response of a server that died in the middle of it. */
async function openSession(ledger: Ledger) {
  const lease = await ledger.takeLease('before', 60_000);
  const session = aSession(lease);
  await ledger.openSession(session);
  return session.id;
}

/** Events that nobody has acted on, and payouts as they were known then. */
async function told(database: Database) {
  await database.query(
    `INSERT INTO payouts (external_payout_id, seller_account, amount, currency, status, arrival_at, failure_code)
     VALUES ('po_paid', 'acct_s', 70, 'USD', 'paid', clock_now(), NULL), ('po_failed', 'acct_r', 50, 'USD', 'failed', clock_now(), 'no_account')`,
  );
  await database.query(
    `INSERT INTO webhook_events (provider, event_id, type, object_id, account, body_sha256, next_check_at)
     VALUES ('stripe', 'evt_1', 'payout.paid', 'po_next', 'acct_s', 'x', clock_now()),
       ('hyperswitch', 'evt_2', 'payment_succeeded', 'pay_x', NULL, 'x', clock_now()),
       ('stripe', 'evt_3', 'balance.available', NULL, 'acct_s', 'x', clock_now())`,
  );
  return { payouts: ['po_failed', 'po_paid'], events: ['evt_1', 'evt_2', 'evt_3'] };
}

/** What waits for persons: a decision for the second of them, drift, and a notice of it. */
async function asked({ database, clock, ledger }: Place, run: string) {
  const charge = await ledger.createSettlement(
    aSettlement({ asset: 'QQQ', decimals: 2, spent: atomic(3_000_000), cap: null }),
  );
  if (charge.kind !== 'created') throw new Error(charge.kind);
  await withoutTriggers(database, (query) =>
    query(
      `UPDATE settlements SET status = 'needs_attention', attention_reason = 'approval_pending', attention_since = clock_now(),
         attention_detail = 'as a test has it' WHERE id = $1`,
      [charge.settlement.id],
    ),
  );
  const decision = newDecisionId(clock.nowMs());
  await database.query(
    `INSERT INTO decisions (id, item_kind, item_id, action, state, by, authenticated, note, asked_reason, rests_on, amount, currency)
     VALUES ($1, 'settlement', $2, 'write_off', 'pending_approval', 'olga', true, 'he is bankrupt', 'uncollectable', 'two', 3000000, 'qqq')`,
    [decision, charge.settlement.id],
  );
  const [drift] = await database.query<{ id: string }>(
    `INSERT INTO drifts (id, kind, provider, provider_id, ledger_says, provider_says, run_id, state, opened_at, amount, currency)
     VALUES (new_uuid_v7(), 'transfer_unknown', 'stripe', 'tr_nobodys', 'nothing', 'a transfer', $1, 'open', clock_now(), 5, 'USD') RETURNING id`,
    [run],
  );
  await ledger.noteWhoIsAsked(100);
  return { decision, decidedAbout: charge.settlement.id, drift: drift!.id };
}
