import { describe, expect, it } from 'vitest';
import type { RefundFacts } from '../../../../src/domain/calls/provider-answers.js';
import type { DecisionId, RefundId } from '../../../../src/domain/ids.js';
import { HOUR_MS, MINUTE_MS } from '../../../support/durations.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { dashboardRefund } from '../../../support/marketplace/hyperswitch-facts.js';
import { marketplaceLedgerForFile } from '../../../support/marketplace/steps.js';

/** What Hyperswitch holds of a refund does not fit it: a person is asked once for each evidence, and nothing is believed. */

const { test, steps } = await marketplaceLedgerForFile();

const seller = () => unique('acct');
const reads = (refundId: RefundId, facts: RefundFacts) => test.ledger.applyRefund({ refundId, runner: null, facts });
const writesOff = (itemId: RefundId) => steps.decide({ kind: 'refund', itemId, action: 'write_off' });
/** How often a person was asked, and since when. */
async function asked(id: RefundId) {
  const [row] = await test.database.query<{ times: number }>(
    `SELECT count(*)::int AS times FROM operation_events WHERE item_kind = 'refund' AND item_id = $1
       AND kind IN ('conflict', 'unknown_status', 'provider_mismatch', 'resource_missing')`,
    [id],
  );
  return { times: row?.times, attention: (await steps.refund(id)).attention?.reason ?? null };
}
const again = async (id: RefundId, facts: RefundFacts) => {
  for (let read = 0; read < 3; read += 1) {
    steps.pass(HOUR_MS);
    await reads(id, facts);
  }
  return await asked(id);
};

async function refundOf(amount = 300) {
  const order = await steps.paid({ [seller()]: 1_000 });
  const id = await steps.askRefund(order.id, amount);
  return { order, id, fits: await steps.factsOf(id, 'pending') };
}

describe('a refund of which Hyperswitch holds something else', () => {
  it.each([
    ['another currency', { currency: 'EUR' }],
    ['another amount', { amount: 301n }],
    ['another payment', { hyperswitchPaymentId: 'pay_of_somebody_else' }],
    ['another id', { hyperswitchRefundId: 'ref_of_somebody_else' }],
    ['a status that is in no document', { asks: 'unknown_status' as const, providerStatus: 'levitating' }],
  ])('(%s) asks once for the same evidence, and never again when a person has decided', async (_what, change) => {
    const { id, order, fits } = await refundOf();
    const other = { ...fits, ...change };
    const { times: once } = await again(id, other);
    expect(once).toBe(1);
    expect(await writesOff(id)).toMatchObject({ kind: 'applied', status: 'pending' });
    expect(await again(id, other)).toEqual({ times: 1, attention: null });

    // What Hyperswitch says of it is not ours to believe, whatever a person has decided.
    const more = { ...other, status: 'succeeded' as const, providerStatus: `${other.providerStatus}_2` };
    expect(await reads(id, more)).toEqual({ status: 'pending', started: [] });
    expect(await asked(id)).toMatchObject({ attention: expect.any(String) });
    await writesOff(id);
    expect(await again(id, more)).toMatchObject({ attention: null });
    expect(await steps.find(order.id)).toMatchObject({ status: 'paid', refunds: [{ status: 'pending' }] });

    await reads(id, { ...fits, status: 'succeeded', providerStatus: 'succeeded' });
    expect(await steps.find(order.id)).toMatchObject({ status: 'partially_refunded', refunds: [{ attention: null }] });
  });

  it('is asked about again once the refund has succeeded and its share was taken', async () => {
    const { id, fits } = await refundOf();
    const other = { ...fits, asks: 'unknown_status' as const, providerStatus: 'levitating' };
    await reads(id, other);
    await writesOff(id);
    expect(await again(id, other)).toEqual({ times: 1, attention: null });
    await steps.refundSays(id, 'succeeded');
    expect(await again(id, other)).toEqual({ times: 2, attention: 'unknown_status' });
    await writesOff(id);
    expect(await again(id, other)).toEqual({ times: 2, attention: null });
    await steps.refundSays(id, 'failed');
    expect(await again(id, other)).toEqual({ times: 3, attention: 'unknown_status' });
  });

  it('is asked about again when a person has it read once more', async () => {
    const { id, fits } = await refundOf();
    const other = { ...fits, currency: 'EUR' };
    await reads(id, other);
    await steps.decide({ kind: 'refund', itemId: id, action: 'retry' });
    await reads(id, other);
    expect(await asked(id)).toEqual({ times: 2, attention: 'conflict' });
  });

  it('waits for one approval of its write-off, however often it is read, and is asked about what came meanwhile', async () => {
    const order = await steps.paid({ [seller()]: 50_000 });
    const id = await steps.askRefund(order.id, 20_000);
    const other = { ...(await steps.factsOf(id, 'pending')), currency: 'EUR' };
    await reads(id, other);
    const decide = await writesOff(id);
    if (decide.kind !== 'pending_approval') throw new Error(decide.kind);
    expect(await again(id, other)).toMatchObject({ attention: 'approval_pending' });
    const succeeded = { ...other, status: 'succeeded' as const, providerStatus: 'succeeded' };
    await reads(id, succeeded);
    expect(await approve(decide.decisionId)).toMatchObject({ kind: 'applied' });
    expect(await again(id, other)).toMatchObject({ attention: null });
    await reads(id, succeeded);
    expect(await asked(id)).toMatchObject({ attention: 'conflict' });
  });

  it.each([
    ['a question', 300, 'unknown_status'],
    ['a decision about it that waits for another person', 20_000, 'approval_pending'],
  ] as const)('is over once Hyperswitch calls it succeeded, which it was: %s', async (_what, amount, reason) => {
    const order = await steps.paid({ [seller()]: 50_000 });
    const id = await steps.askRefund(order.id, amount);
    const succeeded = await steps.factsOf(id, 'succeeded');
    await reads(id, succeeded);
    await reads(id, { ...succeeded, asks: 'unknown_status', providerStatus: 'levitating' });
    const decided = reason === 'approval_pending' ? await writesOff(id) : undefined;
    expect(await asked(id)).toMatchObject({ attention: reason });
    await reads(id, succeeded);
    expect(await asked(id)).toMatchObject({ attention: null });
    const over = await test.database.query(
      `SELECT kind, detail ->> 'was' AS was FROM operation_events WHERE item_kind = 'refund' AND item_id = $1
         AND kind IN ('attention_over', 'request_withdrawn') ORDER BY kind`,
      [id],
    );
    const withdrawn = [{ kind: 'request_withdrawn', was: null }];
    expect(over).toEqual([{ kind: 'attention_over', was: 'unknown_status' }, ...(decided ? withdrawn : [])]);
    if (decided?.kind === 'pending_approval')
      expect(await approve(decided.decisionId)).toMatchObject({ kind: 'not_waiting' });
  });

  const approve = (decisionId: DecisionId) =>
    test.ledger.approve({ decisionId, by: 'anna', note: 'I agree', verified: { kind: 'not_needed' } });

  it('made in the dashboard in another currency, is found at each reading of its payment and asked about once', async () => {
    const order = await steps.paid({ [seller()]: 1_000 });
    const facts = dashboardRefund(order, 300n, 'EUR');
    const finds = () => test.ledger.adoptRefund(order.paymentId, crypto.randomUUID() as RefundId, facts);
    const { refundId } = await finds();
    await writesOff(refundId);
    for (let read = 0; read < 3; read += 1) expect(await finds()).toEqual({ refundId, status: 'pending', started: [] });
    expect(await asked(refundId)).toEqual({ times: 1, attention: null });
    expect(await steps.find(order.id)).toMatchObject({ status: 'paid' });
  });

  it('beyond what was paid, is one question and not a new one at each reading, until another refund has failed', async () => {
    const order = await steps.paid({ [seller()]: 1_000 });
    const ours = await steps.refunded(order.id);
    const facts = dashboardRefund(order, 1_000n);
    const { refundId } = await test.ledger.adoptRefund(order.paymentId, crypto.randomUUID() as RefundId, facts);
    const { attention } = await steps.refund(refundId);
    expect(await again(refundId, facts)).toEqual({ times: 1, attention: 'conflict' });
    expect((await steps.refund(refundId)).attention?.since).toEqual(attention?.since);
    await writesOff(refundId);
    expect(await again(refundId, facts)).toEqual({ times: 1, attention: null });
    await steps.refundSays(ours, 'failed');
    expect(await reads(refundId, facts)).toMatchObject({ status: 'succeeded' });
  });

  it.each(['provider_mismatch', 'resource_missing'] as const)(
    'that brings no reading (%s) asks once as well',
    async (reason) => {
      const { id } = await refundOf();
      const asks = async () => {
        const runner = unique('runner');
        steps.pass(2 * MINUTE_MS);
        expect(await test.ledger.claimRefund(id, runner, MINUTE_MS)).toMatchObject({ kind: 'claimed' });
        await test.ledger.askAboutRefund({ id, runner, certainty: 'done', reason, detail: 'it is not there' });
      };
      await asks();
      expect(await asked(id)).toEqual({ times: 1, attention: reason });
      await writesOff(id);
      await asks();
      await asks();
      expect(await asked(id)).toEqual({ times: 1, attention: null });
      // It is looked at again, and nobody has it meanwhile.
      expect(await steps.row('refunds', id)).toMatchObject({ runner: null, next_check_at: expect.any(Date) });
    },
  );
});

describe('what is owed to a seller again', () => {
  it.each([
    ['a status that is in no document', 'unknown_status', { asks: 'unknown_status', providerStatus: 'levitating' }],
    ['another amount', 'conflict', { amount: 301n }],
  ] as const)(
    'stays asked when Hyperswitch answers once with %s, and that is asked after it',
    async (_what, reason, change) => {
      const account = seller();
      const order = await steps.paid({ [account]: 1_000 });
      await steps.send(order.transfers[account]!);
      const id = await steps.refunded(order.id, 300);
      await steps.reverse((await steps.find(order.id)).reversals[0]!.id);
      await steps.refundSays(id, 'failed');
      const fits = await steps.factsOf(id, 'failed');
      const odd = { ...fits, ...change };
      await reads(id, odd);
      expect(await asked(id)).toEqual({ times: 0, attention: 'refund_failed_after_reversal' });
      await reads(id, fits);
      expect(await asked(id)).toEqual({ times: 0, attention: 'refund_failed_after_reversal' });

      await writesOff(id);
      expect((await test.ledger.dueItems('refund', 10_000)).map((due) => due.id)).toContain(id);
      await reads(id, odd);
      expect(await asked(id)).toEqual({ times: 1, attention: reason });
    },
  );
});
