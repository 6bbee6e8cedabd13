import { beforeEach, describe, expect, it } from 'vitest';
import { type ActionOf } from '../../../../src/domain/decisions/decisions.js';
import { newDecisionId } from '../../../../src/domain/ids.js';
import { createDecisions } from '../../../../src/ledger/decisions/decide.js';
import type { DecideOutcome } from '../../../../src/ledger/decisions/decision-types.js';
import { HOUR_MS } from '../../../support/durations.js';
import { ledgerForFile } from '../../../support/ledger-fixtures.js';
import { putOrder } from '../../../support/marketplace/fixtures.js';

const test = await ledgerForFile({ approvalThreshold: 1_000n });
beforeEach(() => test.clock.advance(25 * HOUR_MS));

/** A reversal that failed for good, of which Stripe holds nothing. */
async function stuck(amount: bigint, currency = 'USD'): Promise<string> {
  const order = await putOrder(test, {
    currency,
    transfers: [{ amount: 10n * amount }],
    refunds: [{ amount, reversals: [{ transfer: 0, amount, status: 'permanently_failed' }] }],
  });
  return order.reversals[0]!.id;
}

interface Say {
  readonly by?: string;
  readonly authenticated?: boolean;
  readonly action?: ActionOf<'reversal'>;
}
const say = (itemId: string, { by = 'olga', authenticated = true, action = 'write_off' }: Say = {}) => ({
  id: newDecisionId(test.clock.nowMs()),
  kind: 'reversal' as const,
  itemId,
  action,
  by,
  authenticated,
  note: 'gone',
  evidence: null,
  verified: { kind: 'absent' } as const,
});
const giveUp = (itemId: string, said: Say = {}): Promise<DecideOutcome> => test.ledger.decide(say(itemId, said));
const kindOf = async (outcome: Promise<DecideOutcome>) => (await outcome).kind;

describe('what one person gives up within a day', () => {
  it('stays below the threshold in all, and the next one that would reach it asks', async () => {
    expect(await kindOf(giveUp(await stuck(600n)))).toBe('applied');
    expect(await kindOf(giveUp(await stuck(399n)))).toBe('applied');
    const last = await stuck(1n);
    expect(await kindOf(giveUp(last))).toBe('pending_approval');
    expect(await kindOf(giveUp(await stuck(1n), { by: 'nils' }))).toBe('applied');
  });

  it('stays below it however many are given up at once', async () => {
    const items = await Promise.all(Array.from({ length: 12 }, () => stuck(300n)));
    const outcomes = await Promise.all(items.map((id) => kindOf(giveUp(id))));
    expect(outcomes.filter((kind) => kind === 'applied')).toHaveLength(3);
    expect(outcomes.filter((kind) => kind === 'pending_approval')).toHaveLength(9);
  });

  it('is forgotten a day later, and not a moment before', async () => {
    await giveUp(await stuck(600n));
    test.clock.advance(24 * HOUR_MS - 60_000);
    const waits = await stuck(600n);
    expect(await kindOf(giveUp(waits))).toBe('pending_approval');
    test.clock.advance(61_000);
    expect(await kindOf(giveUp(await stuck(600n)))).toBe('applied');
  });

  it('is counted by currency: amounts of different ones are never added', async () => {
    expect(await kindOf(giveUp(await stuck(600n)))).toBe('applied');
    expect(await kindOf(giveUp(await stuck(600n, 'EUR')))).toBe('applied');
    expect(await kindOf(giveUp(await stuck(600n, 'EUR')))).toBe('pending_approval');
  });

  it('is nothing that two persons agreed on, that was only asked for, or that was tried again', async () => {
    const asked = await giveUp(await stuck(5_000n));
    if (asked.kind !== 'pending_approval') throw new Error(asked.kind);
    const approval = { decisionId: asked.decisionId, by: 'anna', note: 'yes', verified: { kind: 'absent' } } as const;
    expect(await test.ledger.approve(approval)).toMatchObject({ kind: 'applied' });
    await giveUp(await stuck(5_000n));
    await giveUp(await stuck(5_000n), { action: 'retry' });
    expect(await kindOf(giveUp(await stuck(999n)))).toBe('applied');
    expect(await kindOf(giveUp(await stuck(999n), { by: 'anna' }))).toBe('applied');
  });

  it('is one budget of all whom nobody authenticated, whatever names they give', async () => {
    expect(await kindOf(giveUp(await stuck(600n), { by: 'ann', authenticated: false }))).toBe('applied');
    expect(await kindOf(giveUp(await stuck(600n), { by: 'bob', authenticated: false }))).toBe('pending_approval');
    // A name that is only claimed uses up nothing of the person who bears it.
    expect(await kindOf(giveUp(await stuck(600n), { by: 'ann' }))).toBe('applied');
  });
});

describe('who is written in another case than before', () => {
  const approval = (asked: DecideOutcome, by: string) => {
    if (asked.kind !== 'pending_approval') throw new Error(asked.kind);
    return test.ledger.approve({ decisionId: asked.decisionId, by, note: 'yes', verified: { kind: 'absent' } });
  };

  it('approves no request of his own, and a second person does', async () => {
    const asked = await giveUp(await stuck(5_000n), { by: 'Ann' });
    for (const by of ['ann', 'ANN', 'Ann']) expect(await approval(asked, by)).toEqual({ kind: 'self_approval' });
    expect(await approval(asked, 'Anna')).toMatchObject({ kind: 'applied' });
  });

  it('is not both of the two whom a request from nobody takes', async () => {
    const asked = await giveUp(await stuck(5_000n), { by: 'cron', authenticated: false });
    expect(await approval(asked, 'Ann')).toMatchObject({ kind: 'pending_approval' });
    expect(await approval(asked, 'ann')).toEqual({ kind: 'self_approval' });
    expect(await approval(asked, 'bert')).toMatchObject({ kind: 'applied' });
  });

  it('has given up what he gave up under the other spelling, also at the same moment', async () => {
    const items = await Promise.all(Array.from({ length: 6 }, () => stuck(600n)));
    const spelled = ['Ann', 'ann', 'ANN', 'aNN', 'anN', 'AnN'];
    const outcomes = await Promise.all(items.map((id, at) => kindOf(giveUp(id, { by: spelled[at] ?? '' }))));
    expect(outcomes.toSorted()).toEqual(['applied', ...Array.from({ length: 5 }, () => 'pending_approval')]);
  });
});

describe('a threshold by currency', () => {
  const deciding = () =>
    createDecisions(test.database, {
      approvalThreshold: new Map([
        ['usd', 1_000n],
        ['jpy', 15_000n],
      ]),
      clock: test.clock,
    });
  it.each([
    ['USD', 999n, 'applied'],
    ['USD', 1_000n, 'pending_approval'],
    ['JPY', 14_999n, 'applied'],
    ['JPY', 15_000n, 'pending_approval'],
    ['CHF', 1n, 'pending_approval'],
  ] as const)('%s %i is %s', async (currency, amount, expected) => {
    expect(await kindOf(deciding().decide(say(await stuck(amount, currency))))).toBe(expected);
  });
});

describe('a request that nobody authenticated', () => {
  const request = async (itemId: string, said: Say) => {
    const outcome = await giveUp(itemId, said);
    if (outcome.kind !== 'pending_approval') throw new Error(outcome.kind);
    return outcome.decisionId;
  };

  it('gives way to one of a person, and keeps nobody from asking', async () => {
    const id = await stuck(5_000n);
    const bare = await request(id, { by: 'ann', authenticated: false });
    expect(await kindOf(giveUp(id, { by: 'eve', authenticated: false }))).toBe('not_waiting');
    const known = await request(id, { by: 'olga' });
    // Whoever comes too late is told what he could approve.
    expect(await giveUp(id, { by: 'nils' })).toMatchObject({ kind: 'not_waiting', request: known });
    const rows = await test.database.query(
      'SELECT id, state, asked_reason FROM decisions WHERE id = ANY ($1) ORDER BY state',
      [[bare, known]],
    );
    expect(rows).toEqual([
      { id: bare, state: 'ignored', asked_reason: 'retries_exhausted' },
      { id: known, state: 'pending_approval', asked_reason: 'retries_exhausted' },
    ]);
    const { attention } = (await test.ledger.findReversal(id as never))!;
    expect(attention?.detail).toMatch(/^olga asks to write_off .*before that: retries_exhausted: (?!.*asks to)/);
  });

  it('is told as what it is: its name counts for nobody', async () => {
    const id = await stuck(5_000n);
    await request(id, { by: 'anna', authenticated: false });
    expect((await test.ledger.findReversal(id as never))?.attention?.detail).toMatch(
      /^anna asks to write_off \(decision [0-9a-f-]+, claimed by nobody we know: it takes two persons\)/,
    );
  });
});

describe('the database itself refuses', () => {
  /** A request of Ann's that waits; `by` and `authenticated` say who she is. */
  const pending = async (columns: Record<string, unknown> = {}): Promise<string> => {
    const row = {
      id: newDecisionId(test.clock.nowMs()),
      item_kind: 'reversal',
      item_id: newDecisionId(test.clock.nowMs()),
      action: 'write_off',
      state: 'pending_approval',
      by: 'ann',
      authenticated: true,
      note: 'n',
      rests_on: 'two',
      amount: 5,
      currency: 'usd',
      ...columns,
    };
    const names = Object.keys(row);
    await test.database.query(
      `INSERT INTO decisions (${names.join(', ')}) VALUES (${names.map((_name, index) => `$${index + 1}`).join(', ')})`,
      Object.values(row),
    );
    return row.id;
  };
  const set = (id: string, sql: string) => test.database.query(`UPDATE decisions SET ${sql} WHERE id = $1`, [id]);
  const APPROVED = (by: string) => `state = 'applied', approved_by = '${by}', approved_at = clock_now()`;
  const FIRST = (by: string) => `first_approver = '${by}', first_approved_at = clock_now()`;

  it.each([
    ['a second person who is the first', {}, [APPROVED('ann')], /approver_is_another/],
    ['a second person who is the first, written otherwise', {}, [APPROVED('ANN')], /approver_is_another/],
    ['a decision of two that nobody approved', {}, [`state = 'applied'`], /two_principals/],
    ['a claimed name as one of the two', { authenticated: false }, [APPROVED('anna')], /two_principals/],
    ['one approver who counts twice', { authenticated: false }, [FIRST('anna'), APPROVED('anna')], /approvers_differ/],
    ['the same, written otherwise', { authenticated: false }, [FIRST('Anna'), APPROVED('aNNA')], /approvers_differ/],
    [
      'another first approver afterwards',
      { authenticated: false },
      [FIRST('anna'), FIRST('bert')],
      /what was asked cannot be changed/,
    ],
    ['a first of two where one is missing only', {}, [FIRST('anna')], /first_approval_is_whole/],
    ['a request that becomes another person’s', {}, [`by = 'eve'`], /what was asked cannot be changed/],
    [
      'a request that becomes an authenticated one',
      { authenticated: false },
      ['authenticated = true'],
      /cannot be changed/,
    ],
    ['a request that suddenly takes one', {}, [`rests_on = 'one'`], /cannot be changed/],
    ['a decision that is taken back', {}, [APPROVED('anna'), `state = 'pending_approval'`], /stays so/],
  ] as const)('%s', async (_what, columns, updates, error) => {
    const id = await pending(columns);
    for (const sql of updates.slice(0, -1)) await set(id, sql);
    await expect(set(id, updates.at(-1)!)).rejects.toThrow(error);
  });

  it.each([
    [
      'a compensation on one word',
      { action: 'compensate', item_kind: 'refund', state: 'applied', rests_on: 'one' },
      /compensation_takes_two/,
    ],
    ['one word that is not counted', { state: 'applied', rests_on: 'one', amount: null }, /alone_is_counted/],
    ['a decision that does not say on whose word', { state: 'applied', rests_on: null }, /rests_on_is_said/],
  ] as const)('%s', async (_what, columns, error) => {
    await expect(pending(columns)).rejects.toThrow(error);
  });
});
