import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { knownMigrations, migrate } from '../../../../src/ledger/migrate.js';
import { createCaseCounts } from '../../../support/case-counts.js';
import { createTestDatabase, type TestDatabase } from '../../../support/database.js';

/** What the vouchers of a channel cover is known without looking at all of them, and is what looking at all of them would say. */

let database: TestDatabase;
let client: Client;
async function open(template: 'migrated' | 'empty' = 'migrated'): Promise<void> {
  database = await createTestDatabase(template);
  client = await connected();
}
async function connected(): Promise<Client> {
  const made = new Client({ connectionString: database.url });
  await made.connect();
  return made;
}
afterEach(async () => {
  await client.end();
  await database.drop();
});

const CHANNEL = `0x${'0c'.repeat(32)}`;
const CAP = 1_000;

async function accepted(channel: string, place: number): Promise<string> {
  const id = randomUUID();
  await client.query(
    `INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap, spent, payer,
       sealed, sealed_kind, sealed_key_id, next_check_at, voucher_channel, voucher_cumulative, voucher_place)
     VALUES ($1::uuid, $1::text, $1::text, 'c', 'session', 'mpp', 'auth-server:mpp', 'open', 'USDC', 6, $4::numeric, 0, 'p', 'x', 'credential', 'k',
       now(), $2, $3::bigint * $4::numeric, $3)`,
    [id, channel, place, CAP],
  );
  return id;
}

const NOT_ASKED = 'attention_reason = NULL, attention_since = NULL, attention_detail = NULL';
const OVER = `next_check_at = NULL, ${NOT_ASKED}`;
/** What becomes of a charge, by the status it must have for that. */
const MOVES = {
  checkpoint: ['open', 'spent = greatest(spent, $2::numeric)'],
  close: ['open', `status = 'pending', spent = greatest(spent, $2::numeric), sealed_kind = 'body'`],
  takeBack: ['pending', 'spent = spent - 1, unserved = coalesce(unserved, 0) + 1'],
  release: ['open', `status = 'released', ${OVER}`],
  settle: ['pending', `status = 'settled', certainty = 'done', settled_at = now(), ${OVER}`],
  ask: [
    'pending',
    `status = 'needs_attention', attention_reason = 'conflict', attention_since = now(), attention_detail = 'd',
       certainty = CASE WHEN certainty = 'unknown' OR $2::numeric > 500 THEN 'unknown' ELSE 'absent' END`,
  ],
  again: ['needs_attention', `status = 'pending', ${NOT_ASKED}`],
  writeOff: ['needs_attention', `status = 'written_off', ${OVER}`],
  found: ['written_off', `status = 'settled', certainty = 'done', settled_at = now(), ${OVER}`],
} as const;
type Move = keyof typeof MOVES;
/** Drawn more often, so that a charge comes as far as these within one run. */
const RARE: readonly Move[] = ['close', 'ask', 'ask', 'again', 'writeOff', 'found', 'found'];
const ONLY: Partial<Record<Move, string>> = {
  release: 'AND spent = 0',
  takeBack: `AND spent > 1 AND certainty = 'not_sent'`,
};

/** @returns false where it is not possible from where the charge is */
async function move(id: string, what: Move, amount: number): Promise<boolean> {
  const [from, to] = MOVES[what];
  const { rowCount } = await client.query(
    `UPDATE settlements SET ${to} WHERE id = $1 AND status = '${from}' ${ONLY[what] ?? ''} AND $2::numeric IS NOT NULL`,
    [id, amount],
  );
  return rowCount === 1;
}

/** By looking at all of them, as before. */
async function takenOf(channel: string): Promise<number> {
  const { rows } = await client.query<{ taken: string }>(
    `SELECT coalesce(sum(CASE WHEN status = 'released' OR (status = 'written_off' AND certainty IN ('absent', 'not_sent')) THEN 0
       WHEN status = 'open' THEN cap ELSE spent END), 0) AS taken FROM settlements WHERE voucher_channel = $1`,
    [channel],
  );
  return Number(rows[0]?.taken);
}
async function placeOf(channel: string, cumulative: number): Promise<number | undefined> {
  const { rows } = await client.query<{ place: string | null }>('SELECT place_of_voucher($1, $2, 1) AS place', [
    channel,
    cumulative,
  ]);
  return rows[0]?.place == null ? undefined : Number(rows[0].place);
}

describe('the sum of a channel', () => {
  beforeEach(() => open());

  it('is that of all its charges, whatever became of them and whenever it is asked', async () => {
    const names = Object.keys(MOVES) as Move[];
    const step = fc.record({
      channel: fc.constantFrom('a', 'b'),
      what: fc.constantFrom<(Move | 'open' | 'sum')[]>('open', 'sum', ...names, ...RARE),
      which: fc.nat(),
      amount: fc.integer({ min: 1, max: CAP }),
    });
    const cases = createCaseCounts();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 100, maxLength: 160 }), async (steps) => {
        const run = randomUUID();
        const charges = new Map<string, string[]>();
        for (const { channel: letter, what, which, amount } of steps) {
          const channel = `${run} ${letter}`;
          const ids = charges.get(channel) ?? [];
          charges.set(channel, ids);
          if (what === 'open') ids.push(await accepted(channel, ids.length + 1));
          else if (what === 'sum') await expectExact(channel, ids.length);
          else cases.count(what, await move(ids[which % ids.length] ?? randomUUID(), what, amount));
        }
        for (const [channel, ids] of charges) await expectExact(channel, ids.length);
      }),
      { numRuns: 25, endOnFailure: true },
    );
    cases.expectAtLeast(Object.fromEntries(names.map((name) => [name, 2])));
  });

  async function expectExact(channel: string, places: number): Promise<void> {
    const taken = await takenOf(channel);
    expect(await placeOf(channel, taken)).toBeUndefined();
    expect(await placeOf(channel, taken + 1)).toBe(places + 1);
  }

  it('is exact also where charges end while others are accepted', async () => {
    const ids = await Promise.all(Array.from({ length: 40 }, (_, at) => accepted(CHANNEL, at + 1)));
    for (const id of ids) await move(id, 'close', 700);
    const [ending, asking] = [await connected(), await connected()];
    const settle = async () => {
      for (const id of ids) {
        await ending.query('BEGIN');
        await ending.query(`UPDATE settlements SET ${MOVES.ask[1]} WHERE id = $1`, [id, 1]);
        await ending.query(`UPDATE settlements SET ${MOVES.writeOff[1]} WHERE id = $1`, [id]);
        await ending.query('COMMIT');
      }
    };
    const ask = async () => {
      for (const _ of ids) await asking.query('SELECT place_of_voucher($1, 1, 1)', [CHANNEL]);
    };
    await Promise.all([settle(), ask()]);
    await Promise.all([ending.end(), asking.end()]);
    expect(await takenOf(CHANNEL)).toBe(0);
    await expectExact(CHANNEL, ids.length);
  });

  it('costs the same for a channel of ten thousand vouchers as for one of ten, and so does the turn to be settled', async () => {
    const many = (channels: string, vouchers: number) =>
      client.query(
        `INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap, spent, payer,
           sealed, sealed_kind, sealed_key_id, next_check_at, voucher_channel, voucher_cumulative, voucher_place)
         SELECT id, id::text, id::text, 'c', 'session', 'mpp', 'auth-server:mpp', 'pending', 'USDC', 6, 1000, 1000, 'p', 'x', 'body', 'k', now(),
           replace($1, '*', nth::text), nth * 1000, nth
         FROM (SELECT gen_random_uuid() AS id, nth FROM generate_series(1, $2::bigint) nth) AS made`,
        [channels, vouchers],
      );
    await many('short', 10);
    await many('long', 10_000);
    await client.query(`UPDATE settlements SET ${MOVES.settle[1]}`);
    await many('of others *', 5_000);
    await client.query('VACUUM ANALYZE settlements');
    for (const [asked, most] of [
      ['place_of_voucher($1, 100000000, 1)', 60],
      ['waits_for_earlier_voucher($1, 20000)', 60],
    ] as const) {
      // The first time adds up what has come since, and makes plans that are kept.
      for (const channel of ['short', 'long']) await pagesOf(asked, channel);
      await client.query('VACUUM voucher_changes');
      const [short, long] = [await pagesOf(asked, 'short'), await pagesOf(asked, 'long')];
      expect(long, asked).toBeLessThanOrEqual(short + most);
    }
  });

  async function pagesOf(asked: string, channel: string): Promise<number> {
    const text = asked.replace('$1', `'${channel}'`);
    const { rows } = await client.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT ${text}`);
    const { Plan: plan } = rows[0]['QUERY PLAN'][0] as { Plan: Record<string, number> };
    return (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);
  }

  it('is written by what becomes of charges alone, and a charge keeps its voucher', async () => {
    const id = await accepted(CHANNEL, 1);
    for (const [change, refused] of [
      [`UPDATE settlements SET voucher_channel = 'other' WHERE id = '${id}'`, 'its voucher never changes'],
      [
        `UPDATE settlements SET voucher_channel = NULL, voucher_cumulative = NULL, voucher_place = NULL WHERE id = '${id}'`,
        'its voucher never changes',
      ],
      [`UPDATE settlements SET voucher_place = 7 WHERE id = '${id}'`, 'its voucher never changes'],
      ['UPDATE voucher_changes SET amount = 1', 'voucher_changes'],
      ['UPDATE voucher_channels SET taken = -1', 'taken'],
    ] as const) {
      if (change.includes('voucher_channels')) await placeOf(CHANNEL, 1);
      await expect(client.query(change), change).rejects.toThrow(refused);
    }
    await expect(client.query('DELETE FROM voucher_channels')).rejects.toThrow('voucher_channels');
  });
});

it('a database of before is taken over with what its channels have taken', async () => {
  await open('empty');
  const names = (await knownMigrations()).map(({ name }) => name);
  const number = names.findIndex((name) => name.endsWith('vouchers-are-summed.sql')) + 1;
  await migrate(database.url, { to: number - 1 });
  const ids = [await accepted(CHANNEL, 1), await accepted(CHANNEL, 2), await accepted(CHANNEL, 3)];
  await move(ids[0]!, 'close', 400);
  await move(ids[0]!, 'settle', 1);
  await move(ids[1]!, 'release', 1);
  await migrate(database.url, { to: number });
  await move(ids[2]!, 'close', 300);
  expect([await takenOf(CHANNEL), await placeOf(CHANNEL, 700), await placeOf(CHANNEL, 701)]).toEqual([
    700,
    undefined,
    4,
  ]);
});
