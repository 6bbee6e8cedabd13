import { expect, it } from 'vitest';
import type { AttemptOutcome } from '../../../../src/ledger/settlements/settlement-types.js';
import { aSettlement, attempt, DONE, ledgerForFile, refused } from '../../../support/ledger-fixtures.js';

const test = await ledgerForFile();
const ROUNDS = 25;

async function claimedOf(payer: string, count: number): Promise<AttemptOutcome[]> {
  const made = await Promise.all(
    Array.from({ length: count }, () => test.ledger.createSettlement(aSettlement({ payer }))),
  );
  const ids = made.flatMap((outcome) => (outcome.kind === 'created' ? [outcome.settlement.id] : []));
  const { claimed } = await test.ledger.claimSettlements(ids, 'r', 35_000);
  return claimed
    .map((each) => attempt(each, refused('insufficient'), 'r'))
    .sort((one, other) => one.id.localeCompare(other.id));
}

/** As a worker of the build before does, while it runs beside this one. */
const recordAsBefore = ({ id, runner, decision }: AttemptOutcome) =>
  test.database.query('SELECT record_attempt($1)', [
    {
      id,
      runner,
      do: decision.do,
      certainty: decision.certainty,
      reason: 'reason' in decision ? decision.reason : null,
      answer: 'refused_insufficient',
      detail: 'refused',
      provider_outcome: 'ok',
      already_settled: false,
      still_at_work: false,
      failed: true,
    },
  ]);

it('a worker of the build before and one of this build record charges of one payer at once, and neither is turned away', async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const outcomes = await claimedOf(`payer-${round}`, 4);
    // A breaker that counts something is locked by every answer of its provider.
    await test.database.query(
      `INSERT INTO provider_breakers (provider, failures, window_until) VALUES ('auth-server:x402', 1, clock_now() + interval '10 s')
       ON CONFLICT (provider) DO UPDATE SET state = 'closed', failures = 1, window_until = excluded.window_until`,
    );
    const [first, second, ...rest] = outcomes;
    await Promise.all([
      recordAsBefore(first as AttemptOutcome),
      recordAsBefore(second as AttemptOutcome),
      ...rest.map((outcome) => test.ledger.recordAttempts([outcome])),
    ]);
    const rows = await test.database.query<{ status: string; count: string }>(
      'SELECT status, count(*) FROM settlements WHERE payer = $1 GROUP BY status ORDER BY status',
      [`payer-${round}`],
    );
    expect(rows).toEqual([
      { status: 'needs_attention', count: '1' },
      { status: 'pending', count: '3' },
    ]);
  }
});

it('a charge does not come to wait behind one that is settled in the same commit', async () => {
  const [asked, late, next] = await claimedOf('pays after all', 3);
  await test.ledger.recordAttempts([asked as AttemptOutcome]);
  const settled = {
    ...(asked as AttemptOutcome),
    answer: DONE,
    decision: { do: 'finish', certainty: 'done' } as const,
  };
  const [, ...statuses] = await test.ledger.recordAttempts([late as AttemptOutcome, settled, next as AttemptOutcome]);
  expect(statuses[0]).toBe('settled');
  const waiting = await test.database.query<{ status: string }>(
    `SELECT b.status FROM settlements s JOIN settlements b ON b.id = s.blocked_by WHERE s.payer = 'pays after all'`,
  );
  expect(waiting.filter(({ status }) => status === 'settled')).toEqual([]);
});

it('what a process that stands still has locked is let go after ten seconds', async () => {
  expect(await test.database.query('SHOW idle_in_transaction_session_timeout')).toEqual([
    { idle_in_transaction_session_timeout: '10s' },
  ]);
});
