import { describe, expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../../support/durations.js';
import { paymentAt } from '../../../support/marketplace/hyperswitch-facts.js';
import { marketplaceLedgerForFile, type Paid, UNKNOWN } from '../../../support/marketplace/steps.js';

const SELLER = 'acct_1UnknownRefunded';
const { test, steps } = await marketplaceLedgerForFile();

describe('a transfer of which nobody knew whether it was sent, and whose order was refunded meanwhile', () => {
  async function unknown() {
    const order = await steps.paid({ [SELLER]: 1_000 });
    const id = order.transfers[SELLER]!;
    await steps.send(id, UNKNOWN);
    return { ...order, transfer: id };
  }

  /** One attempt that finds nothing at Stripe. */
  async function look(id: Paid['transfers'][string]) {
    const claim = await steps.holdTransfer(id);
    await steps.noteAbsent(claim);
    return await steps.permit(claim);
  }
  /** Stripe has forgotten the key, and two looks find nothing. */
  async function provedUnsent(id: Paid['transfers'][string]) {
    steps.pass(26 * HOUR_MS);
    expect(await look(id)).toMatchObject({ kind: 'read_only' });
    steps.pass(2 * MINUTE_MS);
    return await look(id);
  }

  it('is not sent under another key: nothing of it is due any more, and nothing is taken back', async () => {
    const { id, transfer } = await unknown();
    await steps.refunded(id);
    expect(await provedUnsent(transfer)).toMatchObject({ kind: 'stop' });
    expect(await steps.find(id)).toMatchObject({
      transfers: [{ status: 'cancelled', amount: 0n }],
      reversals: [{ status: 'written_off', amount: 1_000n }],
    });
    expect(await steps.claimTransfer(transfer)).toEqual({ kind: 'final', status: 'cancelled' });
  });

  it('is sent once for what is left of it', async () => {
    const { id, transfer } = await unknown();
    await steps.refunded(id, 300);
    expect(await provedUnsent(transfer)).toMatchObject({ kind: 'send', generation: 2, params: { amount: 700 } });
    expect(await steps.find(id)).toMatchObject({ reversals: [{ status: 'written_off', amount: 300n }] });
  });

  it('is not sent either when a person has it tried again', async () => {
    const { id, transfer } = await unknown();
    for (let n = 0; n < 5; n += 1) {
      steps.pass(MINUTE_MS);
      await steps.send(transfer, UNKNOWN);
    }
    expect((await steps.transfer(transfer)).attention).toMatchObject({ reason: 'retries_exhausted' });
    await steps.refunded(id);
    await steps.longAbsent({ kind: 'transfer', id: transfer });
    await steps.decide({ kind: 'transfer', itemId: transfer, action: 'retry' });
    expect(await look(transfer)).toMatchObject({ kind: 'stop' });
    expect(await steps.transfer(transfer)).toMatchObject({ status: 'cancelled', attention: null });
  });

  it('is not sent either when it waited for its payment, about which a person was asked', async () => {
    const { id, transfer, paymentId, hyperswitchPaymentId } = await unknown();
    const says = (providerStatus: string) =>
      test.ledger.applyPayment({
        paymentId,
        runner: null,
        facts: paymentAt({ hyperswitchPaymentId, amount: 1_000n, currency: 'USD', providerStatus }),
      });
    await says('partially_captured');
    for (let hour = 0; hour < 27; hour += 1) {
      steps.pass(HOUR_MS + MINUTE_MS);
      const claim = await steps.holdTransfer(transfer);
      await steps.noteAbsent(claim);
      await test.ledger.releaseTransfer(transfer, claim.runner, HOUR_MS);
    }
    await steps.refunded(id);
    await says('succeeded');
    expect(await look(transfer)).toMatchObject({ kind: 'stop' });
  });
});
