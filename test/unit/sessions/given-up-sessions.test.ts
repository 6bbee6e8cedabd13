import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SettlementId } from '../../../src/domain/ids.js';
import { createGivenUpSessions } from '../../../src/sessions/gate/given-up-sessions.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const session = (id: string) => ({ id: id as SettlementId, closeToken: `token of ${id}` });

test('sessions that were given up are told as often as the ledger does not answer, and once when it does', async () => {
  const asked: string[][] = [];
  let down = true;
  const givenUp = createGivenUpSessions({
    async giveUpSessions(sessions) {
      asked.push(sessions.map(({ id }) => id));
      if (down) throw new Error('the database is down');
    },
  });
  givenUp.note(session('a'));
  await vi.advanceTimersByTimeAsync(2_000);
  givenUp.note(session('b'));
  down = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toEqual([['a'], ['a'], ['a', 'b']]);
});
