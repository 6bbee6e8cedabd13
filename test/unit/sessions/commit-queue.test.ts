import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LeaseId, SettlementId } from '../../../src/domain/ids.js';
import type { AtomicAmount } from '../../../src/domain/money.js';
import { createCommitQueue } from '../../../src/sessions/gate/commit-queue.js';
import type { NewSession, SessionChange } from '../../../src/sessions/session-ledger.js';
import { FakeLedger } from './support/fake-ledger.js';

let ledger: FakeLedger;
beforeEach(() => {
  vi.useFakeTimers();
  ledger = new FakeLedger();
});
afterEach(() => vi.useRealTimers());

const lease = { id: 'lease-1' as LeaseId, epoch: 1n };

async function opened(...ids: string[]): Promise<void> {
  for (const id of ids) {
    await ledger.openSession({ id, key: id, identity: id, lease, closeToken: `token ${id}` } as unknown as NewSession);
  }
}
const close = (id: string, spent = '5'): SessionChange => ({
  kind: 'close',
  id: id as SettlementId,
  lease,
  closeToken: `token ${id}`,
  by: 'end',
  spent: spent as AtomicAmount,
  body: '{}',
  delivery: 'unknown',
});
const checkpoint = (id: string, spent: string): SessionChange => ({
  kind: 'checkpoint',
  id: id as SettlementId,
  lease,
  closeToken: `token ${id}`,
  spent: spent as AtomicAmount,
});

test('changes that arrive during a commit share the next one, sorted by id', async () => {
  await opened('a', 'b', 'c', 'd');
  const queue = createCommitQueue({ ledger });
  const release = ledger.hold();
  const first = queue.submit(close('b'));
  await vi.advanceTimersByTimeAsync(0);
  const rest = ['d', 'a', 'c'].map((id) => queue.submit(close(id)));
  release();
  expect(await Promise.all([first, ...rest])).toEqual(Array(4).fill('committed'));
  expect(ledger.commits.map((batch) => batch.map((change) => change.id))).toEqual([['b'], ['a', 'c', 'd']]);
});

test('a checkpoint and a close of one session never share a commit, and keep their order', async () => {
  await opened('a');
  const queue = createCommitQueue({ ledger });
  expect(await Promise.all([queue.submit(checkpoint('a', '3')), queue.submit(close('a', '5'))])).toEqual([
    'committed',
    'committed',
  ]);
  expect(ledger.commits.map((batch) => batch.map((change) => change.kind))).toEqual([['checkpoint'], ['close']]);
});

test('one bad row fails alone, and holds up neither its companions nor those who come later', async () => {
  await opened('a', 'bad', 'c', 'later');
  ledger.poisoned = (change) => change.id === 'bad';
  const queue = createCommitQueue({ ledger });
  const outcomes = ['a', 'bad', 'c'].map((id) => queue.submit(close(id)));
  const bad = outcomes[1]?.catch((error: unknown) => String(error));
  expect(await Promise.all([outcomes[0], outcomes[2]])).toEqual(['committed', 'committed']);
  expect(await queue.submit(close('later'))).toBe('committed');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await bad).toContain('check constraint violated');
  expect(ledger.rows.get('bad')?.status).toBe('open');
});

test('a commit whose answer was lost is found by its close token, not made twice', async () => {
  await opened('a', 'b');
  ledger.commitFaults.push('lose-answer');
  const queue = createCommitQueue({ ledger });
  expect(await Promise.all([queue.submit(close('a')), queue.submit(close('b'))])).toEqual(['committed', 'committed']);
  expect(ledger.commits).toHaveLength(1);
});

test('a close that the sweep overtook after a lost answer is lost', async () => {
  await opened('a');
  ledger.commitFaults.push('refuse');
  const queue = createCommitQueue({ ledger });
  const outcome = queue.submit(close('a'));
  ledger.sweepAway('a');
  expect(await outcome).toBe('lost');
});

test('a commit that never answers does not hold up the next ones', async () => {
  await opened('a', 'b');
  ledger.commitFaults.push('hang');
  const queue = createCommitQueue({ ledger });
  const stuck = queue.submit(close('a'));
  await vi.advanceTimersByTimeAsync(0);
  const next = queue.submit(close('b'));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await Promise.all([stuck, next])).toEqual(['committed', 'committed']);
});

test('an unknown outcome is looked into for five seconds and then given up', async () => {
  await opened('a');
  ledger.commitsDown = true;
  ledger.closeStateDown = true;
  const queue = createCommitQueue({ ledger });
  let ended: string | undefined;
  queue.submit(close('a')).then(
    () => (ended = 'known'),
    () => (ended = 'given up'),
  );
  await vi.advanceTimersByTimeAsync(4_000);
  expect(ended).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(ended).toBe('given up');
});

test('a ledger that comes back within the five seconds answers after all', async () => {
  await opened('a');
  ledger.commitsDown = true;
  ledger.closeStateDown = true;
  const queue = createCommitQueue({ ledger });
  const outcome = queue.submit(close('a'));
  await vi.advanceTimersByTimeAsync(3_000);
  ledger.commitsDown = false;
  ledger.closeStateDown = false;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await outcome).toBe('committed');
});

test('idle resolves once everything submitted is known', async () => {
  await opened('a');
  const queue = createCommitQueue({ ledger });
  const release = ledger.hold();
  void queue.submit(close('a'));
  let idle = false;
  void queue.idle().then(() => (idle = true));
  await vi.advanceTimersByTimeAsync(100);
  expect(idle).toBe(false);
  release();
  await vi.advanceTimersByTimeAsync(0);
  expect(idle).toBe(true);
});
