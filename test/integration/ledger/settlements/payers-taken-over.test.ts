import { createHash, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Answer } from '../../../../src/domain/calls/answers.js';
import type { DecisionId, SettlementId } from '../../../../src/domain/ids.js';
import { createDatabase, type Database } from '../../../../src/ledger/database.js';
import { createLedger, type Ledger } from '../../../../src/ledger/ledger.js';
import { knownMigrations, migrate } from '../../../../src/ledger/migrate.js';
import { createSealer } from '../../../../src/ledger/sealer.js';
import { SEALED_PLACE } from '../../../../src/ledger/settlements/settlement-row.js';
import type { Lease } from '../../../../src/ledger/settlements/settlement-types.js';
import { createTestDatabase, type TestDatabase } from '../../../support/database.js';
import { aSession, attempt, DONE, movableClock, refused, testKey } from '../../../support/ledger-fixtures.js';
import { sql } from '../../../support/settlements/ledger-comparison.js';
import { decideInLedger } from '../../../support/settlements/settling.js';

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

/** As a build of before left it, which let the payer in again meanwhile. @param by who asked for its write-off */
async function waiting(payer: string, by = 'ann') {
  const id = await old({ identity: `x402:${randomUUID()}`, protocol: 'x402', payer, reason: 'approval_pending' });
  const decision = randomUUID() as DecisionId;
  await sql(database.url, 'UPDATE settlements SET attention_detail = $2 WHERE id = $1', [
    id,
    `${by} asks to write_off (decision ${decision}); before that: uncollectable: 402 insufficient funds`,
  ]);
  await sql(
    database.url,
    `INSERT INTO decisions (id, item_kind, item_id, action, state, by, authenticated, note)
     VALUES ($1, 'settlement', $2, 'write_off', 'pending_approval', $3, true, 'n')`,
    [decision, id, by],
  );
  return { id: id as SettlementId, decision };
}

it('each charge of a payer that waits for the approval of its write-off stands in his way, beside the one that is asked about', async () => {
  const [first, second, other] = [await waiting('0xabc'), await waiting('0xabc'), await waiting('0xdef')];
  const asked = await old({ identity: 'x402:blocks', protocol: 'x402', payer: '0xdef', reason: 'uncollectable' });
  await migrate(database.url);
  for (const id of [first.id, second.id, other.id, asked])
    expect(await facts(id)).toMatchObject({ uncollectable: true });
  // A second question to a person about one payer is still none.
  const twice = `UPDATE settlements SET attention_reason = 'uncollectable' WHERE payer = '0xabc'`;
  await expect(sql(database.url, twice)).rejects.toThrow('settlements_one_uncollectable_per_payer');
});

describe('of several write-offs of one payer that waited for their approval', () => {
  const PAYER = '0xabc';
  const sealer = createSealer([testKey()]);
  let connection: Database;
  let ledger: Ledger;
  let lease: Lease;
  let charges: Awaited<ReturnType<typeof waiting>>[];
  let behind: SettlementId;
  let asked: SettlementId;

  beforeEach(async () => {
    charges = [await waiting(PAYER), await waiting(PAYER, 'eve'), await waiting(PAYER)];
    asked = (await old({
      identity: 'x402:asked',
      protocol: 'x402',
      payer: PAYER,
      reason: 'uncollectable',
    })) as SettlementId;
    behind = (await old({ identity: 'x402:behind', protocol: 'x402', payer: PAYER })) as SettlementId;
    await sql(database.url, 'UPDATE settlements SET blocked_by = $2 WHERE id = $1', [behind, charges[1]?.id]);
    await migrate(database.url);
    const clock = movableClock();
    connection = createDatabase({ url: database.url, clock });
    ledger = createLedger({ database: connection, sealer, clock, approvalThreshold: 10_000n });
    lease = await ledger.takeLease('test', 60_000);
  });
  afterEach(() => connection.close());

  const opens = () => ledger.openSession(aSession(lease, { payer: PAYER }));
  const approves = (which: number) =>
    ledger.approve({ decisionId: charges[which]!.decision, by: 'bob', note: 'yes', verified: { kind: 'not_needed' } });
  const writesOff = (id: SettlementId) =>
    decideInLedger(ledger, id, 'write_off', { by: 'bob' }).then((decided) => decided.kind);
  const waits = async (id: SettlementId) => {
    await ledger.unblock('auth-server:x402', 10);
    const [row] = await sql<{ blocked_by: string | null }>(
      database.url,
      'SELECT blocked_by FROM settlements WHERE id = $1',
      [id],
    );
    return row?.blocked_by ?? null;
  };

  it.each([
    ['the oldest first', [0, 1, 2]],
    ['the newest first', [2, 1, 0]],
    ['the one in the middle first', [1, 0, 2]],
  ])('each is decided once (%s), and the payer is refused until the last of them is', async (_order, order) => {
    expect(await opens()).toBe('payer_uncollectable');
    expect(await writesOff(asked)).toBe('applied');
    for (const which of order) {
      expect(await opens()).toBe('payer_uncollectable');
      expect(await waits(behind)).toBe((await statusOf(charges[1]!.id)) === 'written_off' ? null : charges[1]!.id);
      expect(await approves(which)).toMatchObject({ kind: 'applied', status: 'written_off' });
      expect(await approves(which)).toMatchObject({ kind: 'not_waiting' });
    }
    expect(await opens()).toBe('opened');
    expect(await waits(behind)).toBeNull();
    expect(await sql(database.url, 'SELECT state, count(*)::int AS n FROM decisions GROUP BY state')).toEqual([
      { state: 'applied', n: 4 },
    ]);
  });

  it('one that is retried instead goes behind the others when it fails again, and is settled when it does not', async () => {
    for (const { id } of charges.slice(0, 2)) {
      const { bytes, keyId } = sealer.seal('{}', SEALED_PLACE(id));
      await sql(database.url, 'UPDATE settlements SET sealed = $2, sealed_key_id = $3 WHERE id = $1', [
        id,
        bytes,
        keyId,
      ]);
      await decideInLedger(ledger, id, 'retry', { by: 'bob' });
    }
    const tries = async (id: SettlementId, answer: Answer) => {
      const [claimed] = (await ledger.claimSettlements([id], 'r', 35_000)).claimed;
      if (!claimed) throw new Error('not claimed');
      return await ledger.recordAttempts([attempt(claimed, answer, 'r')]);
    };
    expect(await tries(charges[0]!.id, refused('insufficient'))).toEqual(['pending']);
    expect(await waits(charges[0]!.id)).not.toBeNull();
    expect(await tries(charges[1]!.id, DONE)).toEqual(['settled']);
    // Their requests went with the retry, and nobody can approve them any more.
    expect(await approves(1)).toMatchObject({ kind: 'not_waiting' });
    expect(await opens()).toBe('payer_uncollectable');
    expect([await writesOff(asked), (await approves(2)).kind]).toEqual(['applied', 'applied']);
    expect(await waits(charges[0]!.id)).toBeNull();
    expect(await opens()).toBe('opened');
  });

  const statusOf = async (id: SettlementId) => (await ledger.findSettlement(id))?.status;
});
