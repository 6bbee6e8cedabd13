import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { ledgerForFile } from '../../../support/ledger-fixtures.js';

/** What a settlement must be, whoever writes it: each rule refuses the one row that breaks it alone. */

const test = await ledgerForFile();

type Columns = Readonly<Record<string, unknown>>;

const OPEN: Columns = {
  content_sha256: 'content',
  source: 'session',
  protocol: 'x402',
  provider: 'auth-server:x402',
  status: 'open',
  asset: 'USDC',
  decimals: 6,
  cap: 100,
  spent: 0,
  lookup: '{}',
  context: '{}',
  sealed: Buffer.from('sealed'),
  sealed_kind: 'credential',
  sealed_key_id: 'key',
  next_check_at: new Date(),
};
const PENDING: Columns = { ...OPEN, status: 'pending', sealed_kind: 'body' };
const ASKED: Columns = { attention_reason: 'conflict', attention_since: new Date(), attention_detail: 'why' };

async function insert(columns: Columns): Promise<string> {
  const row = { id: randomUUID(), key: randomUUID(), identity: randomUUID(), ...columns };
  const names = Object.keys(row);
  await test.database.query(
    `INSERT INTO settlements (${names.join()}) VALUES (${names.map((_, n) => `$${n + 1}`).join()})`,
    Object.values(row),
  );
  return row.id;
}

const inserted = (columns: Columns) => () => insert({ ...OPEN, ...columns });
const becoming = (from: Columns, set: string) => async () => {
  const id = await insert(from);
  await test.database.query(`UPDATE settlements SET ${set} WHERE id = $1`, [id]);
};
const released = (set: string) => becoming(OPEN, `status = 'released', next_check_at = NULL, ${set}`);

const BROKEN: Readonly<Record<string, () => Promise<unknown>>> = {
  answer_is_paid_for: inserted({ answer: 'due' }),
  attention_has_a_reason: inserted(ASKED),
  attention_is_whole: inserted({ status: 'needs_attention', attention_reason: 'conflict' }),
  capture_is_whole: inserted({ source: 'channel' }),
  capture_says_what_it_takes: inserted({ source: 'channel', provider: 'tempo', channel_id: `0x${'c0'.repeat(32)}` }),
  close_takes_nothing: inserted({ voucher_closes: true }),
  pending_has_a_body: inserted({ status: 'pending' }),
  released_owes_nothing: released('spent = 5'),
  released_was_never_sent: released('attempts = 1'),
  runner_is_whole: inserted({ runner: 'a worker' }),
  sealed_is_whole: inserted({ sealed: null }),
  serving_is_somebodys: inserted({ answer: 'serving', spent: 5 }),
  settled_is_certain: becoming(PENDING, `status = 'settled', next_check_at = NULL`),
  settlements_answer_check: inserted({ answer: 'sold', spent: 5 }),
  settlements_cap_check: inserted({ cap: -1 }),
  settlements_certainty_check: inserted({ certainty: 'perhaps' }),
  settlements_decimals_check: inserted({ decimals: 79 }),
  settlements_delivery_check: inserted({ delivery: 'perhaps' }),
  settlements_identity_check: inserted({ identity: '' }),
  settlements_key_check: inserted({ key: '' }),
  settlements_protocol_check: inserted({ protocol: 'cash' }),
  settlements_released_by_check: inserted({ released_by: 'grace' }),
  settlements_sealed_kind_check: inserted({ sealed_kind: 'letter' }),
  settlements_source_check: inserted({ source: 'hearsay' }),
  settlements_spent_check: inserted({ spent: -1 }),
  settlements_unserved_check: inserted({ unserved: 0 }),
  spent_within_cap: inserted({ spent: 101 }),
  top_up_takes_nothing: inserted({ tops_up: 'channel', spent: 5 }),
  unfinished_is_found_again: inserted({ next_check_at: null }),
  voucher_is_whole: inserted({ voucher_channel: 'channel' }),
  what_is_released_costs_nothing: inserted({ released_by: 'client_left', spent: 5 }),
};

it('a row that breaks no rule is written', async () => {
  await expect(insert(OPEN)).resolves.toBeDefined();
  await expect(insert(PENDING)).resolves.toBeDefined();
  await expect(insert({ ...OPEN, ...ASKED, status: 'needs_attention' })).resolves.toBeDefined();
});

it.each(Object.entries(BROKEN))('%s', async (constraint, write) => {
  await expect(write()).rejects.toMatchObject({ code: '23514', constraint });
});

it('every rule of the guard is broken here once', async () => {
  const [guard] = await test.database.query<{ prosrc: string }>(
    `SELECT prosrc FROM pg_proc WHERE proname = 'settlements_guard'`,
  );
  const rules = [...(guard?.prosrc ?? '').matchAll(/THEN '(\w+)'/g)].map(([, rule]) => rule);
  expect(rules).toEqual(Object.keys(BROKEN));
});
