import { describe, expect, it } from 'vitest';
import type { StripeReader } from '../../../../src/calls/decisions/ask-stripe.js';
import { createResolution } from '../../../../src/calls/decisions/decide.js';
import { createWebhookProcessor } from '../../../../src/calls/marketplace/process-webhook.js';
import { createStripeCall } from '../../../../src/calls/marketplace/stripe-call.js';
import { transferCall } from '../../../../src/calls/marketplace/transfer-call.js';
import type { ReversalFacts, TransferFacts } from '../../../../src/domain/calls/provider-answers.js';
import { newDecisionId, type ReversalId, type TransferId } from '../../../../src/domain/ids.js';
import { MINUTE_MS } from '../../../support/durations.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import {
  askAboutForeign,
  foreignReversal,
  transferReversedEvent,
} from '../../../support/marketplace/foreign-reversals.js';
import { DONE, marketplaceLedgerForFile, UNKNOWN } from '../../../support/marketplace/steps.js';
import { orderWithReversals } from '../../../support/marketplace/stripe-calls.js';

const { test, steps } = await marketplaceLedgerForFile();

async function sharedOut(refund: number) {
  const { order, transferId, reversals } = await orderWithReversals(steps, [refund]);
  return { order, transferId, id: reversals[0]! };
}

const note = (id: TransferId, ...reversals: ReversalFacts[]) => test.ledger.noteReversed(id, { reversals });
const acknowledge = (id: TransferId) => steps.decide({ kind: 'transfer', itemId: id, action: 'adopt' });
const attentionOf = async (id: TransferId) => (await steps.transfer(id)).attention;

describe('what others took is told', () => {
  it('also where it came between our look and our call, and its event before our answer', async () => {
    const { transferId, id } = await sharedOut(300);
    const foreign = foreignReversal(300n);
    const claim = await steps.holdReversal(id);
    await steps.noteAbsent(claim);
    await steps.leave(claim);
    await note(transferId, foreign);
    expect(await attentionOf(transferId)).toBeNull();
    await steps.answered(claim, DONE);
    expect(await attentionOf(transferId)).toMatchObject({
      reason: 'partly_foreign_reversal',
      detail: expect.stringContaining(foreign.stripeReversalId),
    });
  });

  it('once the transfer has been answered what it asked before, and only once', async () => {
    const seller = unique('acct');
    const order = await steps.paid({ [seller]: 1_000 });
    const transferId = order.transfers[seller] as TransferId;
    for (let n = 0; n < 6; n += 1) {
      await steps.send(transferId, UNKNOWN);
      steps.pass(MINUTE_MS);
    }
    await test.ledger.adoptTransfer(transferId, unique('tr'));
    const foreign = foreignReversal(1_000n);
    await note(transferId, foreign);
    expect((await attentionOf(transferId))?.reason).toBe('late_success');
    await acknowledge(transferId);
    expect((await attentionOf(transferId))?.reason).toBe('foreign_reversal');
    await acknowledge(transferId);
    await note(transferId, foreign);
    expect(await attentionOf(transferId)).toBeNull();
  });

  it('when the share whose look would have asked is not due any more', async () => {
    const { order, transferId } = await sharedOut(300);
    await note(transferId, foreignReversal(200n));
    expect(await attentionOf(transferId)).toBeNull();
    const [refund] = (await steps.find(order.id)).refunds;
    if (!refund) throw new Error('there is no refund');
    await steps.refundSays(refund.id, 'failed');
    expect((await attentionOf(transferId))?.reason).toBe('partly_foreign_reversal');
  });

  it('not twice: what a share was asked about, or is adopted as, is known', async () => {
    const { transferId, id } = await sharedOut(300);
    const foreign = foreignReversal(300n);
    const claim = await steps.holdReversal(id);
    await note(transferId, foreign);
    await askAboutForeign(test, claim, foreign.stripeReversalId);
    await test.ledger.adoptReversal(id, foreign.stripeReversalId);
    expect(await attentionOf(transferId)).toBeNull();
  });
});

describe('a reversal of ours that Stripe tells of after it had ended here', () => {
  async function told(transferId: TransferId, operation: ReversalId, amount: bigint): Promise<string> {
    const { stripeTransferId, sellerAccount, orderId } = await steps.transfer(transferId);
    const ours = { ...foreignReversal(amount), metadata: { operation_id: operation, generation: '1' } };
    const transfer: TransferFacts = {
      stripeTransferId: stripeTransferId ?? '',
      amount: 1_000n,
      amountReversed: amount,
      currency: 'USD',
      destination: sellerAccount,
      transferGroup: orderId,
      metadata: { seller_transfer_id: transferId },
      createdAt: '2026-01-01T00:00:00.000Z',
      livemode: false,
    };
    const read = { readTransfer: () => Promise.resolve({ kind: 'found', value: { transfer, reversals: [ours] } }) };
    const stripe = { inLane: () => read } as never;
    const process = createWebhookProcessor({ ledger: test.ledger, stripe, wake: () => undefined });
    for (let delivery = 0; delivery < 2; delivery += 1)
      expect(await process(transferReversedEvent(transfer.stripeTransferId))).toBe('acted');
    return ours.stripeReversalId;
  }

  it('is a late success where it was given up', async () => {
    const { transferId, id } = await sharedOut(300);
    for (let n = 0; n < 6; n += 1) {
      await steps.reverse(id, UNKNOWN);
      steps.pass(MINUTE_MS);
    }
    await steps.longAbsent({ kind: 'reversal', id });
    const absent = { kind: 'absent' } as const;
    const given = await steps.decide({ kind: 'reversal', itemId: id, action: 'write_off', verified: absent });
    expect(given.kind).toBe('applied');
    const stripeReversalId = await told(transferId, id, 300n);
    expect(await steps.reversal(id)).toMatchObject({
      status: 'reversed',
      stripeReversalId,
      attention: { reason: 'late_success' },
    });
  });

  it('is taken twice where it was done already, and is told of once', async () => {
    const { transferId, id } = await sharedOut(300);
    await steps.reverse(id, DONE);
    const second = await told(transferId, id, 300n);
    const { attention } = await steps.reversal(id);
    expect(attention).toMatchObject({ reason: 'conflict', detail: expect.stringContaining(second) });
  });

  it('of another amount is not booked as it', async () => {
    const { order, transferId, id } = await sharedOut(300);
    const [refund] = (await steps.find(order.id)).refunds;
    if (!refund) throw new Error('there is no refund');
    await steps.refundSays(refund.id, 'failed');
    await told(transferId, id, 180n);
    expect(await steps.reversal(id)).toMatchObject({ status: 'written_off', attention: { reason: 'conflict' } });
  });
});

describe('a transfer of unknown outcome that is found taken back', () => {
  const NOBODY = { by: 'anyone', authenticated: false, note: 'x', evidence: null };

  async function unanswered(amount: number) {
    const seller = unique('acct');
    const order = await steps.paid({ [seller]: amount });
    const id = order.transfers[seller] as TransferId;
    await steps.send(id, UNKNOWN);
    steps.pass(MINUTE_MS);
    const foreign = foreignReversal(BigInt(amount) / 2n);
    const made: TransferFacts = {
      stripeTransferId: unique('tr'),
      amount: BigInt(amount),
      amountReversed: foreign.amount,
      currency: 'USD',
      destination: seller,
      transferGroup: order.id,
      metadata: { seller_transfer_id: id },
      createdAt: '2026-01-01T00:00:00.000Z',
      livemode: false,
    };
    const reads: StripeReader = {
      inLane: () => ({
        readDispute: () => Promise.resolve({ kind: 'missing' as const, detail: 'none' }),
        transfersTo: () => Promise.resolve({ kind: 'found', value: [made] }),
        readTransfer: () => Promise.resolve({ kind: 'found', value: { transfer: made, reversals: [foreign] } }),
      }),
    };
    return { id, made, foreign, order, stripe: reads as never };
  }

  it('by our look is completed, and tells a person what was taken of it', async () => {
    const { id, foreign, stripe } = await unanswered(900);
    const timings = { backoffBaseMs: 1_000, backoffMaxMs: 10_000, maxRetries: 5 };
    const account = {
      verify: () => Promise.resolve(undefined),
      confirm: () => Promise.resolve(undefined),
      probe: () => Promise.resolve(true),
    };
    const wake = () => undefined;
    const attempt = createStripeCall(transferCall({ ledger: test.ledger, stripe, timings, wake }), {
      holdMs: 60_000,
      account,
      wake,
      processName: 'worker',
      monotonicMs: () => 0,
    });
    expect(await attempt(id)).toMatchObject({ kind: 'final', status: 'completed' });
    expect(await attentionOf(id)).toMatchObject({
      reason: 'partly_foreign_reversal',
      detail: expect.stringContaining(foreign.stripeReversalId),
    });
  });

  it('is not adopted on the word of nobody, and whoever adopts it is told', async () => {
    const { id, made, foreign, stripe } = await unanswered(900_000);
    for (let n = 0; n < 5; n += 1) {
      await steps.send(id, UNKNOWN);
      steps.pass(MINUTE_MS);
    }
    const resolution = createResolution({ ledger: test.ledger, stripe, hyperswitch: undefined, chain: undefined });
    const adopt = { kind: 'transfer', itemId: id, action: 'adopt' } as const;
    const asked = await resolution.decide({ id: newDecisionId(test.clock.nowMs()), ...adopt, ...NOBODY });
    expect(asked.kind).toBe('pending_approval');
    expect((await steps.transfer(id)).status).toBe('pending');
    const takenBack = [{ id: foreign.stripeReversalId, amount: `${foreign.amount}` }];
    await test.ledger.adoptTransfer(id, made.stripeTransferId, takenBack);
    expect((await attentionOf(id))?.reason).toBe('late_success');
    await acknowledge(id);
    expect((await attentionOf(id))?.reason).toBe('partly_foreign_reversal');
  });

  it('is told of by the event that came before its id was known', async () => {
    const { id, made, stripe, foreign } = await unanswered(900);
    const event = transferReversedEvent(made.stripeTransferId);
    const process = createWebhookProcessor({ ledger: test.ledger, stripe, wake: () => undefined });
    await test.ledger.storeWebhook(event);
    await process(event);
    expect(await test.ledger.dueWebhooks('stripe-read', 100)).toEqual([]);
    // The answer of the call that had timed out, repeated: as it was when the transfer was made.
    await steps.send(id, DONE, { stripeId: made.stripeTransferId });
    expect(await attentionOf(id)).toBeNull();
    const due = await test.ledger.dueWebhooks('stripe-read', 100);
    expect(due).toMatchObject([{ eventId: event.eventId }]);
    for (const one of due) await process(one);
    expect((await attentionOf(id))?.detail).toContain(foreign.stripeReversalId);
  });
});
