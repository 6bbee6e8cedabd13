import { beforeEach, describe, expect, it } from 'vitest';
import { newDecisionId, type SettlementId } from '../../../../src/domain/ids.js';
import type { ClaimedSettlement } from '../../../../src/ledger/settlements/settlement-types.js';
import {
  aSettlement,
  atomic,
  attempt,
  DONE,
  ledgerForFile,
  NO_ANSWER,
  refused,
  SERVER_ERROR,
} from '../../../support/ledger-fixtures.js';
import { decideInLedger, type SettlementDecision } from '../../../support/settlements/settling.js';

const test = await ledgerForFile();
beforeEach(() => test.database.query('DELETE FROM provider_breakers'));

const HOLD_MS = 35_000;
const created = async (changes = {}): Promise<SettlementId> => {
  const outcome = await test.ledger.createSettlement(aSettlement(changes));
  if (outcome.kind !== 'created') throw new Error(outcome.kind);
  return outcome.settlement.id;
};
const claim = async (id: SettlementId, runner = 'a'): Promise<ClaimedSettlement | undefined> =>
  (await test.ledger.claimSettlements([id], runner, HOLD_MS)).claimed[0];
const tried = async (id: SettlementId, answer: Parameters<typeof attempt>[1], runner = 'a') => {
  const claimed = await claim(id, runner);
  if (!claimed) throw new Error('not claimed');
  const [status] = await test.ledger.recordAttempts([attempt(claimed, answer, runner)]);
  return status;
};
const found = async (id: SettlementId) => (await test.ledger.findSettlement(id))!;
const decide = (...decision: SettlementDecision) => decideInLedger(test.ledger, ...decision);

describe('claims', () => {
  it('and the marks of a sweep never wait for each other: with some rows in hand each, that would end in a deadlock', async () => {
    const [first, second] = [await created(), await created()];
    test.clock.advance(60_000);
    await test.database.transaction(async (query) => {
      // As a claim takes them, one after the other.
      await query('SELECT 1 FROM settlements WHERE id = $1 FOR UPDATE', [first]);
      await test.ledger.markStarted([second, first], 'settlements/shared');
      await query('SELECT 1 FROM settlements WHERE id = $1 FOR UPDATE', [second]);
    });
    const due = await test.ledger.dueSettlements('auth-server:x402', 100);
    expect(due.map(({ id }) => id)).toContain(first);
    expect(due.map(({ id }) => id)).not.toContain(second);
  });
  it('gives one settlement to one runner, however many ask at once', async () => {
    const id = await created();
    const claims = await Promise.all(Array.from({ length: 20 }, (_, index) => claim(id, `runner-${index}`)));
    expect(claims.filter(Boolean)).toHaveLength(1);
  });
  it('sends the same bytes with the same key at every attempt', async () => {
    const body = '{"exact": "bytes"}';
    const id = await created({ body, key: 'the-key' });
    for (const nth of [1, 2, 3]) {
      expect(await claim(id)).toMatchObject({ body, key: 'the-key', attempts: nth });
    }
  });
  it('takes an attempt that nobody finished for unknown, not for failed', async () => {
    const id = await created();
    expect((await claim(id, 'dies'))?.certainty).toBe('in_flight');
    expect(await claim(id, 'next')).toBeUndefined();
    test.clock.advance(HOLD_MS + 1_000);
    expect((await claim(id, 'next'))?.certainty).toBe('unknown');
  });
  it('does not send again while an unanswered call may still be at work', async () => {
    const id = await created();
    expect(await tried(id, NO_ANSWER)).toBe('pending');
    const { refused: why } = await test.ledger.claimSettlements([id], 'b', HOLD_MS);
    expect(why[0]).toMatchObject({ kind: 'held' });
    test.clock.advance(31_000);
    expect(await claim(id, 'b')).toBeDefined();
  });
});

describe('how an attempt ended', () => {
  it('settles once, erases the secret and keeps the trace', async () => {
    const id = await created();
    expect(await tried(id, DONE)).toBe('settled');
    expect(await found(id)).toMatchObject({ status: 'settled', certainty: 'done', txHash: '0xabc' });
    const [row] = await test.database.query('SELECT sealed, erased_at FROM settlements WHERE id = $1', [id]);
    expect(row).toMatchObject({ sealed: null, erased_at: expect.any(Date) });
    const events = await test.database.query('SELECT kind FROM operation_events WHERE item_id = $1 ORDER BY seq', [id]);
    expect(events.map((event) => event.kind)).toEqual(['received', 'sent', 'answered']);
  });
  it('never turns an unknown outcome into an absence by a later refusal', async () => {
    const id = await created();
    await tried(id, SERVER_ERROR);
    expect(await tried(id, refused('other'))).toBe('needs_attention');
    expect(await found(id)).toMatchObject({ certainty: 'unknown', attention: { reason: 'credential_refused' } });
  });
  it('proves an absence when the only attempt was refused', async () => {
    const id = await created();
    await tried(id, refused('other'));
    expect((await found(id)).certainty).toBe('absent');
  });
  it('asks a person about "already settled" for a charge that was never sent before', async () => {
    const id = await created();
    expect(await tried(id, { kind: 'done', alreadySettled: true, txHash: null })).toBe('needs_attention');
    expect(await found(id)).toMatchObject({
      attention: { reason: 'settled_elsewhere_suspected' },
      alreadySettled: true,
    });
  });
  it('takes "already settled" after an unanswered attempt for its own success', async () => {
    const id = await created();
    await tried(id, SERVER_ERROR);
    expect(await tried(id, { kind: 'done', alreadySettled: true, txHash: null })).toBe('settled');
  });
  it('writes a late success over an operator’s write-off, and raises it', async () => {
    const id = await created();
    const slow = (await claim(id, 'slow'))!;
    test.clock.advance(HOLD_MS + 1_000);
    await tried(id, refused('other'), 'fast');
    expect(await decide(id, 'write_off')).toMatchObject({ kind: 'pending_approval' });
    const [{ id: decision }] = (await test.database.query<{ id: never }>(
      `SELECT id FROM decisions WHERE item_id = $1 AND state = 'pending_approval'`,
      [id],
    )) as [{ id: never }];
    expect(
      await test.ledger.approve({ decisionId: decision, by: 'bob', note: '', verified: { kind: 'not_needed' } }),
    ).toMatchObject({
      kind: 'applied',
      status: 'written_off',
    });
    expect(await test.ledger.recordAttempts([attempt(slow, DONE, 'slow')])).toEqual(['settled']);
    expect(await found(id)).toMatchObject({ status: 'settled', attention: { reason: 'late_success' } });
    expect(await decide(id, 'settled')).toMatchObject({ kind: 'applied' });
    expect((await found(id)).attention).toBeNull();
  });
  it('leaves only a trace of a failure that comes after its claim lapsed', async () => {
    const id = await created();
    const slow = (await claim(id, 'slow'))!;
    test.clock.advance(HOLD_MS + 1_000);
    await claim(id, 'fast');
    expect(await test.ledger.recordAttempts([attempt(slow, refused('other'), 'slow')])).toEqual([null]);
    expect((await found(id)).status).toBe('pending');
  });
  it('records many in one commit, whatever their order', async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, () => created()));
    const { claimed } = await test.ledger.claimSettlements(ids, 'm', HOLD_MS);
    const outcomes = claimed
      .map((entry, index) => attempt(entry, index % 3 === 0 ? SERVER_ERROR : DONE, 'm'))
      .reverse();
    const statuses = await test.ledger.recordAttempts(outcomes);
    expect(statuses).toEqual(outcomes.map((outcome) => (outcome.answer === DONE ? 'settled' : 'pending')));
  });
  it('takes two attempts of one settlement in one commit one after the other', async () => {
    const id = await created();
    const slow = (await claim(id, 'slow'))!;
    test.clock.advance(HOLD_MS + 1_000);
    const fast = (await claim(id, 'fast'))!;
    const outcomes = [
      attempt(fast, SERVER_ERROR, 'fast'),
      attempt(slow, DONE, 'slow'),
      attempt(fast, NO_ANSWER, 'fast'),
    ];
    expect(await test.ledger.recordAttempts(outcomes)).toEqual(['pending', 'settled', null]);
    expect((await found(id)).status).toBe('settled');
  });
  it('asks about a payer who cannot pay once, also where several of its charges end in one commit, or at once', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => created({ payer: 'broke at once' })));
    const { claimed } = await test.ledger.claimSettlements(ids, 'p', HOLD_MS);
    const outcomes = claimed.map((each) => attempt(each, refused('insufficient'), 'p'));
    const commits = [outcomes.slice(0, 3), ...outcomes.slice(3).map((outcome) => [outcome])];
    const statuses = (await Promise.all(commits.map((each) => test.ledger.recordAttempts(each)))).flat();
    expect(statuses.filter((status) => status === 'needs_attention')).toHaveLength(1);
    expect(statuses.filter((status) => status === 'pending')).toHaveLength(5);
  });
  it('makes one attention item per payer who cannot pay, and lets the rest go on when it is dealt with', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => created({ payer: 'broke' })));
    for (const id of ids) await tried(id, refused('insufficient'));
    const statuses = await Promise.all(ids.map(async (id) => (await found(id)).status));
    expect(statuses.filter((status) => status === 'needs_attention')).toHaveLength(1);
    expect(await test.ledger.unblock('auth-server:x402', 10)).toBe(0);
    const item = ids[statuses.indexOf('needs_attention')]!;
    await decide(item, 'write_off');
    expect(await test.ledger.unblock('auth-server:x402', 10)).toBe(4);
  });
});

describe('the circuit breaker', () => {
  const provider = 'auth-server:x402';
  const outage = async () => {
    for (let nth = 0; nth < 5; nth += 1) await tried(await created(), SERVER_ERROR);
  };
  const stateOf = async () => {
    const [row] = await test.database.query<{ state: string }>(
      'SELECT state FROM provider_breakers WHERE provider = $1',
      [provider],
    );
    return row?.state ?? 'closed';
  };

  it('opens after five failures in a row, lets one probe through, and closes at its success', async () => {
    await outage();
    expect(await stateOf()).toBe('open');
    const waiting = await Promise.all(Array.from({ length: 5 }, () => created()));
    expect((await test.ledger.claimSettlements(waiting, 'a', HOLD_MS)).claimed).toHaveLength(0);
    test.clock.advance(1_100);
    const { claimed, refused: rest } = await test.ledger.claimSettlements(waiting, 'a', HOLD_MS);
    expect(claimed).toHaveLength(1);
    expect(rest).toHaveLength(4);
    expect(rest[0]).toMatchObject({ kind: 'waiting', why: 'breaker' });
    await test.ledger.recordAttempts([attempt(claimed[0]!, DONE, 'a')]);
    expect(await stateOf()).toBe('closed');
  });
  it('gives what it held back to the sweep as soon as it closes, not when it would have been looked at anyway', async () => {
    const ids = await Promise.all(Array.from({ length: 3 }, () => created()));
    test.clock.advance(20_000);
    await test.ledger.markStarted(ids, null);
    await outage();
    expect((await test.ledger.claimSettlements(ids, 'a', HOLD_MS)).claimed).toHaveLength(0);
    await test.database.query('DELETE FROM provider_breakers');
    const due = await test.ledger.dueSettlements('auth-server:x402', 100);
    expect(due.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
  });
  it('probes ever more rarely while the provider stays down', async () => {
    await outage();
    const probes: number[] = [];
    const id = await created();
    for (let second = 1; second <= 100; second += 1) {
      test.clock.advance(1_000);
      const claimed = await claim(id, 'p');
      if (!claimed) continue;
      probes.push(second);
      await test.ledger.recordAttempts([attempt(claimed, SERVER_ERROR, 'p')]);
    }
    expect(probes.length).toBeLessThanOrEqual(8);
    expect(probes.length).toBeGreaterThanOrEqual(5);
  });
  it('stays closed for a provider that refuses, and for one that mostly succeeds', async () => {
    for (let nth = 0; nth < 8; nth += 1) await tried(await created(), refused('other'));
    expect(await stateOf()).toBe('closed');
    for (let nth = 0; nth < 12; nth += 1) await tried(await created(), nth % 3 === 0 ? SERVER_ERROR : DONE);
    expect(await stateOf()).toBe('closed');
  });
  it('keeps the due rows of an open provider in Postgres, but one when a probe is due', async () => {
    await test.database.query(
      `UPDATE settlements SET next_check_at = clock_now() + interval '1 day' WHERE next_check_at IS NOT NULL`,
    );
    await outage();
    const ids = await Promise.all(Array.from({ length: 4 }, () => created()));
    await test.database.query('UPDATE settlements SET next_check_at = clock_now() WHERE id = ANY ($1)', [ids]);
    expect(await test.ledger.dueSettlements('auth-server:x402', 10)).toHaveLength(0);
    test.clock.advance(1_100);
    expect(await test.ledger.dueSettlements('auth-server:x402', 10)).toHaveLength(1);
    await test.database.query('DELETE FROM provider_breakers');
    expect(await test.ledger.dueSettlements('auth-server:x402', 10)).toHaveLength(4);
  });
});

describe('decisions', () => {
  const asked = async (changes = {}) => {
    const id = await created(changes);
    await tried(id, refused('other'));
    return id;
  };
  const unknownAsked = async (changes = {}) => {
    const id = await created(changes);
    await tried(id, SERVER_ERROR);
    await tried(id, refused('other'));
    return id;
  };

  it('always honours a retry', async () => {
    const id = await unknownAsked();
    expect(await decide(id, 'retry', { authenticated: false })).toMatchObject({ kind: 'applied', status: 'pending' });
  });
  it('writes off at once only what is small and provably absent', async () => {
    expect(await decide(await asked(), 'write_off')).toMatchObject({ kind: 'applied', status: 'written_off' });
    expect(await decide(await unknownAsked(), 'write_off')).toMatchObject({ kind: 'pending_approval' });
    const large = await asked({ spent: atomic(10n ** 9n), cap: null });
    expect(await decide(large, 'write_off')).toMatchObject({ kind: 'pending_approval' });
  });
  it('needs evidence and a second person for money said to be settled where nobody can be asked', async () => {
    const id = await unknownAsked();
    expect(await decide(id, 'settled')).toMatchObject({ kind: 'refused' });
    const evidence = { tx_hash: '0xfeed' };
    const request = await decide(id, 'settled', { evidence });
    if (request.kind !== 'pending_approval') throw new Error(request.kind);
    expect(await found(id)).toMatchObject({ status: 'needs_attention', attention: { reason: 'approval_pending' } });
    const { decisionId } = request;
    const approval = { decisionId, by: 'bob', note: 'on chain', verified: { kind: 'not_needed' } } as const;
    expect(await test.ledger.approve(approval)).toMatchObject({ kind: 'applied', status: 'settled' });
    expect((await found(id)).txHash).toBe('0xfeed');
  });
  it('never lets a person approve an own request', async () => {
    const outcome = await decide(await unknownAsked(), 'write_off');
    if (outcome.kind !== 'pending_approval') throw new Error(outcome.kind);
    const approve = (by: string) =>
      test.ledger.approve({ decisionId: outcome.decisionId, by, note: '', verified: { kind: 'not_needed' } });
    expect(await approve('ann')).toEqual({ kind: 'self_approval' });
    expect(await approve('bob')).toMatchObject({ kind: 'applied', status: 'written_off' });
    expect(await approve('eve')).toMatchObject({ kind: 'not_waiting' });
  });
  it('lets the first of many decisions win and records the others as ignored', async () => {
    const id = await asked();
    const outcomes = await Promise.all([decide(id, 'write_off'), decide(id, 'retry'), decide(id, 'write_off')]);
    expect(outcomes.filter((outcome) => outcome.kind === 'applied')).toHaveLength(1);
    const states = await test.database.query<{ state: string }>('SELECT state FROM decisions WHERE item_id = $1', [id]);
    expect(states.map((row) => row.state).sort()).toEqual(['applied', 'ignored', 'ignored']);
  });
  it('never applies what was recorded as ignored, however often the message is repeated', async () => {
    const id = await created();
    const request = { id: newDecisionId(1) };
    expect(await decide(id, 'write_off', request)).toMatchObject({ kind: 'not_waiting', status: 'pending' });
    await tried(id, refused('other'));
    expect(await decide(id, 'write_off', request)).toMatchObject({ kind: 'not_waiting', status: 'needs_attention' });
    expect(await found(id)).toMatchObject({ status: 'needs_attention' });
  });
  it('answers a repeated message as the first time', async () => {
    const id = await asked();
    const request = { id: newDecisionId(1) };
    expect(await decide(id, 'retry', request)).toMatchObject({ kind: 'applied' });
    expect(await decide(id, 'retry', request)).toMatchObject({ kind: 'applied', decisionId: request.id });
  });
});

describe('the backlog', () => {
  it('is counted by protocol, so that a crowd at one never sends the rows of another into its queue', async () => {
    await Promise.all([created(), created(), created()]);
    expect(await test.ledger.crowded(2)).toEqual(['auth-server:x402']);
    expect(await test.ledger.crowded(10_000)).toEqual([]);
  });

  it('of one protocol never keeps a due row of another from the next page', async () => {
    const crowd = await Promise.all(Array.from({ length: 30 }, () => created()));
    const late = await created({ protocol: 'mpp' });
    test.clock.advance(60_000);
    await test.database.query(
      `UPDATE settlements SET next_check_at = clock_now() - interval '1 hour' WHERE id = ANY ($1)`,
      [crowd],
    );
    expect(await test.ledger.dueSettlements('auth-server:x402', 10)).toHaveLength(10);
    expect((await test.ledger.dueSettlements('auth-server:mpp', 10)).map(({ id }) => id)).toContain(late);
    expect(new Set(await test.ledger.busyProviders())).toEqual(new Set(['auth-server:x402', 'auth-server:mpp']));
  });
});
