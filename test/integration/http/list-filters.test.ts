import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fill } from '../../../bench/lists/fill.js';
import { listenTo } from '../../../bench/lists/plans.js';
import { listSamples } from '../../../bench/lists/samples.js';
import { systemClock } from '../../../src/domain/clock.js';
import { createDatabase } from '../../../src/ledger/database.js';
import { createLedger } from '../../../src/ledger/ledger.js';
import { createSealer } from '../../../src/ledger/sealer.js';
import { startApi, TOKENS } from '../../support/api.js';
import { consoleRoutes } from '../../support/console-routes.js';
import { createTestDatabase } from '../../support/database.js';
import { testKey } from '../../support/ledger-fixtures.js';

type Row = Readonly<Record<string, unknown>>;
type Holds = (row: Row, value: string) => boolean;

async function filledApi(size: { readonly settlements: number; readonly orders: number }) {
  const { url, drop } = await createTestDatabase();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await fill(client, size);
  const database = createDatabase({ url });
  const listening = listenTo(database);
  const ledger = createLedger({
    database: listening.database,
    sealer: createSealer([testKey()]),
    clock: systemClock,
    approvalThreshold: 10_000n,
  });
  const api = await startApi({ ledger, console: consoleRoutes({ ledger }) });
  const read = async (path: string) => {
    const { status, body, text } = await api.send(`/api/v1/${path}`, { token: TOKENS.viewer });
    expect([status, status === 200 ? '' : text]).toEqual([200, '']);
    return body as { items: { id: string }[]; next_cursor: string | null };
  };
  const close = async () => {
    await api.close();
    await database.close();
    await client.end();
    await drop();
  };
  return { client, listening, read, close };
}

const equals =
  (column: string): Holds =>
  (row, value) =>
    row[column] === value;
const oneOf =
  (column: string): Holds =>
  (row, value) =>
    (row[column] as readonly string[]).includes(value);

/** What all lists of money are filtered by, said as plainly as can be. */
const MONEY: Readonly<Record<string, Holds>> = {
  status: equals('status'),
  needs_attention: (row, value) => (row.attention_reason !== null) === (value === 'true'),
  reason: equals('attention_reason'),
  archived: (row, value) => isListed(row, [['archived', value]]),
  since: (row, value) => (row.created_at as Date).getTime() >= Date.parse(value),
  until: (row, value) => (row.created_at as Date).getTime() < Date.parse(value),
};
/** What is put aside is left out, unless it is asked for, or one thing by its name. */
const isListed = (row: Row, given: readonly (readonly [string, string])[]): boolean => {
  const asked = new Map(given);
  const aside = (row.archived_at ?? null) !== null;
  const wanted = asked.get('archived');
  return wanted === undefined ? !aside || asked.has('key') || asked.has('order_id') : aside === (wanted === 'true');
};
const OF_ORDERS: Readonly<Record<string, Holds>> = {
  ...MONEY,
  currency: equals('currency'),
  order_id: equals('order_id'),
  seller: oneOf('sellers'),
};
const keyed = (...columns: readonly string[]): Readonly<Record<string, Holds>> => ({
  ...OF_ORDERS,
  key: (row, value) =>
    columns.some((column) => row[column] === value) || (row.keys as readonly string[]).includes(value),
});

const SELLERS = (order: string) =>
  `(SELECT array_agg(seller_account) FROM seller_transfers s WHERE s.order_id = ${order}) AS sellers`;
const KEYS = (operation: string) =>
  `(SELECT coalesce(array_agg(key), '{}') FROM request_keys k WHERE k.operation = '${operation}' AND k.item_id = x.id) AS keys`;
const part = (table: string) => `SELECT x.*, ${SELLERS('x.order_id')}, ${KEYS(table)} FROM ${table} x ORDER BY id DESC`;

const LISTS: Readonly<Record<string, { readonly rows: string; readonly filters: Readonly<Record<string, Holds>> }>> = {
  settlements: {
    rows: 'SELECT * FROM settlements ORDER BY id DESC',
    filters: {
      ...MONEY,
      protocol: equals('protocol'),
      asset: equals('asset'),
      key: equals('key'),
      payer: (row, value) => (row.payer as string | null)?.toLowerCase() === value.toLowerCase(),
    },
  },
  orders: {
    rows: `SELECT x.*, id AS order_id, ${SELLERS('x.id')}, ${KEYS('orders')},
      ARRAY(SELECT attention_reason FROM payments p WHERE p.order_id = x.id UNION ALL SELECT attention_reason FROM refunds r WHERE r.order_id = x.id
        UNION ALL SELECT attention_reason FROM seller_transfers t WHERE t.order_id = x.id
        UNION ALL SELECT attention_reason FROM reversals v WHERE v.order_id = x.id
        UNION ALL SELECT attention_reason FROM disputes d WHERE d.order_id = x.id) AS reasons FROM orders x ORDER BY id DESC`,
    filters: {
      ...keyed('reference'),
      needs_attention: (row, value) =>
        (row.reasons as readonly unknown[]).some((reason) => reason !== null) === (value === 'true'),
      reason: oneOf('reasons'),
    },
  },
  payments: { rows: part('payments'), filters: keyed('idempotency_key') },
  refunds: { rows: part('refunds'), filters: keyed('idempotency_key') },
  transfers: { rows: part('seller_transfers'), filters: keyed('id') },
  reversals: {
    rows: part('reversals').replace('ORDER BY id DESC', 'ORDER BY created_at DESC, id DESC'),
    filters: { ...keyed('id'), seller: equals('seller_account') },
  },
  disputes: { rows: part('disputes'), filters: keyed('provider_dispute_id', 'hyperswitch_dispute_id') },
  channels: {
    rows: `SELECT *, channel_id AS id, CASE WHEN finalized THEN 'closed' WHEN close_requested_at IS NOT NULL THEN 'closing' ELSE 'open' END AS status
      FROM channels ORDER BY created_at DESC, channel_id DESC`,
    filters: {
      status: equals('status'),
      payer: (row, value) => row.payer === value.toLowerCase(),
      key: equals('id'),
      since: MONEY.since as Holds,
      until: MONEY.until as Holds,
    },
  },
  webhooks: {
    rows: `SELECT *, provider || ':' || event_id AS id, received_at AS created_at, CASE WHEN processed_at IS NULL THEN 'waiting' ELSE 'processed' END AS status
      FROM webhook_events ORDER BY received_at DESC, provider || ':' || event_id DESC`,
    filters: {
      status: equals('status'),
      provider: equals('provider'),
      type: equals('type'),
      object_id: equals('object_id'),
      key: equals('event_id'),
      since: MONEY.since as Holds,
      until: MONEY.until as Holds,
    },
  },
  decisions: {
    rows: `SELECT *, requested_at AS created_at FROM decisions ORDER BY requested_at DESC, id DESC`,
    filters: {
      state: equals('state'),
      kind: equals('item_kind'),
      action: equals('action'),
      reason: equals('asked_reason'),
      item_id: equals('item_id'),
      by: (row, value) =>
        [row.by, row.first_approver, row.approved_by].some(
          (name) => (name as string | null)?.toLowerCase() === value.toLowerCase(),
        ),
      since: MONEY.since as Holds,
      until: MONEY.until as Holds,
    },
  },
  payouts: {
    rows: `SELECT *, id AS own_id, external_payout_id AS id, ARRAY(SELECT t.id::text FROM payout_transfers x JOIN seller_transfers t USING (stripe_transfer_id)
      WHERE x.external_payout_id = payouts.external_payout_id) AS transfers FROM payouts ORDER BY created_at DESC, external_payout_id DESC`,
    filters: {
      status: equals('status'),
      currency: equals('currency'),
      seller: equals('seller_account'),
      transfer_id: oneOf('transfers'),
      needs_attention: MONEY.needs_attention as Holds,
      since: MONEY.since as Holds,
      until: MONEY.until as Holds,
    },
  },
  drift: {
    rows: `SELECT * FROM drifts WHERE state <> 'suspected' ORDER BY id DESC`,
    filters: { state: equals('state'), kind: equals('kind'), item_id: equals('item_id') },
  },
};

/** Tables, and what of a row decides whether it is put aside. */
const ASIDE = [
  ['settlements', 'id'],
  ['orders', 'id'],
  ['payments', 'order_id'],
  ['refunds', 'order_id'],
  ['seller_transfers', 'order_id'],
  ['reversals', 'order_id'],
  ['disputes', 'order_id'],
] as const;

describe('every list with every filter', () => {
  let test: Awaited<ReturnType<typeof filledApi>>;
  const asked = new Map<string, Map<string, string[]>>();
  const rows = new Map<string, readonly Row[]>();

  beforeAll(async () => {
    test = await filledApi({ settlements: 10_000, orders: 2_000 });
    await test.client.query('BEGIN; SET LOCAL session_replication_role = replica');
    // Two clocks that differ: an id of one time in a row of another.
    for (const table of ['settlements', 'orders', 'payments', 'refunds', 'seller_transfers', 'disputes'])
      await test.client.query(
        `UPDATE ${table} SET created_at = created_at + interval '10 days' * (mod(abs(hashtext(id::text)), 9) - 4) WHERE mod(abs(hashtext(id::text)), 20) = 0`,
      );
    // Nothing is put aside in part: an order goes with all that came of it.
    for (const [table, name] of ASIDE)
      await test.client.query(
        `UPDATE ${table} SET archived_at = clock_now() WHERE mod(abs(hashtext(${name}::text)), 7) = 0`,
      );
    await test.client.query('COMMIT');
    for (const { list, path } of await listSamples(test.client)) {
      const filters = asked.get(list) ?? new Map<string, string[]>();
      asked.set(list, filters);
      for (const [filter, value] of new URLSearchParams(path.split('?')[1]))
        if (filter !== 'cursor') filters.set(filter, [...(filters.get(filter) ?? []), value]);
    }
    for (const [list, { rows: sql }] of Object.entries(LISTS)) rows.set(list, (await test.client.query<Row>(sql)).rows);
  }, 120_000);
  afterAll(() => test.close());

  it.each(Object.keys(LISTS))(
    'of %s gives what a look at every row gives, alone and together, page after page',
    async (list) => {
      const { filters = {} } = LISTS[list] ?? {};
      const known = [...(asked.get(list) ?? [])].filter(([filter]) => filter !== 'order_id' || list !== 'settlements');
      expect(known.map(([filter]) => filter).filter((filter) => !(filter in filters))).toEqual([]);
      const query = fc
        .subarray(known, { maxLength: 3 })
        .chain((chosen) =>
          fc.tuple(...chosen.map(([filter, values]) => fc.tuple(fc.constant(filter), fc.constantFrom(...values)))),
        );
      await fc.assert(
        fc.asyncProperty(query, fc.integer({ min: 1, max: 200 }), async (given, limit) => {
          const expected = (rows.get(list) ?? [])
            .filter((row) => isListed(row, given) && given.every(([filter, value]) => filters[filter]?.(row, value)))
            .map(({ id }) => id);
          const path = `${list}?${new URLSearchParams([...given, ['limit', `${limit}`]]).toString()}`;
          const first = await test.read(path);
          expect(first.items.map(({ id }) => id)).toEqual(expected.slice(0, limit));
          expect(first.next_cursor === null).toBe(expected.length <= limit);
          if (first.next_cursor === null) return;
          const second = await test.read(`${path}&cursor=${first.next_cursor}`);
          expect(second.items.map(({ id }) => id)).toEqual(expected.slice(limit, 2 * limit));
        }),
        { numRuns: 40 },
      );
    },
    60_000,
  );
});
