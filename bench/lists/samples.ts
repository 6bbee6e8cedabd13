import type pg from 'pg';
import { z } from 'zod';
import { OPERATIONS } from '../../src/http/operations.js';
import type { Operation } from '../../src/http/route.js';

/** One request, by what it is called in the table. */
export interface Sample {
  readonly list: string;
  readonly filter: string;
  /** Below `/api/v1/`; of each database its own. */
  readonly path: string;
}

const TABLES: Readonly<Record<string, string>> = {
  settlements: 'settlements',
  orders: 'orders',
  payments: 'payments',
  refunds: 'refunds',
  transfers: 'seller_transfers',
  reversals: 'reversals',
  disputes: 'disputes',
  channels: 'channels',
  webhooks: 'webhook_events',
  decisions: 'decisions',
  drift: 'drifts',
  reconciliations: 'reconciliations',
  payouts: 'payouts',
};

/** Of what a list orders by, and the cursor made of it. */
const KEYED: Readonly<Record<string, readonly [time: string, id: string]>> = {
  channels: ['created_at', 'channel_id'],
  webhooks: ['received_at', `provider || ':' || event_id`],
  decisions: ['requested_at', 'id'],
  payouts: ['created_at', 'external_payout_id'],
};
const TIMES: Readonly<Record<string, string>> = {
  webhooks: 'received_at',
  decisions: 'requested_at',
  reconciliations: 'started_at',
};

const PAGED = new Set(['limit', 'cursor']);
const nameOf = ({ path }: Operation): string => path.replace('/api/v1/', '');

/** Everything that answers with a page of things. */
const LISTS = OPERATIONS.filter((operation) => operation.csv || 'cursor' in propertiesOf(operation.query));

function propertiesOf(query: z.ZodType): Readonly<Record<string, { readonly enum?: readonly string[] }>> {
  return (z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' }).properties ?? {}) as never;
}

type Ask = (sql: string) => Promise<readonly string[]>;

/** Every list as it is, deep in, and with each of its filters, each with each value it can have or a common, a rare and an old one. */
export async function listSamples(client: pg.Client): Promise<readonly Sample[]> {
  const ask: Ask = async (sql) => (await client.query<{ value: string }>(sql)).rows.map(({ value }) => value);
  const samples: Sample[] = [];
  for (const operation of LISTS) {
    const list = nameOf(operation);
    const add = (filter: string, query: Readonly<Record<string, string>>) =>
      samples.push({ list, filter, path: `${list}?${new URLSearchParams(query).toString()}` });
    add('', {});
    for (const cursor of await cursorsOf(list, ask)) {
      add('a page deep in', { cursor });
      if (list in STATUSES)
        add('a page deep in, of a status', { cursor, [STATUSES[list]?.[0] ?? '']: STATUSES[list]?.[1] ?? '' });
    }
    for (const [filter, schema] of Object.entries(propertiesOf(operation.query))) {
      if (PAGED.has(filter)) continue;
      for (const value of schema.enum ?? (await valuesOf(list, filter, ask))) add(filter, { [filter]: value });
    }
    if (list in STATUSES && 'since' in propertiesOf(operation.query)) {
      const [filter, status] = STATUSES[list] ?? ['', ''];
      for (const value of await valuesOf(list, 'until', ask))
        add(`${filter} and until`, { [filter]: status, until: value });
    }
  }
  return samples;
}

/** One that is neither the most usual nor empty. */
const STATUSES: Readonly<Record<string, readonly [filter: string, value: string]>> = {
  settlements: ['status', 'written_off'],
  orders: ['status', 'refunded'],
  payments: ['status', 'failed'],
  refunds: ['status', 'failed'],
  transfers: ['status', 'reversed'],
  reversals: ['status', 'written_off'],
  disputes: ['status', 'lost'],
  channels: ['status', 'closing'],
  webhooks: ['status', 'waiting'],
  decisions: ['state', 'ignored'],
  payouts: ['status', 'canceled'],
};

/** Nine tenths deep. */
async function cursorsOf(list: string, ask: Ask): Promise<readonly string[]> {
  const table = TABLES[list];
  const key = KEYED[list];
  const time = TIMES[list] ?? (list === 'drift' ? 'opened_at' : 'created_at');
  const value = key
    ? `json_build_array(to_char(${key[0]} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), ${key[1]})::text`
    : 'id::text';
  const found = await ask(
    `SELECT ${value} AS value FROM ${table} ORDER BY ${time} OFFSET (SELECT count(*) / 10 FROM ${table}) LIMIT 1`,
  );
  return found.map((text) => Buffer.from(text, 'utf8').toString('base64url'));
}

const party = (name: string) => [`${name}big`, `${name}rare`, `${name}gone`, `${name}7`, `${name}nobody`];

async function valuesOf(list: string, filter: string, ask: Ask): Promise<readonly string[]> {
  const table = TABLES[list] ?? '';
  const time = TIMES[list] ?? 'created_at';
  const places = [10, 2, 1].map((part) => `(SELECT count(*) * ${part} / 11 FROM ${table})`);
  const at = async (column: string, condition = 'true') => {
    const found: string[] = [];
    for (const place of places)
      found.push(
        ...(await ask(
          `SELECT ${column} AS value FROM ${table} WHERE ${condition} ORDER BY ${time} OFFSET ${place} LIMIT 1`,
        )),
      );
    return found;
  };
  const iso = `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  switch (filter) {
    case 'since':
      return [...(await at(iso)), '2999-01-01T00:00:00Z'];
    case 'until':
      return [...(await at(iso)), '2001-01-01T00:00:00Z'];
    case 'asset':
      return ['USDC', 'RARE', 'GONE', 'NONE'];
    case 'currency':
      return ['USD', 'CHF', 'GBP', 'JPY'];
    case 'seller':
      return party('acct_');
    case 'payer':
      return await ask(
        `SELECT '0x' || left(md5(name) || md5(name || '.'), 40) AS value FROM unnest(ARRAY['${party('payer').join("','")}']) name`,
      );
    case 'type':
      return ['payment_succeeded', 'refund_succeeded', 'charge.dispute.created', 'nothing.of.this'];
    case 'object_id':
      return [...(await at('object_id')), 'none'];
    case 'action':
      return ['retry', 'compensate', 'none'];
    case 'by':
      return ['olga', 'rita', 'nobody'];
    case 'transfer_id':
      return await ask(
        `SELECT t.id::text AS value FROM payout_transfers p JOIN seller_transfers t USING (stripe_transfer_id) ORDER BY t.id LIMIT 2`,
      );
    case 'item_id':
      return await ask(`SELECT item_id::text AS value FROM ${table} ORDER BY id LIMIT 2`);
    case 'order_id':
      return await ask(
        `SELECT id::text AS value FROM orders ORDER BY id OFFSET (SELECT count(*) / 2 FROM orders) LIMIT 1`,
      );
    case 'key':
      return list === 'webhooks'
        ? [...(await at('event_id')), 'none']
        : list === 'channels'
          ? [...(await at('channel_id')), 'none']
          : list === 'settlements'
            ? [
                ...(await at('key')),
                ...(await ask(`SELECT key AS value FROM settlements WHERE status = 'released' LIMIT 1`)),
                'none',
              ]
            : list === 'orders'
              ? [...(await at('reference', 'reference IS NOT NULL')), 'orders-key-77', 'none']
              : list === 'disputes'
                ? [...(await at('provider_dispute_id')), ...(await at('hyperswitch_dispute_id')), 'none']
                : [...(await at('idempotency_key')), 'payments-key-77', 'none'];
    default:
      throw new Error(`list ${list} has a filter ${filter}, of which this measurement knows no value: add some`);
  }
}

/** What a person may have a name for, and a table and column that has it. */
const NAMES: Readonly<Record<string, string>> = {
  'settlement id': `SELECT id::text AS value FROM settlements OFFSET 70 LIMIT 1`,
  'settlement key': `SELECT key AS value FROM settlements WHERE status = 'settled' OFFSET 70 LIMIT 1`,
  'payment request': `SELECT context ->> 'paymentRequestId' AS value FROM settlements WHERE status = 'settled' OFFSET 70 LIMIT 1`,
  'payment request of a released one': `SELECT context ->> 'paymentRequestId' AS value FROM settlements WHERE status = 'released' LIMIT 1`,
  identity: `SELECT identity AS value FROM settlements OFFSET 70 LIMIT 1`,
  nonce: `SELECT lookup ->> 'nonce' AS value FROM settlements OFFSET 70 LIMIT 1`,
  transaction: `SELECT tx_hash AS value FROM settlements WHERE tx_hash IS NOT NULL OFFSET 70 LIMIT 1`,
  'a common payer': `SELECT payer AS value FROM settlements GROUP BY payer ORDER BY count(*) DESC LIMIT 1`,
  'a rare payer': `SELECT payer AS value FROM settlements GROUP BY payer ORDER BY count(*) LIMIT 1`,
  channel: `SELECT channel_id AS value FROM channels OFFSET 70 LIMIT 1`,
  'order id': `SELECT id::text AS value FROM orders OFFSET 70 LIMIT 1`,
  reference: `SELECT reference AS value FROM orders WHERE reference IS NOT NULL OFFSET 70 LIMIT 1`,
  'key of a client': `SELECT key AS value FROM request_keys OFFSET 70 LIMIT 1`,
  'payment at Hyperswitch': `SELECT hyperswitch_payment_id AS value FROM payments OFFSET 70 LIMIT 1`,
  'payment at the processor': `SELECT connector_transaction_id AS value FROM payments OFFSET 70 LIMIT 1`,
  charge: `SELECT charge_id AS value FROM payments OFFSET 70 LIMIT 1`,
  'refund at Hyperswitch': `SELECT hyperswitch_refund_id AS value FROM refunds OFFSET 70 LIMIT 1`,
  'refund at the processor': `SELECT connector_refund_id AS value FROM refunds OFFSET 70 LIMIT 1`,
  'transfer at Stripe': `SELECT stripe_transfer_id AS value FROM seller_transfers WHERE stripe_transfer_id IS NOT NULL OFFSET 70 LIMIT 1`,
  'reversal at Stripe': `SELECT stripe_reversal_id AS value FROM reversals WHERE stripe_reversal_id IS NOT NULL OFFSET 70 LIMIT 1`,
  'request id': `SELECT provider_request_id AS value FROM seller_transfers OFFSET 70 LIMIT 1`,
  'a common seller': `SELECT 'acct_big' AS value`,
  'a rare seller': `SELECT 'acct_rare' AS value`,
  dispute: `SELECT provider_dispute_id AS value FROM disputes OFFSET 70 LIMIT 1`,
  'dispute at Hyperswitch': `SELECT hyperswitch_dispute_id AS value FROM disputes OFFSET 70 LIMIT 1`,
  event: `SELECT event_id AS value FROM webhook_events OFFSET 70 LIMIT 1`,
  decision: `SELECT id::text AS value FROM decisions OFFSET 70 LIMIT 1`,
  'key of a call': `SELECT idempotency_key AS value FROM operation_events WHERE item_kind = 'order' AND idempotency_key IS NOT NULL LIMIT 1`,
  nothing: `SELECT 'no such thing' AS value`,
  'no such id': `SELECT '00000000-0000-7000-8000-000000000000' AS value`,
};

/** Search by each kind of name, the overview, and the pages of one item of each kind. */
export async function otherSamples(client: pg.Client): Promise<readonly Sample[]> {
  const samples: Sample[] = [{ list: 'overview', filter: '', path: 'overview' }];
  for (const [name, sql] of Object.entries(NAMES)) {
    const { rows } = await client.query<{ value: string }>(sql);
    for (const { value } of rows)
      samples.push({ list: 'search', filter: name, path: `search?${new URLSearchParams({ q: value }).toString()}` });
  }
  for (const list of [
    'settlements',
    'orders',
    'payments',
    'refunds',
    'transfers',
    'reversals',
    'disputes',
    'channels',
  ]) {
    const key = list === 'channels' ? 'channel_id' : 'id';
    const { rows } = await client.query<{ value: string }>(
      `SELECT ${key}::text AS value FROM ${TABLES[list]} OFFSET 70 LIMIT 1`,
    );
    for (const { value } of rows) {
      const kind = list.slice(0, -1);
      samples.push({ list: 'one item', filter: `${kind}, explained`, path: `explanations/${kind}/${value}` });
      samples.push({ list: 'one item', filter: `${kind}, its story`, path: `stories/${kind}/${value}` });
      if (OPERATIONS.some(({ path, method }) => method === 'GET' && path === `/api/v1/${list}/{id}`))
        samples.push({ list: 'one item', filter: kind, path: `${list}/${value}` });
    }
  }
  return samples;
}
