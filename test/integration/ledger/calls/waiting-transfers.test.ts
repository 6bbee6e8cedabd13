import { describe, expect, it } from 'vitest';
import type { TransferId } from '../../../../src/domain/ids.js';
import { createPlatformQueue } from '../../../../src/ledger/calls/platform-queue.js';
import type { Database } from '../../../../src/ledger/database.js';
import { HOUR_MS, MINUTE_MS } from '../../../support/durations.js';
import { unique, withoutTriggers } from '../../../support/marketplace/fixtures.js';
import { paymentAt } from '../../../support/marketplace/hyperswitch-facts.js';
import { DONE, marketplaceLedgerForFile, type Paid, SHORT, UNKNOWN } from '../../../support/marketplace/steps.js';

const { test, steps } = await marketplaceLedgerForFile();

const NOT_ABLE = { kind: 'not_able' } as const;
const GONE = { kind: 'refused', why: 'gone' } as const;
const CANNOT = { state: 'waiting', reason: 'transfers_pending' } as const;
const ABLE = { state: 'able', reason: null } as const;

/** One seller's share of an order of its own. */
async function share(amount = 500, currency = 'USD') {
  const seller = unique('acct');
  const order = await steps.paid({ [seller]: amount }, currency);
  return { ...order, seller, transfer: order.transfers[seller]! };
}

async function refusedFor(answer: typeof SHORT | typeof NOT_ABLE | typeof GONE, amount?: number, currency?: string) {
  const one = await share(amount, currency);
  await steps.send(one.transfer, answer, { provedAbsent: true });
  return one;
}

/** The order is drawn from the buyer's own charge. */
async function charged({ paymentId, hyperswitchPaymentId }: Paid, amount = 500n): Promise<void> {
  await test.ledger.pinStripeAccount({ accountId: 'acct_platform', livemode: false });
  const intent = unique('pi');
  const facts = paymentAt({
    hyperswitchPaymentId,
    amount,
    currency: 'USD',
    connector: 'stripe',
    connectorTransactionId: intent,
  });
  await test.ledger.applyPayment({ paymentId, runner: null, facts });
  await test.ledger.noteCharge(paymentId, intent, {
    kind: 'charge',
    chargeId: 'ch_1',
    currency: 'USD',
    rate: null,
    livemode: false,
  });
}

/** DISPUTE_POLICY=hold, and its funds are out. */
async function disputed({ id, paymentId }: Paid): Promise<string> {
  const [row] = await test.database.query<{ id: string }>(
    `INSERT INTO disputes (id, order_id, payment_id, psp_account, provider_dispute_id, amount, currency, holds)
     VALUES (gen_random_uuid(), $1, $2, 'stripe', $3, 1, 'USD', true) RETURNING id`,
    [id, paymentId, unique('dp')],
  );
  return row!.id;
}
const disputeEnds = (id: string) => test.database.query('UPDATE disputes SET holds = false WHERE id = $1', [id]);
const questioned = ({ paymentId }: Paid) =>
  test.database.query(
    `UPDATE payments SET attention_reason = 'conflict', attention_since = clock_now(), attention_detail = 'x' WHERE id = $1`,
    [paymentId],
  );
const posts = async (id: TransferId) => (await steps.row<{ attempts: number }>('seller_transfers', id)).attempts;

describe('what is learned between a claim and its send', () => {
  it('a dispute that holds the order: nothing leaves, and what is unsent is held', async () => {
    const one = await share();
    const held = await steps.holdTransfer(one.transfer);
    const dispute = await disputed(one);
    expect(await steps.permit(held)).toMatchObject({ kind: 'stop' });
    expect(await steps.transfer(one.transfer)).toMatchObject({ status: 'held' });
    expect(await posts(one.transfer)).toBe(0);
    await disputeEnds(dispute);
    await steps.send(one.transfer);
    expect(await steps.transfer(one.transfer)).toMatchObject({ status: 'completed' });
  });

  it('what may have been sent before the dispute goes on under its key', async () => {
    const one = await share();
    await steps.send(one.transfer, UNKNOWN);
    steps.pass(HOUR_MS);
    const held = await steps.holdTransfer(one.transfer);
    await disputed(one);
    expect(await steps.permit(held)).toMatchObject({ kind: 'send', key: one.transfer });
  });

  it('a question whether the payment is there: nothing leaves', async () => {
    const one = await share();
    const held = await steps.holdTransfer(one.transfer);
    await questioned(one);
    expect(await steps.permit(held)).toMatchObject({ kind: 'stop' });
    expect(await posts(one.transfer)).toBe(0);
  });
});

describe('what was held', () => {
  it('waits for a seller who cannot receive when the dispute has ended', async () => {
    const one = await share();
    const dispute = await disputed(one);
    await steps.claimTransfer(one.transfer);
    expect(await steps.transfer(one.transfer)).toMatchObject({ status: 'held' });
    await test.ledger.sellerShows(one.seller, CANNOT);
    await disputeEnds(dispute);
    expect(await steps.claimTransfer(one.transfer)).toMatchObject({ kind: 'waiting' });
    expect(await steps.transfer(one.transfer)).toMatchObject({ status: 'waiting_seller' });
    await test.ledger.sellerShows(one.seller, ABLE);
    await steps.send(one.transfer);
  });
});

describe('a share that is drawn from the charge', () => {
  it('still is where Stripe could not be read before the next attempt', async () => {
    const one = await share();
    await charged(one);
    await steps.send(one.transfer, NOT_ABLE, { provedAbsent: true });
    await test.ledger.sellerShows(one.seller, CANNOT);
    await test.ledger.sellerShows(one.seller, ABLE);
    const held = await steps.holdTransfer(one.transfer);
    // The look before the send: a failure of Stripe's own.
    await test.ledger.recordTransfer({
      id: held.id,
      runner: held.runner,
      decision: { do: 'retry', certainty: 'absent', afterMs: 1_000, counts: true },
      detail: 'stripe 500',
      requestId: null,
      stripeId: null,
      source: 'answer',
      parks: null,
    });
    steps.pass(MINUTE_MS);
    const again = await steps.holdTransfer(one.transfer);
    await steps.noteAbsent(again);
    expect((await steps.leave(again)).params).toMatchObject({ source_transaction: 'ch_1' });
  });

  it('still is for a seller who was gone and is back', async () => {
    const one = await share();
    await charged(one);
    await steps.send(one.transfer, GONE, { provedAbsent: true });
    await test.ledger.sellerShows(one.seller, { state: 'gone', reason: 'deauthorised' });
    await test.ledger.sellerShows(one.seller, ABLE);
    const again = await steps.holdTransfer(one.transfer);
    await steps.noteAbsent(again);
    expect((await steps.leave(again)).params).toMatchObject({ source_transaction: 'ch_1' });
  });
});

/** One that comes to wait because others do. */
async function behind(amount: number, currency: string) {
  const one = await share(amount, currency);
  const held = await steps.holdTransfer(one.transfer);
  expect(await test.ledger.admitTransfer(held.id, held.runner)).toMatchObject({ afterMs: expect.any(Number) });
  return one;
}

/** The hourly look: whoever is to read does, and what is let go is sent as far as Stripe really lets it. */
async function anHour(currency: string, shown: bigint, spendable: () => bigint, spent: (amount: bigint) => void) {
  steps.pass(HOUR_MS + MINUTE_MS);
  const due = await test.ledger.dueItems('transfer', 1_000);
  for (const { id } of due) {
    const claim = await steps.claimTransfer(id as TransferId);
    if (claim.kind !== 'read') continue;
    const go = await test.ledger.balanceShows(new Map([[currency, shown]]), false);
    for (const item of go) {
      const next = await steps.claimTransfer(item.id as TransferId);
      if (next.kind !== 'claimed') continue;
      const fits = next.claim.amount <= spendable();
      if (fits) spent(next.claim.amount);
      await steps.attempt(next.claim, fits ? DONE : SHORT, fits ? {} : { provedAbsent: true });
    }
  }
}

describe('a balance of which Stripe lets us spend less than it shows', () => {
  it('is tried by another one each hour: a big one does not keep the small ones behind it from going', async () => {
    const big = await refusedFor(SHORT, 900, 'NOK');
    const small = await behind(300, 'NOK');
    const smaller = await behind(200, 'NOK');
    let left = 800n;
    for (let hours = 0; hours < 6; hours += 1)
      await anHour(
        'NOK',
        left + 200n,
        () => left,
        (amount) => {
          left -= amount;
        },
      );
    expect(await steps.transfer(big.transfer)).toMatchObject({ status: 'waiting_platform_balance', retryCount: 0 });
    for (const { transfer } of [small, smaller])
      expect(await steps.transfer(transfer)).toMatchObject({ status: 'completed' });
    expect(await posts(big.transfer)).toBeLessThanOrEqual(6);
  });
});

describe('a bulk retry of what waits', () => {
  it('is no burst: Stripe is asked once a minute at most, also where it refused what its balance shows', async () => {
    const first = await refusedFor(SHORT, 500, 'ISK');
    const waiting = [first];
    for (let nth = 0; nth < 5; nth += 1) waiting.push(await behind(500, 'ISK'));
    const shown = new Map([['ISK', 10_000n]]);
    let sent = 0;
    async function goAll(items: readonly { id: string }[]): Promise<void> {
      for (const { id } of items) {
        const claim = await steps.claimTransfer(id as TransferId);
        if (claim.kind !== 'claimed') continue;
        sent += 1;
        await steps.attempt(claim.claim, SHORT, { provedAbsent: true });
      }
    }
    await goAll(await test.ledger.balanceShows(shown, true));
    sent = 0;
    steps.pass(2 * MINUTE_MS);
    for (const { transfer } of waiting) {
      await steps.decide({ kind: 'transfer', itemId: transfer, action: 'retry' });
      const claim = await steps.claimTransfer(transfer);
      if (claim.kind === 'read') await goAll(await test.ledger.balanceShows(shown, false));
    }
    expect(sent).toBe(1);
  });
});

describe('the place in the balance of one that is not sent after all', () => {
  it('is free for others at once where its payment has become a question', async () => {
    const first = await refusedFor(SHORT, 500, 'SEK');
    const second = await behind(500, 'SEK');
    expect(await test.ledger.balanceShows(new Map([['SEK', 600n]]), true)).toEqual([
      { kind: 'transfer', id: first.transfer },
    ]);
    await questioned(first);
    const held = await steps.holdTransfer(first.transfer);
    await test.ledger.releaseTransfer(held.id, held.runner, HOUR_MS);
    steps.pass(2 * MINUTE_MS);
    expect(await steps.claimTransfer(second.transfer)).toMatchObject({ kind: 'read' });
    expect(await test.ledger.balanceShows(new Map([['SEK', 600n]]), false)).toEqual([
      { kind: 'transfer', id: second.transfer },
    ]);
  });

  it('is not even taken by one whose seller is parked, who asks whether that is over and waits anew then', async () => {
    const first = await refusedFor(SHORT, 500, 'DKK');
    const second = await behind(500, 'DKK');
    const shown = new Map([['DKK', 600n]]);
    await test.ledger.parkProvider(`stripe:${first.seller}`, 'no access');
    expect(await test.ledger.balanceShows(shown, true)).toEqual([{ kind: 'transfer', id: second.transfer }]);
    await steps.send(second.transfer);
    expect(await steps.claimTransfer(first.transfer)).toMatchObject({ kind: 'read' });
    expect(await test.ledger.balanceShows(shown, false)).toEqual([]);
    expect(await steps.claimTransfer(first.transfer)).toMatchObject({ kind: 'parked' });
    expect(await steps.transfer(first.transfer)).toMatchObject({ status: 'pending' });
    steps.pass(MINUTE_MS);
    expect(await steps.claimTransfer(first.transfer)).toMatchObject({ kind: 'probe' });
    await test.ledger.unparkProvider(`stripe:${first.seller}`);
    await steps.send(first.transfer);
  });

  it('is free for others where it was let go before its seller was parked', async () => {
    const first = await refusedFor(SHORT, 500, 'RON');
    const second = await behind(500, 'RON');
    const shown = new Map([['RON', 600n]]);
    await test.ledger.balanceShows(shown, true);
    await test.ledger.parkProvider(`stripe:${first.seller}`, 'no access');
    expect(await steps.claimTransfer(first.transfer)).toMatchObject({ kind: 'parked' });
    steps.pass(2 * MINUTE_MS);
    expect(await steps.claimTransfer(second.transfer)).toMatchObject({ kind: 'read' });
    expect(await test.ledger.balanceShows(shown, false)).toEqual([{ kind: 'transfer', id: second.transfer }]);
  });

  it('is free for others where it was refused because of its seller', async () => {
    const first = await refusedFor(SHORT, 500, 'PLN');
    const second = await behind(500, 'PLN');
    const shown = new Map([['PLN', 600n]]);
    await test.ledger.balanceShows(shown, true);
    await steps.send(first.transfer, NOT_ABLE, { provedAbsent: true });
    steps.pass(2 * MINUTE_MS);
    expect((await test.ledger.dueItems('transfer', 1_000)).map(({ id }) => id)).toContain(second.transfer);
    expect(await steps.claimTransfer(second.transfer)).toMatchObject({ kind: 'read' });
    expect(await test.ledger.balanceShows(shown, false)).toEqual([{ kind: 'transfer', id: second.transfer }]);
  });
});

describe('a seller who cannot receive', () => {
  it('is not taken for able because of what he received long ago', async () => {
    const one = await refusedFor(NOT_ABLE);
    const older = await steps.paid({ [one.seller]: 300 });
    await test.ledger.adoptTransfer(older.transfers[one.seller]!, unique('tr'));
    expect((await test.ledger.findSeller(one.seller))?.state).toBe('waiting');
    steps.pass(MINUTE_MS / 2);
    expect(await steps.claimTransfer(one.transfer)).not.toMatchObject({ kind: 'claimed' });
  });

  it('has his account read at once when he receives, and nothing else is sent before it was', async () => {
    const one = await refusedFor(NOT_ABLE);
    const left = await share();
    const before = await steps.paid({ [one.seller]: 300 });
    // It had left before anybody knew.
    await test.database.query(`UPDATE sellers SET state = 'able', reason = NULL WHERE account = $1`, [one.seller]);
    const held = await steps.holdTransfer(before.transfers[one.seller]!);
    await steps.leave(held);
    await test.ledger.sellerShows(one.seller, CANNOT);
    expect((await steps.answered(held, DONE)).started).toContainEqual({ kind: 'transfer', id: one.transfer });
    expect(await steps.claimTransfer(one.transfer)).toMatchObject({ kind: 'read', of: 'seller' });
    expect(await test.ledger.sellerShows(one.seller, ABLE)).toEqual([{ kind: 'transfer', id: one.transfer }]);
    await steps.send(one.transfer);
    await steps.send(left.transfer);
  });
});

describe('what is known of a seller', () => {
  it('lists what waits for the end of a dispute as well', async () => {
    const one = await share();
    await disputed(one);
    await steps.claimTransfer(one.transfer);
    expect(await test.ledger.findSeller(one.seller)).toMatchObject({
      transfers: [{ id: one.transfer, status: 'held' }],
      sums: [{ currency: 'USD', waiting: 500n, withPerson: 0n }],
    });
  });
});

/** Somebody has begun with the order of a transfer, a refund for example, and takes its transfers while `meanwhile` runs. */
async function orderTaken(id: TransferId, meanwhile: () => Promise<unknown>): Promise<void> {
  const order = `(SELECT order_id FROM seller_transfers WHERE id = $1)`;
  let running: Promise<unknown> = Promise.resolve();
  await test.database.transaction(async (query) => {
    await query(`SELECT 1 FROM orders WHERE id = ${order} FOR UPDATE`, [id]);
    running = meanwhile();
    const blocked = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    const ended = running.then(() => true);
    for (let over = false; !over && (await test.database.query(blocked)).length === 0; )
      over = await Promise.race([ended, test.database.query('SELECT 1').then(() => false)]);
    await query(`SELECT 1 FROM seller_transfers WHERE order_id = ${order} ORDER BY id FOR UPDATE`, [id]);
  });
  await running;
}

describe('whoever holds a queue waits for nobody’s order', () => {
  it('when Stripe refuses one of several that were let go', async () => {
    const oldest = await refusedFor(SHORT, 500, 'CZK');
    const refused = await behind(500, 'CZK');
    await test.ledger.balanceShows(new Map([['CZK', 2_000n]]), true);
    const held = await steps.holdTransfer(refused.transfer);
    await steps.leave(held);
    await orderTaken(oldest.transfer, () => steps.answered(held, SHORT, { provedAbsent: true }));
    expect(await steps.transfer(oldest.transfer)).toMatchObject({ status: 'waiting_platform_balance' });
    expect(
      (await steps.row<{ admitted_until: Date | null }>('seller_transfers', oldest.transfer)).admitted_until,
    ).toBeNull();
  });

  it('when a seller who was gone is waited for again', async () => {
    const one = await refusedFor(NOT_ABLE);
    await test.ledger.sellerShows(one.seller, { state: 'gone', reason: 'deauthorised' });
    await steps.claimTransfer(one.transfer);
    expect(await steps.transfer(one.transfer)).toMatchObject({ attention: { reason: 'seller_gone' } });
    steps.pass(MINUTE_MS);
    await orderTaken(one.transfer, () => test.ledger.sellerShows(one.seller, CANNOT));
    expect(await steps.transfer(one.transfer)).toMatchObject({ attention: null, status: 'waiting_seller' });
  });
});

/** The same ledger, by a database that counts what it is asked. */
function counting() {
  let statements = 0;
  const counted =
    (query: Database['query']): Database['query'] =>
    (...asked) => {
      statements += 1;
      return query(...asked);
    };
  const database: Database = {
    ...test.database,
    query: counted(test.database.query),
    transaction: (work) => test.database.transaction((query) => work(counted(query))),
  };
  return { queue: createPlatformQueue(database), statements: () => statements };
}

describe('five thousand transfers that wait', () => {
  const MANY = 5_000;

  it('are let go by as few statements as ten are', async () => {
    const one = await refusedFor(SHORT, 1, 'HUF');
    await withoutTriggers(test.database, (query) =>
      query(
        `INSERT INTO seller_transfers (id, order_id, seller_account, currency, promised, amount, status, idempotency_key,
           next_check_at, waiting_since, workflow_id)
         SELECT gen_random_uuid(), order_id, 'acct_' || n, currency, 1, 1, 'waiting_platform_balance', 'key ' || n,
           clock_now() + interval '1 day', clock_now(), 'w' FROM seller_transfers, generate_series(1, $2) n WHERE id = $1`,
        [one.transfer, MANY],
      ),
    );
    const ten = counting();
    expect(await ten.queue.balanceShows(new Map([['HUF', 10n]]), true)).toHaveLength(10);
    const thousand = counting();
    const go = await thousand.queue.balanceShows(new Map([['HUF', 1_000_000n]]), true);
    expect(go).toHaveLength(1_000);
    expect(thousand.statements()).toBe(ten.statements());
    const [told] = await test.database.query<{ told: number }>(
      `SELECT count(*)::int AS told FROM operation_events WHERE kind = 'balance_suffices' AND item_id = ANY ($1)`,
      [go.map(({ id }) => id)],
    );
    expect(told).toEqual({ told: 1_000 });
  });
});
