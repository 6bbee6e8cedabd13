import { beforeEach, expect, it } from 'vitest';
import { newNoticeMessageId } from '../../../src/domain/ids.js';
import { DAY_MS } from '../../support/durations.js';
import { ledgerForTest, type TestLedger } from '../../support/ledger-fixtures.js';
import { answered, asked } from '../../support/notifications/notification-world.js';

/** What Postgres itself holds of notices and messages. */

const QUESTION = { destination: 'webhook:ops.example.com:1a2b3c4d', stage: 'first', escalateAfterMs: 1 } as const;
const REASON = 'credential_undecodable';
let test: TestLedger;

beforeEach(async () => {
  test = await ledgerForTest();
  await test.ledger.registerDestinations([{ id: QUESTION.destination, stage: 'first' }]);
});

const make = (id = newNoticeMessageId(Date.now())) =>
  test.ledger.makeNoticeMessage({ ...QUESTION, id, reason: REASON }, 100);
const counts = async () => {
  const [row] = await test.database.query(
    `SELECT (SELECT count(*)::int FROM notices) AS notices, (SELECT count(*)::int FROM notice_messages) AS messages`,
  );
  return row;
};

it('one message is made where eight workers make one at once', async () => {
  await Promise.all([asked(test), asked(test), asked(test)]);
  await test.ledger.noteWhoIsAsked(100);
  const made = await Promise.all(Array.from({ length: 8 }, () => make()));
  expect(made.filter((items) => items > 0)).toEqual([3]);
  expect(await counts()).toEqual({ notices: 3, messages: 1 });
});

it('an item is noted once where eight workers note it at once', async () => {
  await Promise.all([asked(test), asked(test)]);
  await Promise.all(Array.from({ length: 8 }, () => test.ledger.noteWhoIsAsked(100)));
  expect(await counts()).toEqual({ notices: 2, messages: 0 });
});

it('what was sent is never another, and what has ended stays so', async () => {
  const id = newNoticeMessageId(Date.now());
  await asked(test);
  await test.ledger.noteWhoIsAsked(100);
  await make(id);
  await test.ledger.beginDelivery(id);
  const change = (to: string) => test.database.query(`UPDATE notice_messages SET ${to} WHERE id = $1`, [id]);
  await expect(change(`contents = '{}'`)).rejects.toThrow('frozen');
  expect(await test.ledger.recordDelivery(id, 1, { kind: 'delivered', detail: 'answered 204' })).toEqual({
    kind: 'ended',
    state: 'delivered',
  });
  await expect(change('attempts = 9')).rejects.toThrow('has ended');
  // An answer that comes twice, or late, changes nothing.
  expect(await test.ledger.recordDelivery(id, 1, { kind: 'failed', detail: 'late' })).toMatchObject({ kind: 'ended' });
  expect(await test.ledger.beginDelivery(id)).toEqual({ kind: 'ended', state: 'delivered' });
  expect(await test.ledger.destinationStates()).toMatchObject([{ failures: 0, failingSince: null }]);
});

it.each(['conflict', 'approval_pending'])(
  'a question that another one stood before is told again when it is asked again, with the same time: %s',
  async (reason) => {
    const { database, ledger } = test;
    const item = await asked(test);
    const asks = (what: string) =>
      database.query(`UPDATE settlements SET attention_reason = $2 WHERE id = $1`, [item, what]);
    const note = () => ledger.noteWhoIsAsked(100);
    await asks(reason);
    expect(await note()).toEqual({ noted: 1, ended: 0 });
    const first = newNoticeMessageId(Date.now());
    await test.ledger.makeNoticeMessage({ ...QUESTION, id: first, reason: reason as never }, 100);
    await asks('drift');
    expect(await note()).toEqual({ noted: 1, ended: 1 });
    await asks(reason);
    expect(await note()).toEqual({ noted: 1, ended: 1 });
    expect(await note()).toEqual({ noted: 0, ended: 0 });
    // The message that waited tells of a question that had ended; another one tells that it is asked again.
    expect(await ledger.beginDelivery(first)).toMatchObject({ kind: 'ended' });
    expect((await ledger.untold(QUESTION)).groups).toMatchObject([{ reason, totals: [{ count: 1 }] }]);
    const open = await database.query('SELECT reason FROM notices WHERE ended_at IS NULL');
    expect(open).toEqual([{ reason }]);
  },
);

it('a quarter of a year after they ended messages and notices are forgotten, and none that stands', async () => {
  const [over, open] = [await asked(test), await asked(test)];
  const id = newNoticeMessageId(Date.now());
  await test.ledger.noteWhoIsAsked(100);
  await make(id);
  await test.ledger.beginDelivery(id);
  await test.ledger.recordDelivery(id, 1, { kind: 'delivered', detail: 'answered 204' });
  await answered(test, over);
  expect(await test.ledger.noteWhoIsAsked(100)).toEqual({ noted: 0, ended: 1 });
  test.clock.advance(89 * DAY_MS);
  expect(await test.ledger.pruneNotices(100)).toBe(0);
  test.clock.advance(2 * DAY_MS);
  expect(await test.ledger.pruneNotices(100)).toBe(0);
  expect((await test.ledger.untold(QUESTION)).groups).toEqual([]);
  await answered(test, open);
  await test.ledger.noteWhoIsAsked(100);
  test.clock.advance(91 * DAY_MS);
  expect(await test.ledger.pruneNotices(100)).toBe(3);
  expect(await counts()).toEqual({ notices: 0, messages: 0 });
});
