import { describe, expect, it } from 'vitest';
import type { SessionChange } from '../../../../src/ledger/settlements/settlement-types.js';
import { aSession, atomic, ledgerForFile } from '../../../support/ledger-fixtures.js';

const test = await ledgerForFile();

type Session = ReturnType<typeof aSession>;
const close = (session: Session, spent: number, changes: object = {}): SessionChange => ({
  kind: 'close',
  id: session.id,
  lease: session.lease,
  closeToken: session.closeToken,
  by: 'end',
  spent: atomic(spent),
  body: spent === 0 ? null : `body of ${session.id}`,
  delivery: spent === 0 ? null : 'unknown',
  ...changes,
});
const checkpoint = (session: Session, spent: number): SessionChange => ({
  kind: 'checkpoint',
  id: session.id,
  lease: session.lease,
  closeToken: session.closeToken,
  spent: atomic(spent),
});

async function opened(changes: Partial<Session> = {}): Promise<Session> {
  const session = aSession(changes.lease ?? (await test.ledger.takeLease('test', 30_000)), changes);
  expect(await test.ledger.openSession(session)).toBe('opened');
  return session;
}
const statusOf = async (session: Session) => (await test.ledger.findSettlement(session.id))?.status;

describe('a payment session in the ledger', () => {
  it('becomes pending with its frozen amount, or released when nothing was charged', async () => {
    const [charged, free] = [await opened(), await opened()];
    expect(await test.ledger.commitSessions([close(charged, 3000), close(free, 0)])).toEqual([
      'committed',
      'committed',
    ]);
    expect(await test.ledger.findSettlement(charged.id)).toMatchObject({
      status: 'pending',
      spent: '3000',
      delivery: 'unknown',
    });
    expect(await statusOf(free)).toBe('released');
  });

  it('is closed once: a second close is lost, and tells that the first was ours', async () => {
    const session = await opened();
    await test.ledger.commitSessions([close(session, 100)]);
    expect(await test.ledger.commitSessions([close(session, 200)])).toEqual(['lost']);
    expect(await test.ledger.closeState(session.id, session.closeToken)).toBe('ours');
    expect((await test.ledger.findSettlement(session.id))?.spent).toBe('100');
  });

  it('shares a commit with others, and loses nothing when one of them is not ours any more', async () => {
    const sessions = await Promise.all(Array.from({ length: 20 }, () => opened()));
    const stranger = { ...sessions[7]!, closeToken: crypto.randomUUID() };
    const changes = sessions.map((session, index) => close(index === 7 ? stranger : session, index + 1));
    const outcomes = await test.ledger.commitSessions(changes);
    expect(outcomes).toEqual(sessions.map((_, index) => (index === 7 ? 'lost' : 'committed')));
    expect(await statusOf(sessions[7]!)).toBe('open');
  });

  it('never loses a checkpoint to the sweep, nor a sweep to a checkpoint', async () => {
    const lease = await test.ledger.takeLease('stalls', 1_000);
    const session = await opened({ lease });
    await test.ledger.commitSessions([checkpoint(session, 500)]);
    test.clock.advance(2_000);
    const [abandoned] = (await test.ledger.abandonedSessions(100)).filter((entry) => entry.id === session.id);
    expect(abandoned).toMatchObject({ spent: '500', credential: session.credential });
    expect(await test.ledger.renewLease(lease, 30_000)).toBe(false);
    // the server that was taken for dead wakes up: whatever it writes now is lost, so it releases nothing
    expect(await test.ledger.commitSessions([checkpoint(session, 900)])).toEqual(['lost']);
    expect(await test.ledger.commitSessions([close(session, 900)])).toEqual(['lost']);
    expect(await test.ledger.closeAbandoned(abandoned!, 'the body')).toBe(true);
    expect(await test.ledger.findSettlement(session.id)).toMatchObject({
      status: 'pending',
      spent: '500',
      delivery: 'unknown',
    });
    expect(await test.ledger.closeState(session.id, session.closeToken)).toBe('lost');
  });

  it('is not closed by the sweep at an amount that moved after it was read', async () => {
    const session = await opened({ longestMs: 1_000 });
    test.clock.advance(62_000);
    const lease = await test.ledger.renewLease(session.lease, 600_000);
    expect(lease).toBe(true);
    const [stale] = (await test.ledger.abandonedSessions(100)).filter((entry) => entry.id === session.id);
    await test.ledger.commitSessions([checkpoint(session, 700)]);
    expect(await test.ledger.closeAbandoned(stale!, null)).toBe(false);
    expect(await statusOf(session)).toBe('open');
  });

  it('is refused without a live lease', async () => {
    const lease = await test.ledger.takeLease('late', 1_000);
    test.clock.advance(1_500);
    expect(await test.ledger.openSession(aSession(lease))).toBe('lease_lost');
  });

  it('never grants more open credit than the limit, however many open at once', async () => {
    const lease = await test.ledger.takeLease('busy', 60_000);
    const exposure = { perPayer: atomic(30_000) };
    const of = (changes: object) => aSession(lease, { payer: 'greedy', route: 'GET /limited', exposure, ...changes });
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => test.ledger.openSession(of({}))));
    expect(outcomes.filter((outcome) => outcome === 'opened')).toHaveLength(3);
    expect(outcomes.filter((outcome) => outcome === 'exposure_payer')).toHaveLength(47);
    expect(await test.ledger.openSession(of({ payer: 'other' }))).toBe('opened');
    const total = { exposure: { total: atomic(40_000) } };
    expect(await test.ledger.openSession(of({ payer: 'third', ...total }))).toBe('exposure_total');
  });

  it('counts an unsettled charge against the limit by what was spent, and a settled one no more', async () => {
    const lease = await test.ledger.takeLease('x', 60_000);
    const exposure = { perPayer: atomic(10_000) };
    const of = () => aSession(lease, { payer: 'frugal', route: 'GET /x', exposure });
    const first = of();
    expect(await test.ledger.openSession(first)).toBe('opened');
    expect(await test.ledger.openSession(of())).toBe('exposure_payer');
    await test.ledger.commitSessions([close(first, 1)]);
    expect(await test.ledger.openSession(of())).toBe('exposure_payer');
    await test.ledger.commitSessions([close(first, 0)]);
    const { claimed } = await test.ledger.claimSettlements([first.id], 'me', 10_000);
    const answer = { kind: 'done', alreadySettled: false, txHash: null } as const;
    await test.ledger.recordAttempts([
      { id: claimed[0]!.id, runner: 'me', answer, decision: { do: 'finish', certainty: 'done' }, patient: true },
    ]);
    expect(await test.ledger.openSession(of())).toBe('opened');
  });

  it('says what became of the delivery only where it was unknown', async () => {
    const session = await opened();
    await test.ledger.commitSessions([close(session, 5)]);
    await test.ledger.recordDeliveries([{ id: session.id, delivery: 'delivered' }]);
    await test.ledger.recordDeliveries([{ id: session.id, delivery: 'aborted' }]);
    expect((await test.ledger.findSettlement(session.id))?.delivery).toBe('delivered');
  });
});
