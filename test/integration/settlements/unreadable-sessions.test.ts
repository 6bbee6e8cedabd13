import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createResolution } from '../../../src/calls/decisions/decide.js';
import { createRereader } from '../../../src/calls/settlements/reread-session.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { startApi, TOKENS } from '../../support/api.js';
import { runMakegood } from '../../support/cli.js';
import { atomic, openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { memoryLogger, paidSessionRow } from '../../support/settlements/settlement-world.js';

/** A session whose server died and whose credential cannot be read: `retry` looks again, whoever says it and however often. */

let test: TestLedger;
let api: Awaited<ReturnType<typeof startApi>>;
let id: SettlementId;
let sealed: { sealed: Buffer; sealed_key_id: string };

beforeAll(async () => {
  test = await openTestLedger();
  const { ledger } = test;
  const reread = createRereader({ ledger, logger: memoryLogger() });
  api = await startApi({
    ledger,
    resolution: createResolution({ ledger, stripe: undefined, chain: undefined, reread }),
  });
});
afterAll(async () => {
  await api.close();
  await test.dispose();
});

async function unreadable(charged: number): Promise<void> {
  const lease = await test.ledger.takeLease('dies', 30_000);
  const session = await paidSessionRow(lease, { token: `token-${crypto.randomUUID()}` });
  ({ id } = session);
  expect(await test.ledger.openSession(session)).toBe('opened');
  const { closeToken } = session;
  if (charged > 0)
    await test.ledger.commitSessions([{ kind: 'checkpoint', id, lease, closeToken, spent: atomic(charged) }]);
  const [kept] = await test.database.query<typeof sealed & { [column: string]: unknown }>(
    'SELECT sealed, sealed_key_id FROM settlements WHERE id = $1',
    [id],
  );
  sealed = kept!;
  await loseKey('lost');
  test.clock.advance(31_000);
  const [abandoned] = await test.ledger.abandonedSessions(10);
  expect(await test.ledger.askAboutSession(abandoned!, 'as the sweep says it')).toBe(true);
}
const loseKey = (keyId: string) =>
  test.database.query('UPDATE settlements SET sealed_key_id = $2 WHERE id = $1', [id, keyId]);
const keyIsBack = () => loseKey(sealed.sealed_key_id);
const retry = async () => {
  const path = `/api/v1/settlements/${id}/resolve`;
  const { status, body } = await api.send(path, { token: TOKENS.operator, json: { action: 'retry', note: 'again' } });
  return [status, body.status];
};
const found = async () => (await test.ledger.findSettlement(id))!;

describe.each([
  ['that had charged', 4_000, 'pending'],
  ['that had charged nothing', 0, 'released'],
])('an unreadable session %s', (_what, charged, closed) => {
  beforeEach(() => unreadable(charged));

  it('stays while it cannot be read, with the reason of this look', async () => {
    expect(await retry()).toEqual([200, 'needs_attention']);
    expect((await found()).attention).toMatchObject({
      reason: 'unreadable_session',
      detail: expect.stringContaining('encryption key lost is needed'),
    });
    await loseKey('lost-too');
    expect(await retry()).toEqual([200, 'needs_attention']);
    expect((await found()).attention?.detail).toContain('encryption key lost-too is needed');
  });

  it('is closed at its last durable amount as soon as it can be read', async () => {
    await keyIsBack();
    expect(await retry()).toEqual([200, closed]);
    expect(await found()).toMatchObject({ status: closed, spent: `${charged}`, attention: null });
    expect((await retry())[0]).toBe(409);
    const { claimed } = await test.ledger.claimSettlements([id], 'test', 60_000);
    expect(claimed.map(({ spent }) => spent)).toEqual(charged === 0 ? [] : ['4000']);
  });

  it('is read again also while a write-off of it waits for an approver', async () => {
    await test.database.query(
      `UPDATE settlements SET attention_reason = 'approval_pending', attention_detail = 'olga asks to write off' WHERE id = $1`,
      [id],
    );
    expect(await retry()).toEqual([200, 'needs_attention']);
    expect((await found()).attention?.reason).toBe('unreadable_session');
    await keyIsBack();
    expect(await retry()).toEqual([200, closed]);
  });

  it('is left to the next sweep by a command, which has no key', async () => {
    await keyIsBack();
    const out: string[] = [];
    await runMakegood(['resolve', id, 'retry', '--note', 'again', '--json'], {
      env: { DATABASE_URL: test.url },
      clock: test.clock,
      out: (line) => out.push(line),
      err: () => undefined,
    });
    expect(JSON.parse(out.join('')).status).toBe('needs_attention');
    const [session] = await test.ledger.abandonedSessions(10);
    expect(session).toMatchObject({ id, asked: true, credential: expect.any(String) });
    expect(await test.ledger.closeReadable(session!, charged === 0 ? null : '{}')).toBe(closed);
  });
});

it('a settlement that owes something is never released', async () => {
  await unreadable(4_000);
  await expect(
    test.database.query(
      `UPDATE settlements SET status = 'released', attention_reason = NULL, attention_since = NULL, attention_detail = NULL,
         next_check_at = NULL WHERE id = $1`,
      [id],
    ),
  ).rejects.toThrow('released_owes_nothing');
});
