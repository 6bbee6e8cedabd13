import { describe, expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../../support/durations.js';
import { paymentAt } from '../../../support/marketplace/hyperswitch-facts.js';
import { marketplaceLedgerForFile, type Paid, REFUSED } from '../../../support/marketplace/steps.js';

const SELLER = 'acct_1SharesThatWait';
const { test, steps } = await marketplaceLedgerForFile();

describe('a share that waits for its payment, about which a person is asked', () => {
  async function says({ paymentId, hyperswitchPaymentId }: Paid, providerStatus: string) {
    const facts = paymentAt({ hyperswitchPaymentId, amount: 1_000n, currency: 'USD', providerStatus });
    await test.ledger.applyPayment({ paymentId, runner: null, facts });
  }
  /** Its turn comes, it is not sent, and comes again in an hour. */
  async function waits(order: Paid) {
    const claim = await steps.holdTransfer(order.transfers[SELLER]!);
    expect(await test.ledger.questionedPayment(order.id)).toBe(order.paymentId);
    await test.ledger.releaseTransfer(claim.id, claim.runner, HOUR_MS);
    expect(await steps.claimTransfer(claim.id)).toMatchObject({ kind: 'later' });
  }

  it('is looked at as soon as that is answered', async () => {
    const order = await steps.paid({ [SELLER]: 1_000 });
    await says(order, 'conflicted');
    await waits(order);
    await says(order, 'succeeded');
    expect(await steps.claimTransfer(order.transfers[SELLER]!)).toMatchObject({ kind: 'claimed' });
  });

  it('is looked at then too where it had failed for good, and a person had it tried again', async () => {
    const order = await steps.paid({ [SELLER]: 1_000 });
    const id = order.transfers[SELLER]!;
    for (let n = 0; n < 6; n += 1) {
      await steps.send(id, REFUSED, { provedAbsent: true });
      steps.pass(MINUTE_MS);
    }
    expect(await steps.transfer(id)).toMatchObject({ status: 'permanently_failed' });
    await says(order, 'conflicted');
    await steps.decide({ kind: 'transfer', itemId: id, action: 'retry' });
    await waits(order);
    await says(order, 'succeeded');
    expect(await steps.claimTransfer(id)).toMatchObject({ kind: 'claimed' });
  });
});
