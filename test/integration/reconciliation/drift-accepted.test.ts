import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DriftId, newDriftId, newReconciliationId, type ReconciliationId } from '../../../src/domain/ids.js';
import { mailOf, webhookBody } from '../../../src/domain/notifications/message.js';
import type { DriftKind } from '../../../src/domain/reconciliation/drift.js';
import { givenUpAlone } from '../../../src/ledger/decisions/decision-rows.js';
import { startApi, summary, type TestApi, TOKENS } from '../../support/api.js';
import { runMakegood } from '../../support/cli.js';
import { ledgerForFile } from '../../support/ledger-fixtures.js';

const test = await ledgerForFile({ approvalThreshold: 10_000n });
const { database, ledger, clock } = test;
let api: TestApi;
let run: ReconciliationId;
let nth = 0;
beforeAll(async () => {
  api = await startApi({ ledger });
  run = newReconciliationId(clock.nowMs());
  await ledger.beginReconciliation({ id: run, requestedBy: 'nora', since: null });
});
afterAll(() => api.close());
const A_DAY_MS = 86_400_000;
beforeEach(async () => {
  // Nobody has accepted anything within the day of a test.
  clock.advance(A_DAY_MS);
  await database.query(
    `UPDATE drifts SET state = 'closed', closed_at = clock_now(), closed_why = 'agrees' WHERE state = 'open'`,
  );
});

async function drift({ amount = 500, kind = 'transfer_unknown' }: { amount?: number | null; kind?: DriftKind } = {}) {
  nth += 1;
  const id = newDriftId(clock.nowMs());
  await database.query(
    `INSERT INTO drifts (id, kind, provider, provider_id, amount, currency, ledger_says, provider_says, run_id, state, opened_at)
     VALUES ($1, $2, 'stripe', $3, $4, $5, 'nothing', 'made by hand', $6, 'open', clock_now())`,
    [id, kind, `tr_${nth}`, amount, amount === null ? null : 'USD', run],
  );
  return id;
}
const seenAgain = (id: DriftId, providerSays: string) =>
  ledger.driftStands(id, run, { ledgerSays: 'nothing', providerSays } as never);
const accept = (id: DriftId, version: unknown, token: string = TOKENS.operator) =>
  api.send(`/api/v1/drift/${id}/accept`, { token, json: { note: 'an advance', version } });
const read = async (id: DriftId) => (await api.send(`/api/v1/drift/${id}`, { token: TOKENS.viewer })).body;

async function makegood(...args: string[]): Promise<string> {
  const out: string[] = [];
  const env = {
    DATABASE_URL: test.url,
    APPROVAL_THRESHOLD: '10000',
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    API_TOKENS: `ada:operator:${TOKENS.operator},bob:approver:${TOKENS.approver}`,
  };
  const [last = ''] = args.slice(-1);
  const token = last.startsWith('token-of') ? args.pop() : undefined;
  await runMakegood(args, { env, token, clock, out: (line) => out.push(line), err: (line) => out.push(line) });
  return out.join('\n');
}

describe('accepting drift', () => {
  it('is of what the person saw: told otherwise meanwhile it is refused, told the same it is not', async () => {
    const id = await drift();
    const { version } = await read(id);
    await seenAgain(id, 'made by hand');
    await seenAgain(id, 'reversed in part');
    const refused = await accept(id, version);
    expect(summary(refused)).toEqual([409, 'changed_since']);
    expect(refused.body.detail).toContain('version 2 now');
    expect((await read(id)).state).toBe('open');
    const now = await read(id);
    await seenAgain(id, 'reversed in part');
    expect(summary(await accept(id, now.version))).toEqual([200, undefined]);
    expect(await read(id)).toMatchObject({
      state: 'closed',
      closed_why: 'accepted',
      closed_by: 'olga',
      note: 'an advance',
    });
  });

  it('has to name it', async () => {
    const id = await drift();
    for (const version of [undefined, 0, '1'])
      expect(summary(await accept(id, version))).toEqual([400, 'invalid_request']);
  });

  it.each([
    ['of as much as other decisions take two for', 10_000],
    ['of which nobody knows the amount', null],
  ])('%s takes a second person, who approves', async (_what, amount) => {
    const id = await drift({ amount });
    const asked = await accept(id, 1, TOKENS.approver);
    expect([asked.status, asked.body.waiting_acceptance]).toMatchObject([202, { by: 'anna', note: 'an advance' }]);
    expect((await accept(id, 1, TOKENS.approver)).status).toBe(202);
    expect(summary(await accept(id, 1))).toEqual([403, 'forbidden']);
    expect((await read(id)).state).toBe('open');
    // olga has another token, of an approver.
    const approved = await accept(id, 1, TOKENS.operatorAsApprover);
    expect([approved.status, approved.body.closed_by]).toEqual([200, 'anna, approved by olga']);
    const told = await database.query(
      `SELECT kind FROM operation_events WHERE item_kind = 'drift' AND item_id = $1 ORDER BY seq`,
      [id],
    );
    expect(told.map(({ kind }) => kind)).toEqual(['drift_acceptance_asked', 'drift_accepted']);
  });

  it('below it takes one, and what was asked about something else is not approved', async () => {
    expect((await accept(await drift({ amount: 9_999 }), 1)).status).toBe(200);
    const id = await drift({ amount: 20_000 });
    expect((await accept(id, 1)).status).toBe(202);
    await seenAgain(id, 'gone again');
    expect(await read(id)).toMatchObject({ version: 2, waiting_acceptance: null });
    expect((await accept(id, 2, TOKENS.approver)).status).toBe(202);
  });

  it('of many small ones is summed over a day for each person, with what he gives up: what goes over takes a second person', async () => {
    for (const amount of [4_000, 5_000]) expect((await accept(await drift({ amount }), 1)).status).toBe(200);
    const over = await drift({ amount: 1_000 });
    expect((await accept(over, 1)).status).toBe(202);
    expect((await accept(await drift({ amount: 999 }), 1)).status).toBe(200);
    // The same person by his other token, and in other letters.
    expect((await accept(await drift({ amount: 1 }), 1, TOKENS.operatorAsApprover)).status).toBe(202);
    expect((await accept(await drift({ amount: 9_999 }), 1, TOKENS.approver)).status).toBe(200);
    expect((await accept(over, 1, TOKENS.approver)).body.closed_by).toBe('olga, approved by anna');
    clock.advance(A_DAY_MS);
    expect((await accept(await drift({ amount: 9_999 }), 1)).status).toBe(200);
  });

  it('counts against what the same person may give up', async () => {
    expect((await accept(await drift({ amount: 9_000 }), 1)).status).toBe(200);
    const alone = (by: string | null, currency: string) =>
      database.transaction((query) => givenUpAlone(query, by, currency));
    expect([await alone('OLGA', 'usd'), await alone('olga', 'eur'), await alone(null, 'usd')]).toEqual([
      9_000n,
      0n,
      0n,
    ]);
  });

  it('by whom nobody authenticated comes out of one budget of all of them', async () => {
    const claimed = async (by: string, amount: number) =>
      await makegood('reconcile', '--accept', await drift({ amount }), '--seen', '1', '--note', 'x', '--by', by);
    expect(await claimed('eve', 6_000)).toContain('closed');
    await expect(claimed('ike', 6_000)).rejects.toThrow('MAKEGOOD_TOKEN');
  });

  it('at once, many small ones do not pass either', async () => {
    const ids = await Promise.all(Array.from({ length: 4 }, () => drift({ amount: 4_000 })));
    const statuses = await Promise.all(ids.map(async (id) => (await accept(id, 1)).status));
    expect(statuses.filter((status) => status === 200)).toHaveLength(2);
    expect(statuses.filter((status) => status === 202)).toHaveLength(2);
  });

  it('by the command names the version that was seen, and says what is missing', async () => {
    const id = await drift();
    for (const half of [
      ['--seen', '1'],
      ['--note', 'x'],
      ['--seen', '1', '--note', 'x'],
    ]) {
      const accepted = half.length === 4 ? [] : ['--accept', id];
      await expect(makegood('reconcile', ...accepted, ...half)).rejects.toThrow(
        '--accept, --seen and --note go together',
      );
    }
    for (const version of ['0', '-1', '1.5', 'latest', '1234567890'])
      await expect(makegood('reconcile', '--accept', id, `--seen=${version}`, '--note', 'x')).rejects.toThrow(
        'not a version of a drift',
      );
    expect((await read(id)).state).toBe('open');
  });

  it('goes by the command under the same rules', async () => {
    const id = await drift();
    expect(await makegood('explain', id)).toContain(`makegood reconcile --accept ${id} --seen 1 --note`);
    await seenAgain(id, 'something else');
    const by = (version: string, ...more: string[]) =>
      makegood('reconcile', '--accept', id, '--seen', version, '--note', 'x', ...more);
    await expect(by('1')).rejects.toThrow('told otherwise since you looked');
    expect(await by('2')).toContain('closed');
    const large = await drift({ amount: 50_000 });
    const accepts = (...more: string[]) =>
      makegood('reconcile', '--accept', large, '--seen', '1', '--note', 'x', ...more);
    await expect(accepts()).rejects.toThrow('MAKEGOOD_TOKEN');
    expect(await accepts(TOKENS.operator)).toContain('ada has asked that it be accepted');
    expect(await accepts(TOKENS.approver)).toContain('ada, approved by bob');
  });
});

describe('what a command has a worker do', () => {
  it.each([
    ['reconcile', 'reconciliations'],
    ['backfill-transfer-ids', 'backfills'],
  ])('%s is recorded under the name of the token, without one as claimed', async (command, table) => {
    const finish = () => database.query(`UPDATE ${table} SET state = 'finished', finished_at = clock_now()`);
    for (const who of [[TOKENS.operator], []]) {
      await finish();
      await expect(makegood(command, ...who)).rejects.toThrow('Temporal at 127.0.0.1:1 did not start');
    }
    const rows = await database.query<{ by: string }>(
      `SELECT requested_by AS by FROM ${table} ORDER BY started_at DESC, id DESC LIMIT 2`,
    );
    expect(rows.map(({ by }) => by).sort()).toEqual(['ada', 'nora']);
    await finish();
  });

  it('is asked of the API with no body as with an empty one', async () => {
    const path = '/api/v1/reconciliations';
    const [bare, empty] = [
      await api.send(path, { method: 'POST', token: TOKENS.operator }),
      await api.send(path, { token: TOKENS.operator, json: {} }),
    ];
    expect([summary(bare), summary(empty)]).toEqual([
      [202, undefined],
      [202, undefined],
    ]);
    expect(bare.body).toMatchObject({ id: empty.body.id, since: null, requested_by: 'olga' });
    expect(summary(await api.send(path, { token: TOKENS.operator, json: null }))).toEqual([400, 'invalid_request']);
  });
});

describe('open drift', () => {
  const contents = async () => {
    const destination = { id: 'webhook:test', stage: 'first' } as const;
    await ledger.registerDestinations([destination]);
    await ledger.noteWhoIsAsked(100);
    return (await ledger.untold({ destination: destination.id, stage: 'first', escalateAfterMs: 1 })).groups;
  };

  it('is noted like whatever else needs a person, once, and its notice ends with it', async () => {
    const [one, other] = [await drift(), await drift({ kind: 'payment_missing', amount: 700 })];
    expect(await ledger.noteWhoIsAsked(100)).toMatchObject({ noted: 2 });
    await seenAgain(one, 'made by hand');
    await seenAgain(other, 'something else');
    expect(await ledger.noteWhoIsAsked(100)).toEqual({ noted: 0, ended: 0 });
    expect(await contents()).toMatchObject([
      { reason: 'drift', totals: [{ currency: 'USD', amount: '1200', count: 2 }] },
    ]);
    await accept(one, 1);
    expect(await ledger.noteWhoIsAsked(100)).toEqual({ noted: 0, ended: 1 });
    const rows = await database.query(`SELECT item_kind FROM notices WHERE ended_at IS NULL`);
    expect(rows).toEqual([{ item_kind: 'drift/payment_missing' }]);
  });

  it('is told by its kinds, in words of its own, with its runbook', () => {
    const item = { orderId: null, amount: '500', currency: 'USD', decimals: null, since: '2026-01-01T00:00:00.000Z' };
    const message = {
      id: 'm',
      stage: 'first' as const,
      contents: {
        reason: 'drift' as const,
        writtenAt: '2026-01-01T01:00:00.000Z',
        oldestSince: item.since,
        count: 1,
        totals: [],
        kinds: [{ kind: 'drift/transfer_unknown' as const, count: 1 }],
        items: [{ ...item, kind: 'drift/transfer_unknown' as const, id: 'd' }],
      },
    };
    expect(JSON.parse(webhookBody(message, 'https://x.example')).data).toMatchObject({
      kinds: [
        {
          kind: 'drift/transfer_unknown',
          why: expect.stringContaining('does not know'),
          runbook: 'docs/runbooks/drift.md',
        },
      ],
      items: [{ console_url: 'https://x.example/console/drift' }],
    });
    expect(mailOf(message, undefined).text).toContain('1 of drift/transfer_unknown: Stripe holds a transfer');
  });
});
