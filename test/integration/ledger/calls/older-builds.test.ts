import { describe, expect, it } from 'vitest';
import { createResolution } from '../../../../src/calls/decisions/decide.js';
import { newDecisionId, type ReversalId, type TransferId } from '../../../../src/domain/ids.js';
import { createDatabase } from '../../../../src/ledger/database.js';
import { newestKnown } from '../../../../src/ledger/migrate.js';
import { MINUTE_MS } from '../../../support/durations.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { askAboutForeign } from '../../../support/marketplace/foreign-reversals.js';
import { HOLD_MS, marketplaceLedgerForFile } from '../../../support/marketplace/steps.js';

const { test, steps } = await marketplaceLedgerForFile();

/** A share of 300 of which 120 were taken by others, as a person has decided. */
async function partlyCounted() {
  const seller = unique('acct');
  const order = await steps.paid({ [seller]: 1_000 });
  await steps.send(order.transfers[seller] as TransferId);
  await steps.refunded(order.id, 300);
  const id = (await steps.find(order.id)).reversals[0]?.id as ReversalId;
  const foreign = unique('trr');
  const claim = await steps.holdReversal(id);
  await askAboutForeign(test, claim, foreign);
  const reversals = [{ id: foreign, amount: '120', settled: true }];
  const verified = { kind: 'taken_by_others', reversals, left: '880' } as const;
  const decided = await steps.decide({ kind: 'reversal', itemId: id, action: 'take_missing', verified });
  expect(decided.kind).toBe('applied');
  return id;
}

/** What an older build, which knows nothing of what is counted, leaves behind. */
const frozenByOlderBuild = (id: ReversalId, certainty: string) =>
  test.database.query(
    `UPDATE reversals SET params = '{"amount":300,"metadata":{}}', key_first_sent_at = clock_now(), certainty = $2 WHERE id = $1`,
    [id, certainty],
  );

describe('what an older build froze', () => {
  it('does not leave: SQL refuses to send another amount than is due', async () => {
    const id = await partlyCounted();
    await expect(
      test.database.query(
        `UPDATE reversals SET params = '{"amount":300}', certainty = 'in_flight', attempts = attempts + 1,
           key_first_sent_at = clock_now() WHERE id = $1`,
        [id],
      ),
    ).rejects.toThrow('180 are to be sent');
  });

  it('and surely not sent is frozen anew, under a new key, with what is due', async () => {
    const id = await partlyCounted();
    await frozenByOlderBuild(id, 'not_sent');
    const before = await keyOf(id);
    const claim = await steps.holdReversal(id);
    const permit = await steps.permit(claim);
    expect(permit).toMatchObject({ kind: 'send', params: { amount: 180 } });
    expect(await keyOf(id)).not.toEqual(before);
  });

  it('and may have sent is asked about, and nothing of it is sent', async () => {
    const id = await partlyCounted();
    await frozenByOlderBuild(id, 'unknown');
    expect(await test.ledger.claimReversal(id, 'worker/new', HOLD_MS)).toMatchObject({
      kind: 'attention',
      reason: 'conflict',
    });
    expect((await steps.reversal(id)).attention?.detail).toContain('180 USD are to be taken');
    await steps.longAbsent({ kind: 'reversal', id });
    steps.pass(MINUTE_MS);
    await steps.longAbsent({ kind: 'reversal', id });
    await steps.decide({ kind: 'reversal', itemId: id, action: 'retry' });
    const permit = await steps.permit(await steps.holdReversal(id));
    expect(permit).toMatchObject({ kind: 'send', params: { amount: 180 } });
  });

  it('and sent, and Stripe shows whole, is adopted: what was counted of it stands for nothing any more, and that is told', async () => {
    const id = await partlyCounted();
    await frozenByOlderBuild(id, 'unknown');
    await test.ledger.claimReversal(id, 'worker/new', HOLD_MS);
    const { stripeTransferId, transferId } = await steps.reversal(id);
    const ours = unique('trr_ours');
    const common = { stripeTransferId, currency: 'USD', createdAt: '2026-11-28T00:00:00.000Z', state: 'done' };
    const found = {
      transfer: { ...common, amount: 1_000n, amountReversed: 420n, metadata: {} },
      reversals: [{ ...common, stripeReversalId: ours, amount: 300n, metadata: { operation_id: id } }],
    };
    const stripe = { inLane: () => ({ readTransfer: () => Promise.resolve({ kind: 'found', value: found }) }) };
    const resolution = createResolution({ ledger: test.ledger, stripe: stripe as never, chain: undefined });
    const adopt = () =>
      resolution.decide({
        id: newDecisionId(test.clock.nowMs()),
        kind: 'reversal',
        itemId: id,
        action: 'adopt',
        note: 'looked',
        evidence: null,
        by: 'olga',
        authenticated: true,
      });
    expect(await adopt()).toMatchObject({ kind: 'applied', status: 'reversed' });
    expect(await steps.reversal(id)).toMatchObject({
      stripeReversalId: ours,
      counted: 0n,
      attention: { reason: 'conflict', detail: expect.stringContaining('beside the 120 of others') },
    });
    expect((await steps.transfer(transferId)).amountReversed).toBe(300n);
    expect(await test.database.query('SELECT 1 FROM foreign_decisions WHERE reversal_id = $1', [id])).toEqual([]);
    expect(await adopt()).toMatchObject({ kind: 'applied' });
    expect((await steps.reversal(id)).attention).toBeNull();
  });
});

const keyOf = async (id: ReversalId) =>
  (await test.database.query<{ key: string }>('SELECT idempotency_key AS key FROM reversals WHERE id = $1', [id]))[0];

describe('a process that is older than the database', () => {
  it('takes no item, however long it has been running', async () => {
    const seller = unique('acct');
    const order = await steps.paid({ [seller]: 1_000 });
    const older = createDatabase({ url: test.url, knows: newestKnown() - 1 });
    try {
      for (const [table, id] of [
        ['seller_transfers', order.transfers[seller]],
        ['payments', order.paymentId],
      ])
        await expect(older.query(`UPDATE ${table} SET runner = 'old/1' WHERE id = $1`, [id])).rejects.toThrow(
          'this process is older than the database',
        );
    } finally {
      await older.close();
    }
  });

  it('stops when the schema moves on under it, and does not start again', async () => {
    const seller = unique('acct');
    const order = await steps.paid({ [seller]: 1_000 });
    const id = order.transfers[seller] as TransferId;
    const next = newestKnown() + 1;
    await test.database.query(`INSERT INTO schema_migrations (number, name, sha256) VALUES ($1, 'next', 'x')`, [next]);
    try {
      await expect(test.ledger.claimTransfer(id, 'worker/1', HOLD_MS)).rejects.toThrow('stop it and start the build');
      await expect(test.ledger.assertReady()).rejects.toThrow('newer than this build');
    } finally {
      await test.database.query('DELETE FROM schema_migrations WHERE number = $1', [next]);
    }
    expect((await test.ledger.claimTransfer(id, 'worker/1', HOLD_MS)).kind).toBe('claimed');
  });
});
