import { expect, it } from 'vitest';
import { destinationFindings } from '../../../../src/domain/doctor/notifications.js';

const state = (id: string, changes: object = {}) => ({
  id,
  waiting: 0,
  deliveredAt: '2026-11-30T10:00:00.000Z',
  failingSince: null,
  failures: 0,
  lastFailure: null,
  goneAt: null,
  ...changes,
});

it('doctor tells of every destination of the settings how it is, and what cures it', () => {
  const failing = { failingSince: '2026-11-30T11:00:00.000Z', failures: 3, lastFailure: 'answered 503', waiting: 2 };
  const findings = destinationFindings(
    ['well', 'failing', 'gone', 'unused'].map((id) => ({ id })),
    [
      state('well'),
      state('failing', failing),
      state('gone', { goneAt: '2026-11-30T12:00:00.000Z', lastFailure: 'answered 410' }),
      state('of earlier settings'),
    ],
  );
  expect(findings.map(({ level, says }) => [level, says])).toEqual([
    ['ok', 'well: told last at 2026-11-30T10:00:00.000Z'],
    ['fail', 'failing: not told since 2026-11-30T11:00:00.000Z, 3 attempts failed, 2 messages wait: answered 503'],
    ['fail', 'gone: nothing is sent to it since 2026-11-30T12:00:00.000Z: answered 410'],
    ['warn', 'unused: no worker has it in its settings'],
  ]);
  expect(findings.map(({ cure }) => cure !== null)).toEqual([false, true, true, true]);
  expect(destinationFindings([], [state('of earlier settings')])).toEqual([]);
});
