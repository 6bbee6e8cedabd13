import { createHash, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { knownMigrations, migrate } from '../../../src/ledger/migrate.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { sql } from '../../support/two-ledgers.js';

/** What a database of before says of payers and vouchers is taken over. */

let database: TestDatabase;
let number: number;
beforeEach(async () => {
  database = await createTestDatabase('empty');
  const names = (await knownMigrations()).map(({ name }) => name);
  number = names.findIndex((name) => name.endsWith('who-pays-and-with-what.sql')) + 1;
  await migrate(database.url, { to: number - 1 });
});
afterEach(() => database.drop());

const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const CHANNEL = `0x${'0c'.repeat(32)}`;

interface Old {
  readonly identity: string;
  readonly protocol: string;
  readonly payer?: string;
  readonly reason?: string;
}
let nth = 0;
async function old({ identity, protocol, payer, reason }: Old): Promise<string> {
  const id = randomUUID();
  nth += 1;
  await sql(
    database.url,
    `INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap, spent,
       payer, sealed, sealed_kind, sealed_key_id, next_check_at, attention_reason, attention_since, attention_detail, certainty, created_at)
     VALUES ($1, $2, $2, 'c', 'session', $3, 'auth-server:' || $3, CASE WHEN $5::text IS NULL THEN 'pending' ELSE 'needs_attention' END,
       'USDC', 6, 10000, 10000, $4, 'x', 'body', 'k', now(), $5, CASE WHEN $5 IS NOT NULL THEN now() END,
       CASE WHEN $5 IS NOT NULL THEN 'd' END, 'absent', now() + $6 * interval '1 second')`,
    [id, identity, protocol, payer ?? null, reason ?? null, nth],
  );
  return id;
}
const facts = (id: string | undefined) =>
  sql(
    database.url,
    'SELECT payer, uncollectable, voucher_channel, voucher_cumulative::text, voucher_place FROM settlements WHERE id = $1',
    [id],
  ).then(([row]) => row);

it('payers without a name get that of their credential, blocks stay, and vouchers get their places', async () => {
  const token = digest('a token');
  const [named, nameless, again, pending] = [
    await old({ identity: `atxp:${digest('other')}:r1`, protocol: 'atxp', payer: 'acct_1', reason: 'uncollectable' }),
    await old({ identity: `atxp:${token}:r2`, protocol: 'atxp', reason: 'uncollectable' }),
    await old({ identity: `atxp:${token}:r3`, protocol: 'atxp', reason: 'uncollectable' }),
    await old({ identity: `atxp:${token}`, protocol: 'atxp' }),
  ];
  const [first, second, charge, management] = [
    await old({ identity: `mpp:session:${CHANNEL}:10000`, protocol: 'mpp' }),
    await old({ identity: `mpp:session:${CHANNEL}:20000`, protocol: 'mpp', payer: '0xabc' }),
    await old({ identity: 'mpp:charge:id', protocol: 'mpp', reason: 'credential_refused' }),
    await old({ identity: `mpp:session:content:${digest('top-up')}`, protocol: 'mpp' }),
  ];
  await migrate(database.url, { to: number });

  const none = { voucher_channel: null, voucher_cumulative: null, voucher_place: null };
  expect(await facts(named)).toEqual({ payer: 'acct_1', uncollectable: true, ...none });
  const ofToken = { payer: `atxp:${token}`, ...none };
  // Of several that wait for a person the oldest blocks; ids of these tests are random, so it may be either.
  const both = [await facts(nameless), await facts(again)];
  expect(both).toContainEqual({ ...ofToken, uncollectable: true });
  expect(both).toContainEqual({ payer: null, uncollectable: true, ...none });
  expect(await facts(pending)).toEqual({ ...ofToken, uncollectable: false });
  expect(await facts(first)).toEqual({
    payer: `mpp:channel:${CHANNEL}`,
    uncollectable: false,
    voucher_channel: CHANNEL,
    voucher_cumulative: '10000',
    voucher_place: '1',
  });
  expect(await facts(second)).toMatchObject({ payer: '0xabc', voucher_cumulative: '20000', voucher_place: '2' });
  expect(await facts(charge)).toEqual({ payer: null, uncollectable: false, ...none });
  expect(await facts(management)).toEqual({ payer: null, uncollectable: false, ...none });
});

it('a payer whose charge waits for the approval of its write-off is refused as before', async () => {
  const waiting = async (payer: string) => {
    const id = await old({ identity: `x402:${randomUUID()}`, protocol: 'x402', payer, reason: 'approval_pending' });
    const decision = randomUUID();
    await sql(database.url, 'UPDATE settlements SET attention_detail = $2 WHERE id = $1', [
      id,
      `ann asks to write_off (decision ${decision}); before that: uncollectable: 402 insufficient funds`,
    ]);
    await sql(
      database.url,
      `INSERT INTO decisions (id, item_kind, item_id, action, state, by, authenticated, note)
       VALUES ($1, 'settlement', $2, 'write_off', 'pending_approval', 'ann', true, 'n')`,
      [decision, id],
    );
    return id;
  };
  const [first, second, other] = [await waiting('0xabc'), await waiting('0xabc'), await waiting('0xdef')];
  const blocked = await old({ identity: 'x402:blocks', protocol: 'x402', payer: '0xdef', reason: 'uncollectable' });
  await migrate(database.url);

  const all = await Promise.all([first, second, other, blocked].map(facts));
  expect(all).toMatchObject([
    { uncollectable: true },
    // One item stands in the way of a payer.
    { uncollectable: false },
    { uncollectable: false },
    { uncollectable: true },
  ]);
});
