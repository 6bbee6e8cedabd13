import { expect, it, onTestFinished } from 'vitest';
import { paymentKey } from '../../../src/domain/calls/idempotency-keys.js';
import type { PaymentId } from '../../../src/domain/ids.js';
import { hyperswitchPaymentId } from '../../../src/providers/hyperswitch/ids.js';
import { openDisputeWorld } from '../../support/marketplace/dispute-world.js';

it('a conflict that one person asked to give up, and then to retry, is told again and can escalate', async () => {
  const world = await openDisputeWorld({});
  onTestFinished(() => world.close());
  const order = await world.paid({ acct_1Ada: 600_000n });
  await world.settle();
  await world.atHyperswitch.movePayment(hyperswitchPaymentId(paymentKey(order)), { to: 'cancelled' });
  await world.hyperswitchTellsOfPayment(order);
  await world.settle();
  const [payment] = await world.database.query<{ id: PaymentId }>('SELECT id FROM payments');
  const open = async () => {
    await world.ledger.noteWhoIsAsked(100);
    const rows = await world.database.query<{ reason: string }>(
      'SELECT reason FROM notices WHERE ended_at IS NULL ORDER BY seq',
    );
    return rows.map(({ reason }) => reason);
  };
  for (let again = 0; again < 2; again += 1) {
    expect(await open()).toEqual(['conflict']);
    await world.request('payment', payment!.id, 'write_off');
    expect(await open()).toEqual(['approval_pending']);
    await world.request('payment', payment!.id, 'retry');
    await world.settle();
  }
  expect(await open()).toEqual(['conflict']);
  expect(await world.database.query('SELECT reason FROM notices')).toHaveLength(5);
});
