import { beforeAll, describe, expect, it } from 'vitest';
import { TOKENS } from '../../support/api.js';
import { imaginaryChannel, storeChannel } from '../../support/channels/channel-rows.js';
import { consoleApiForFile } from '../../support/console-api.js';
import { aSettlement, atomic } from '../../support/ledger-fixtures.js';
import { forceColumns, type OrderPut, putOrder, unique } from '../../support/marketplace/fixtures.js';
import { STUCK } from '../../support/marketplace/stuck-reversals.js';

const test = await consoleApiForFile();
const { act, database, ledger, read } = test;

let order: OrderPut;
let reversal: string;
const settlement = aSettlement({ spent: atomic(7_000_000n), cap: atomic(7_000_000n) });
const unreadable = aSettlement({ undecodable: 'no json', body: null, spent: atomic(5_000n), asset: 'EURC' });

beforeAll(async () => {
  order = await putOrder(test, STUCK);
  reversal = order.reversals[1]?.id ?? '';
  await ledger.createSettlement(settlement);
  await ledger.createSettlement(unreadable);
});

describe('the overview', () => {
  it('has the sums of the ledger, in each currency and asset by itself', async () => {
    await putOrder(test, { ...STUCK, currency: 'JPY' });
    const { status, body } = await read('overview');
    expect(status).toBe(200);
    const rows = await database.query<{ kind: string; unit: string; count: number; amount: string }>(
      `SELECT 'reversal' AS kind, currency AS unit, count(*)::int AS count, sum(amount)::text AS amount FROM reversals
         WHERE attention_reason = 'retries_exhausted' GROUP BY 2
       UNION ALL SELECT 'settlement', asset, count(*)::int, sum(spent)::text FROM settlements
         WHERE attention_reason = 'credential_undecodable' GROUP BY 2 ORDER BY 1, 2`,
    );
    const told = body.needs_a_person.flatMap(
      ({ kind, amounts }: { kind: string; amounts: { unit: string; amount: string }[] }) =>
        amounts.map(({ unit, amount }) => ({ kind, unit, amount })),
    );
    expect(told).toEqual(rows.map(({ kind, unit, amount }) => ({ kind, unit, amount })));
    expect(body.needs_a_person).toMatchObject([
      {
        kind: 'reversal',
        reason: 'retries_exhausted',
        count: 2,
        runbook: 'docs/runbooks/reversal-permanently-failed.md',
      },
      {
        kind: 'settlement',
        reason: 'credential_undecodable',
        count: 1,
        amounts: [{ unit: 'EURC', decimals: 6, amount: '5000' }],
      },
    ]);
    expect(body.unsettled).toMatchObject([
      { protocol: 'x402', asset: 'EURC', amount: '5000', count: 1 },
      { protocol: 'x402', asset: 'USDC', amount: '7000000', decimals: 6, count: 1 },
    ]);
    expect(Date.parse(body.unsettled[0].oldest_at)).toBeLessThanOrEqual(Date.parse(body.at));
    const [open] = await database.query<{ amount: string }>(
      `SELECT sum(amount)::text AS amount FROM reversals WHERE status = 'permanently_failed' AND currency = 'JPY'`,
    );
    expect(body.marketplace).toContainEqual(
      expect.objectContaining({
        kind: 'reversal',
        status: 'permanently_failed',
        currency: 'JPY',
        amount: open?.amount,
      }),
    );
  });

  it('has each provider, also those of which nothing was ever told, and who paused one', async () => {
    await act('providers/stripe/pause', { note: 'they are moving house' });
    const { body } = await read('overview');
    const provider = (name: string) => body.providers.find((one: { provider: string }) => one.provider === name);
    expect(provider('stripe')).toMatchObject({
      state: 'open',
      reason: 'paused',
      paused_by: 'olga',
      paused_note: 'they are moving house',
      pausable: 'stripe',
      pace_per_second: 0,
      next_probe_at: null,
    });
    expect(provider('auth-server:x402')).toMatchObject({
      state: 'closed',
      pausable: 'auth-server',
      pace_per_second: null,
    });
    expect(body.providers.map((one: { provider: string }) => one.provider).sort()).toEqual(
      ['auth-server:atxp', 'auth-server:mpp', 'auth-server:x402', 'hyperswitch', 'stripe', 'tempo'].sort(),
    );
    await act('providers/stripe/resume', { note: 'they are there' });
  });

  it('draws how much was done and failed, and not what only waits, minute by minute, once for all servers', async () => {
    await Promise.all([ledger.sampleFigures(), ledger.sampleFigures()]);
    await database.query(
      `INSERT INTO operation_events (item_kind, item_id, kind, certainty, answer_class) VALUES
         ('transfer', 'a', 'answered', 'done', 'finish'), ('transfer', 'b', 'answered', 'done', NULL),
         ('transfer', 'c', 'answered', 'unknown', 'retry'), ('transfer', 'd', 'sent', 'in_flight', NULL),
         ('transfer', 'e', 'answered', 'not_sent', 'wait'), ('reversal', 'f', 'answered', 'absent', 'wait'),
         ('reversal', 'g', 'answered', 'not_sent', 'park'), ('settlement', 'h', 'answered', 'not_sent', 'stopped')`,
    );
    test.clock.advance(10 * 60_000);
    await ledger.sampleFigures();
    const { body } = await read('overview');
    const [first, last] = [body.series.points[0], body.series.points.at(-1)];
    expect([body.series.step_seconds, body.series.points.length]).toEqual([300, 2]);
    expect(first).toMatchObject({ done: 0, failed: 0 });
    expect(last).toMatchObject({ done: 2, failed: 1, needs_attention: 3 });
    const [{ backlog } = { backlog: 0 }] = await database.query<{ backlog: number }>(
      `SELECT backlog FROM figure_samples ORDER BY at DESC LIMIT 1`,
    );
    const figures = await ledger.figures();
    const counted = [...figures.unsettled, ...figures.marketplace.open].reduce((sum, { count }) => sum + count, 0);
    expect([last.backlog, backlog]).toEqual([counted, counted]);
  });
});

describe('search', () => {
  const found = async (q: string) => {
    const { status, body } = await read(`search?q=${encodeURIComponent(q)}`);
    expect(status).toBe(200);
    return body.results.map(({ kind, id, matched }: Record<string, string>) => [kind, id, matched]);
  };

  it('finds an item by every kind of name it has', async () => {
    const stripeId = order.transfers[0]?.stripeTransferId ?? '';
    const [requestId, txHash] = [unique('req'), `0x${'c'.repeat(64)}`];
    await forceColumns(database, 'reversals', reversal, { provider_request_id: requestId });
    await forceColumns(database, 'orders', order.id, { reference: 'shop order 17' });
    await database.query(
      `INSERT INTO operation_events (item_kind, item_id, kind, idempotency_key, detail) VALUES ('reversal', $1, 'answered', 'key:g1', $2)`,
      [reversal, { request_id: 'req_earlier' }],
    );
    await forceColumns(database, 'settlements', settlement.id, { tx_hash: txHash });
    const transfer = order.transfers[0]?.id;
    expect(await found(reversal)).toEqual([['reversal', reversal, 'id']]);
    expect(await found(` reversal/${reversal.toUpperCase()} `)).toEqual([['reversal', reversal, 'id']]);
    expect(await found(stripeId)).toEqual([['transfer', transfer, 'name']]);
    expect(await found(order.hyperswitchPaymentId)).toEqual([['payment', order.paymentId, 'name']]);
    expect(await found(order.refunds[0]?.hyperswitchRefundId ?? '')).toEqual([
      ['refund', order.refunds[0]?.id, 'name'],
    ]);
    expect(await found('shop order 17')).toEqual([['order', order.id, 'name']]);
    expect(await found(settlement.key)).toEqual([['settlement', settlement.id, 'name']]);
    expect(await found(settlement.payer ?? '')).toEqual([['settlement', settlement.id, 'shared name']]);
    expect(await found(txHash)).toEqual([['settlement', settlement.id, 'shared name']]);
    expect(await found(requestId)).toEqual([['reversal', reversal, 'shared name']]);
    expect(await found('req_earlier')).toEqual([['reversal', reversal, 'request id']]);
    expect(await found('key:g1')).toEqual([['reversal', reversal, 'idempotency key']]);
    expect(await found('acct_b')).toContainEqual(['reversal', reversal, 'shared name']);
    expect(await found('nothing has this name')).toEqual([]);
    expect(await found('   ')).toEqual([]);
  });

  it('finds a channel, an event with what it is about, and a decision with its item', async () => {
    const channel = imaginaryChannel();
    await storeChannel(database, channel, { deposit: 100n, accepted: 0n, earned: 0n });
    const id = channel.channelId.toLowerCase();
    expect(await found(id)).toEqual([['channel', id, 'id']]);
    await ledger.storeWebhook({
      provider: 'stripe',
      eventId: 'evt_found',
      type: 'transfer.reversed',
      objectId: order.transfers[0]?.stripeTransferId ?? null,
      parentId: null,
      account: null,
      bodySha256: 'x',
    });
    const about = [
      ['transfer', order.transfers[0]?.id, 'event'],
      ['webhook', 'stripe:evt_found', 'event'],
    ];
    expect(await found('evt_found')).toEqual(about);
    const { body } = await act(`settlements/${unreadable.id}/resolve`, { action: 'write_off', note: 'never was one' });
    expect(await found(body.decision_id)).toEqual([
      ['decision', body.decision_id, 'id'],
      ['settlement', unreadable.id, 'id'],
    ]);
  });

  it.each(["'; DROP TABLE orders; --", '%', '\\', '🙂'.repeat(70), '\u202Eabc'])('takes %s as a name', async (text) => {
    expect(await found(text)).toEqual([]);
  });

  it('refuses what is too long, and what is no text', async () => {
    expect((await read(`search?q=${'x'.repeat(301)}`)).status).toBe(400);
    expect((await read('search')).status).toBe(400);
    expect((await read('search?q=a%00b')).status).toBe(400);
  });
});

describe('an explanation', () => {
  it('has what can be decided, what that would do, and what is known here and at the provider', async () => {
    await database.query(
      `INSERT INTO operation_events (item_kind, item_id, kind, certainty, answer_class, detail) VALUES ('reversal', $1, 'answered', 'absent', 'ask', $2)`,
      [reversal, { detail: 'balance_insufficient', request_id: 'req_last' }],
    );
    const { status, body } = await read(`explanations/reversal/${reversal}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      kind: 'reversal',
      status: 'permanently_failed',
      certainty: 'absent',
      amount: '200 USD (minor units)',
      money: { with: ['seller'] },
      attention: { reason: 'retries_exhausted' },
      runbook: 'docs/runbooks/reversal-permanently-failed.md',
      waiting_decision: null,
      evidence: {
        ours: { status: 'permanently_failed', attempts: 1, generation: 1 },
        provider: { what: 'answered', answer: 'ask', request_id: 'req_last' },
        looked_at: expect.any(String),
      },
    });
    const actions = new Map(body.actions.map((one: { action: string }) => [one.action, one]));
    expect([...actions.keys()]).toEqual(['retry', 'adopt', 'write_off']);
    expect(actions.get('retry')).toMatchObject({
      effect: expect.stringContaining("looks at Stripe's records"),
      needs_second_person: false,
      command: `makegood resolve ${reversal} retry --note "…"`,
    });
    expect(actions.get('adopt')).toMatchObject({
      fields: [
        { name: 'note', required: true, evidence: false },
        { name: 'stripe_reversal_id', required: false, evidence: true },
        { name: 'amount', required: false, evidence: true },
        { name: 'reference', required: false, evidence: true },
      ],
    });
    const related = new Map(body.related.map((one: { kind: string; id: string }) => [`${one.kind}/${one.id}`, one]));
    expect(related.get(`order/${order.id}`)).toMatchObject({ relation: 'order', amount: '1000', currency: 'USD' });
    expect([...related.keys()].map(String).sort()).toEqual(
      [
        `order/${order.id}`,
        `payment/${order.paymentId}`,
        ...order.transfers.map(({ id }) => `transfer/${id}`),
        `refund/${order.refunds[0]?.id}`,
        `reversal/${order.reversals[0]?.id}`,
      ].sort(),
    );
  });

  it('names a decision that waits for another person, and offers none beside it', async () => {
    const big = aSettlement({
      undecodable: 'no',
      body: null,
      spent: atomic(9_000_000_000n),
      cap: atomic(9_000_000_000n),
    });
    await ledger.createSettlement(big);
    const before = await read(`explanations/settlement/${big.id}`);
    const writeOff = before.body.actions.find(({ action }: { action: string }) => action === 'write_off');
    expect(writeOff.needs_second_person).toBe(true);
    const asked = await act(`settlements/${big.id}/resolve`, { action: 'write_off', note: 'never was one' });
    expect(asked.status).toBe(202);
    const { body } = await read(`explanations/settlement/${big.id}`);
    expect(body.waiting_decision).toMatchObject({ id: asked.body.decision_id, action: 'write_off', by: 'olga' });
    expect(body.actions).toEqual([]);
  });

  it('of an order of which every part has ended says that it is finished', async () => {
    const { id } = await putOrder(test, {
      transfers: [{ amount: 600 }],
      refunds: [{ amount: 600, reversals: [{ transfer: 0, amount: 600, status: 'reversed' }] }],
    });
    const { body } = await read(`explanations/order/${id}`);
    expect([body.next, body.next_at]).toEqual(['nothing: it is finished', null]);
    expect(body.money.words).toMatch(/^buyer: 600, acct_a: 0, platform: -?\d+ \(minor units\)$/);
  });

  it('of an order has what each party has, to the cent, and its parts', async () => {
    const { body } = await read(`explanations/order/${order.id}`);
    const has = body.shares.map(({ party, account, has: amount }: Record<string, string>) => [
      account ?? party,
      amount,
    ]);
    expect(has).toEqual([
      ['buyer', '500'],
      ['acct_a', '300'],
      ['acct_b', '400'],
      ['platform', expect.stringMatching(/^-?\d+$/)],
    ]);
    expect(body.parts.length).toBe(6);
    expect(body.next).toContain(`reversal ${reversal}`);
  });

  it.each([
    ['settlement', '0197d7a4-6f00-7000-8000-000000000001'],
    ['order', 'x'],
    ['channel', `0x${'f'.repeat(64)}`],
    ['channel', '0xnothing'],
    ['seller', 'acct_a'],
    ['__proto__', 'x'],
    ['reversal', '..%2f..%2fetc'],
  ])('of %s %s is answered with 404', async (kind, id) => {
    for (const what of ['explanations', 'stories']) {
      const { status, body } = await read(`${what}/${kind}/${id}`);
      expect([status, body.code]).toEqual([404, 'not_found']);
    }
  });

  it('of an item is not given under another kind', async () => {
    expect((await read(`explanations/transfer/${reversal}`)).status).toBe(404);
  });
});

describe('a story', () => {
  it('has each attempt with its key and request, and of an order those of all its parts', async () => {
    const { body } = await read(`stories/reversal/${reversal}`);
    expect(body.events).toContainEqual(
      expect.objectContaining({
        item: `reversal/${reversal}`,
        kind: 'answered',
        request_id: 'req_last',
        answer: 'ask',
      }),
    );
    const ofOrder = await read(`stories/order/${order.id}`);
    expect(ofOrder.body.events.map(({ item }: { item: string }) => item)).toContain(`reversal/${reversal}`);
    const ofSettlement = await read(`stories/settlement/${settlement.id}`);
    expect([ofSettlement.status, ofSettlement.body.lookup]).toEqual([200, {}]);
    expect(ofSettlement.text).not.toContain(settlement.credential);
  });

  it('is read by whoever may read, and by nobody else', async () => {
    const { api } = test;
    const path = `/api/v1/stories/order/${order.id}`;
    expect((await api.send(path)).status).toBe(401);
    expect((await api.send(path, { token: TOKENS.service })).status).toBe(200);
  });
});
