import type { WorkflowUpdateFailedError } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { payerAccount, payerOnLedger } from '../../../sandbox/payer/account.js';
import type { AttentionReason } from '../../../src/domain/decisions/attention.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import {
  type Resolution,
  rereadSignal,
  resolveSignal,
  resolveUpdate,
  stateQuery,
} from '../../../workflows/messages.js';
import { post } from '../../support/sandbox-bodies.js';
import { paidSettlement } from '../../support/settlements/settlement-world.js';
import { decideInLedger } from '../../support/settlements/settling.js';
import { openSettlementTest, type SettlementTest } from '../../support/settlements/time-skipping.js';

const DAY_MS = 24 * 3_600_000;
let skipping: SettlementTest;

beforeEach(async () => {
  skipping = await openSettlementTest();
});
afterEach(() => skipping.dispose());

async function refusedOnce(): Promise<SettlementId> {
  skipping.sandbox.setFaults([{ kinds: ['refused'], times: 1 }]);
  const id = await skipping.accept();
  await skipping.start(id);
  await skipping.untilIn('needs_attention', id);
  return id;
}
const decide = (id: SettlementId, changes: Partial<Resolution> | Record<string, unknown> = {}) =>
  skipping.handleOf(id).executeUpdate(resolveUpdate, {
    args: [{ action: 'retry', by: 'ann', note: 'by hand', ...changes }],
  });
const decisionsOn = (id: SettlementId) =>
  skipping.test.database.query('SELECT action, state, by FROM decisions WHERE item_id = $1 ORDER BY requested_at', [
    id,
  ]);
/** A settlement that `before` knows the bytes of, before it is stored. */
async function accepted(before: (body: string) => Promise<unknown>): Promise<SettlementId> {
  const { test } = skipping;
  const settlement = await paidSettlement('x402', { nowMs: test.clock.nowMs() });
  await before(settlement.body ?? '');
  await test.ledger.createSettlement(settlement);
  return settlement.id;
}

describe('resolve as an update', () => {
  it('answers at once what was decided, and the charge is collected', async () => {
    const id = await refusedOnce();
    expect(await decide(id)).toMatchObject({ outcome: 'applied', status: 'pending' });
    await skipping.untilSettled(id);
  });

  it.each([
    ['an action that is none', { action: 'refund' }, /action is one of/],
    ['nobody’s name', { by: ' ' }, /by names who decides/],
    ['a note that is no text', { note: 7 }, /note is a text/],
    ['evidence that is no object', { evidence: ['0xabc'] }, /evidence is an object/],
  ])('refuses %s before anything is recorded', async (_what, changes, why) => {
    const id = await refusedOnce();
    const failure = await decide(id, changes).catch((error: WorkflowUpdateFailedError) => error);
    expect(failure).toMatchObject({
      cause: { type: 'InvalidResolution', message: expect.stringMatching(why) as string },
    });
    expect(await decisionsOn(id)).toEqual([]);
    expect((await skipping.find(id)).status).toBe('needs_attention');
    await skipping.handleOf(id).terminate();
  });

  it('is refused while nothing waits for a decision', async () => {
    const id = await skipping.accept();
    skipping.sandbox.setFaults([{ kinds: ['server_error'], times: 1 }]);
    await skipping.start(id);
    await skipping.untilIn('waiting_to_retry', id);
    await expect(decide(id)).rejects.toMatchObject({ cause: { type: 'NotWaiting' } });
    await skipping.untilSettled(id);
    expect(await decisionsOn(id)).toEqual([]);
  });

  it('without proof of absence becomes a request, which the workflow shows and two approvers confirm', async () => {
    const { sandbox, accept, start, untilIn, test, handleOf, world, until, find } = skipping;
    const id = await accept();
    sandbox.setFaults([
      { kinds: ['reset_before_commit'], times: 1 },
      { kinds: ['refused'], times: 1 },
    ]);
    await start(id);
    await untilIn('needs_attention', id);
    const answer = await decide(id, { action: 'write_off' });
    expect(answer).toMatchObject({ outcome: 'pending_approval', status: 'needs_attention' });
    await until('it says what it waits for', async () => {
      return (await handleOf(id).query(stateQuery)).reason === 'approval_pending';
    });
    const approve = async (by: string) =>
      (
        await test.ledger.approve({
          decisionId: answer.decision_id as never,
          by,
          note: 'seen',
          verified: { kind: 'not_needed' },
        })
      ).kind;
    expect([await approve('anna'), await approve('bert')]).toEqual(['pending_approval', 'applied']);
    expect((await find(id)).status).toBe('written_off');
    await world.orchestration.wake(await find(id));
    await until('it ends', async () => (await handleOf(id).describe()).status.name === 'COMPLETED');
  });
});

describe('resolve as a signal', () => {
  it('that comes while a call is in flight waits, and is taken when it is needed', async () => {
    const { sandbox, accept, start, untilIn, handleOf, untilSettled } = skipping;
    const id = await accept();
    sandbox.setFaults([
      { kinds: ['server_error'], times: 1 },
      { kinds: ['refused'], times: 1 },
    ]);
    await start(id);
    await untilIn('waiting_to_retry', id);
    await handleOf(id).signal(resolveSignal, { action: 'retry', by: 'ann', note: 'early' });
    await untilSettled(id);
    expect(await decisionsOn(id)).toEqual([{ action: 'retry', state: 'applied', by: 'ann' }]);
  });

  it('decides once: the first of many wins, the others are recorded as ignored', async () => {
    const id = await refusedOnce();
    const handle = skipping.handleOf(id);
    await handle.signal(resolveSignal, { action: 'write_off', by: 'first', note: 'lost' });
    await handle.signal(resolveSignal, { action: 'retry', by: 'second', note: 'no, again' });
    await handle.signal(resolveSignal, { action: 'settled', by: 'third', note: 'seen', evidence: { tx_hash: '0x1' } });
    await skipping.until('it ends', async () => (await handle.describe()).status.name === 'COMPLETED');
    expect((await skipping.find(id)).status).toBe('written_off');
    expect(await decisionsOn(id)).toEqual([
      { action: 'write_off', state: 'applied', by: 'first' },
      { action: 'retry', state: 'ignored', by: 'second' },
      { action: 'settled', state: 'ignored', by: 'third' },
    ]);
    expect((await handle.query(stateQuery)).ignored.map(({ by }) => by)).toEqual(['second', 'third']);
    expect(skipping.sandbox.ledger().totals.debits).toBe(0);
  });

  it('that cannot be read is told in the state and changes nothing', async () => {
    const id = await refusedOnce();
    const handle = skipping.handleOf(id);
    await handle.signal('resolve', null);
    await handle.signal('resolve', { action: 'burn', by: 'ann', note: '' });
    await skipping.until('both are told', async () => (await handle.query(stateQuery)).ignored.length === 2);
    expect(await decisionsOn(id)).toEqual([]);
    await handle.signal(resolveSignal, { action: 'retry', by: 'ann', note: 'again' });
    await skipping.untilSettled(id);
  });

  it.each([
    ['NUL', { note: 'a\0b' }],
    ['half a surrogate pair', { evidence: { tx_hash: '\ud800' } }],
    ['more than an index holds', { evidence: { tx_hash: 'x'.repeat(9_000) } }],
  ])('that says %s, which the ledger cannot keep, is told in the state, and the next is taken', async (_what, bad) => {
    const id = await refusedOnce();
    const handle = skipping.handleOf(id);
    await handle.signal(resolveSignal, { action: 'retry', by: 'ann', note: 'x', ...bad });
    await skipping.until('it is told', async () => (await handle.query(stateQuery)).ignored.length === 1);
    expect(await decisionsOn(id)).toEqual([]);
    await handle.signal(resolveSignal, { action: 'retry', by: 'ann', note: 'again' });
    await skipping.untilSettled(id);
  });

  it('is taken after days of waiting, in a run that began as new each day', async () => {
    const { env, handleOf, untilSettled, untilIn } = skipping;
    const id = await refusedOnce();
    const { runId } = await handleOf(id).describe();
    // A day at a time: within one long skip the clock would run on while a new run still takes its first steps.
    for (let day = 1; day <= 3; day += 1) {
      await env.sleep(DAY_MS + 3_000);
      await untilIn('needs_attention', id);
    }
    const later = await handleOf(id).describe();
    expect(later.runId).not.toBe(runId);
    expect(later.historyLength).toBeLessThan(40);
    expect(await handleOf(id).query(stateQuery)).toMatchObject({
      phase: 'needs_attention',
      reason: 'credential_refused',
    });
    await handleOf(id).signal(resolveSignal, { action: 'write_off', by: 'ann', note: 'it has expired long ago' });
    await skipping.until('it ends', async () => (await handleOf(id).describe()).status.name === 'COMPLETED');
    expect((await skipping.find(id)).status).toBe('written_off');
    const other = await skipping.accept();
    await skipping.start(other);
    await untilSettled(other);
  });
});

describe('a decision that overtakes what the workflow has just read', () => {
  /** The `nth` reading of an item that needs a person is followed by `meanwhile` before it is handed on. */
  async function afterReading(nth: number, meanwhile: (id: SettlementId) => Promise<unknown>): Promise<void> {
    const { test, useLedger } = skipping;
    let readings = 0;
    await useLedger({
      ...test.ledger,
      async findSettlement(id) {
        const found = await test.ledger.findSettlement(id);
        if (found?.status === 'needs_attention') {
          readings += 1;
          if (readings === nth) await meanwhile(id);
        }
        return found;
      },
    });
  }

  it('is not slept through when it was taken in the ledger while the attempt was being told', async () => {
    const { sandbox, accept, start, test, handleOf, untilSettled, find } = skipping;
    await afterReading(1, async (settlementId) => {
      await decideInLedger(test.ledger, settlementId, 'retry');
      await handleOf(settlementId).signal(rereadSignal);
    });
    sandbox.setFaults([{ kinds: ['refused'], times: 1 }]);
    const id = await accept({}, 'atxp');
    await start(id, 'atxp');
    await untilSettled(id);
    expect(await find(id)).toMatchObject({ attempts: 2 });
  });

  it('is not slept through when it came by an update while the ledger was being read', async () => {
    let answer: unknown;
    await afterReading(2, async (settlementId) => {
      answer = await decide(settlementId);
    });
    const id = await refusedOnce();
    await skipping.handleOf(id).signal(rereadSignal);
    await skipping.untilSettled(id);
    expect(answer).toMatchObject({ outcome: 'applied' });
    expect(await skipping.find(id)).toMatchObject({ attempts: 2 });
  });
});

describe('a person is asked, with the reason', () => {
  /** Brings a fresh settlement to the point where a person is asked. */
  const CAUSES: [AttentionReason, () => Promise<SettlementId>][] = [
    ['credential_refused', refusedOnce],
    [
      'uncollectable',
      async () => {
        await skipping.sandbox.setBalance(payerOnLedger(payerAccount('poor'), 'x402'), 0n);
        const id = await skipping.accept({ payer: 'poor' });
        await skipping.start(id);
        return id;
      },
    ],
    [
      'settled_elsewhere_suspected',
      async () => {
        const id = await accepted((body) => post(`${skipping.sandbox.url}/settle/x402`, body));
        await skipping.start(id);
        return id;
      },
    ],
    [
      'conflict',
      async () => {
        // The same authorization, moved by somebody under a request id of his own, while our call came to nothing.
        const id = await accepted((body) =>
          post(`${skipping.sandbox.url}/settle/x402`, { ...JSON.parse(body), paymentRequestId: 'somebody-else' }),
        );
        skipping.sandbox.setFaults([{ kinds: ['reset_before_commit'], times: 1 }]);
        await skipping.start(id);
        return id;
      },
    ],
    [
      'provider_config',
      async () => {
        skipping.sandbox.setFaults([{ kinds: ['http_403'] }]);
        const id = await skipping.accept({ validForMs: 5_000 });
        await skipping.env.sleep('10 seconds');
        await skipping.start(id);
        return id;
      },
    ],
  ];

  it.each(CAUSES)('%s', async (reason, cause) => {
    const id = await cause();
    await skipping.untilIn('needs_attention', id);
    expect((await skipping.find(id)).attention).toMatchObject({ reason });
    expect(await skipping.handleOf(id).query(stateQuery)).toMatchObject({ reason });
    await skipping.handleOf(id).terminate();
  });
});
