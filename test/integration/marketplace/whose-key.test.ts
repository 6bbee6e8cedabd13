import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StripeSandbox, startStripeSandbox } from '../../../sandbox/stripe/start.js';
import { createResolution } from '../../../src/calls/decisions/decide.js';
import { createPinnedReads } from '../../../src/calls/marketplace/pinned-reads.js';
import { createWebhookProcessor } from '../../../src/calls/marketplace/process-webhook.js';
import { newDecisionId, type TransferId } from '../../../src/domain/ids.js';
import { createStripe } from '../../../src/providers/stripe/client.js';
import { MINUTE_MS } from '../../support/durations.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { unique } from '../../support/marketplace/fixtures.js';
import { transferReversedEvent } from '../../support/marketplace/foreign-reversals.js';
import { type HyperswitchWorld, openHyperswitchWorld } from '../../support/marketplace/hyperswitch-world.js';
import { type MarketplaceSteps, marketplaceSteps, UNKNOWN } from '../../support/marketplace/steps.js';

describe('a key of another account at Stripe, which knows nothing of ours,', () => {
  let test: TestLedger;
  let steps: MarketplaceSteps;
  let sandbox: StripeSandbox;
  beforeAll(async () => {
    test = await openTestLedger();
    steps = marketplaceSteps(test);
    sandbox = await startStripeSandbox({ clock: test.clock });
    sandbox.setApiKeys({ accepted: { sk_test_ours: 'acct_ours', sk_test_other: 'acct_other' } });
    // The first answer says whose Stripe this ledger belongs to.
    await readersWith('sk_test_ours').stripe?.inLane('probe').readTransfer('tr_none');
  });
  afterAll(async () => {
    await sandbox.close();
    await test.dispose();
  });

  const readersWith = (secretKey: string) =>
    createPinnedReads(test.ledger, {
      stripe: createStripe({ secretKey, apiBase: sandbox.url, takeToken: () => Promise.resolve(() => undefined) }),
      hyperswitch: undefined,
    });
  const writeOffBy = async (secretKey: string, itemId: TransferId) =>
    await createResolution({ ledger: test.ledger, ...readersWith(secretKey), chain: undefined }).decide({
      id: newDecisionId(test.clock.nowMs()),
      kind: 'transfer',
      itemId,
      action: 'write_off',
      by: 'anyone',
      authenticated: false,
      note: 'x',
      evidence: null,
    });
  async function sent(): Promise<TransferId> {
    const seller = unique('acct');
    const transferId = (await steps.paid({ [seller]: 900 })).transfers[seller]!;
    await steps.send(transferId);
    return transferId;
  }

  it('proves no absence: nothing is decided by it', async () => {
    const seller = unique('acct');
    const id = (await steps.paid({ [seller]: 900 })).transfers[seller]!;
    for (let attempt = 0; attempt < 6; attempt += 1) {
      await steps.send(id, UNKNOWN);
      steps.pass(MINUTE_MS);
    }
    await steps.longAbsent({ kind: 'transfer', id });
    expect(await writeOffBy('sk_test_other', id)).toMatchObject({
      kind: 'unanswered',
      detail: expect.stringContaining('belongs to acct_other'),
    });
    expect(await writeOffBy('sk_test_ours', id)).not.toMatchObject({ kind: 'unanswered' });
  });

  it('ends no event: it is read when the key is right', async () => {
    const { stripeTransferId } = await steps.transfer(await sent());
    const event = transferReversedEvent(stripeTransferId);
    await test.ledger.storeWebhook(event);
    const process = (secretKey: string) =>
      createWebhookProcessor({ ledger: test.ledger, stripe: readersWith(secretKey).stripe, wake: () => undefined })(
        event,
      );
    expect(await process('sk_test_other')).toBe('left');
    expect(await process('sk_test_ours')).toBe('acted');
  });
});

describe('a key of another merchant at Hyperswitch', () => {
  let world: HyperswitchWorld;
  beforeAll(async () => {
    world = await openHyperswitchWorld();
  });
  afterAll(() => world.close());

  it('proves no absence: no payment is given up by it', async () => {
    // Something that is known, so that it is pinned whose Hyperswitch this is.
    await world.paid();
    const order = await world.order();
    await world.advancePayment(order.paymentId);
    await world.sandbox.movePayment(order.at, { to: 'requires_capture' });
    await world.advancePayment(order.paymentId);
    expect((await world.payment(order.paymentId)).attention?.reason).toBe('unknown_status');
    world.sandbox.setKeyOwner({ merchantId: 'merchant_other' });
    expect(await world.decide(order.paymentId, 'write_off')).toMatchObject({ kind: 'unanswered' });
    world.sandbox.setKeyOwner({});
    expect(await world.decide(order.paymentId, 'write_off')).not.toMatchObject({ kind: 'unanswered' });
  });
});
