import { describe, expect, it } from 'vitest';
import type { WebhookRule, WebhookSettings } from '../../../sandbox/hyperswitch/webhooks/webhooks.js';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../../../src/providers/hyperswitch/ids.js';
import { verifyHyperswitchWebhook } from '../../../src/providers/hyperswitch/webhook.js';
import { type Delivered, hyperswitchSandbox, webhookReceiver } from '../../support/marketplace/hyperswitch-sandbox.js';

const SECRET = 'hs-test-secret';
const PAY = hyperswitchPaymentId('order-1');

/** A paid order whose events arrive at a merchant who answers with these statuses. */
async function merchant(settings: Omit<WebhookSettings, 'url' | 'secret'> = {}, ...statuses: number[]) {
  const { received, url } = await webhookReceiver(...statuses);
  const world = await hyperswitchSandbox({ webhooks: { url, secret: SECRET, retryMs: [], ...settings } });
  await world.createPayment('order-1');
  return { ...world, received, pay: () => world.sandbox.movePayment(PAY, { to: 'succeeded' }) };
}
const read = ({ body, signature }: Delivered) => verifyHyperswitchWebhook(body, signature, [SECRET]);
const rule = (what: WebhookRule['what'], more: Partial<WebhookRule> = {}): { rules: WebhookRule[] } => ({
  rules: [{ what, times: 1, ...more }],
});

describe('a webhook of the sandbox', () => {
  it('tells of a payment and of a refund, signed so that the product verifies it', async () => {
    const { sandbox, received, pay, createRefund } = await merchant();
    await pay();
    await createRefund('refund-1', PAY, 600n);
    await sandbox.moveRefund(hyperswitchRefundId('refund-1'), { to: 'succeeded' });
    await sandbox.moveRefund(hyperswitchRefundId('refund-1'), { to: 'failed' });
    await expect
      .poll(() => new Set(received.map((one) => read(one)?.type)))
      .toEqual(new Set(['payment_succeeded', 'refund_failed', 'refund_succeeded']));
    const events = received.map(read);
    expect(events.find((event) => event?.type === 'payment_succeeded')).toMatchObject({
      paymentId: PAY,
      refundId: null,
    });
    expect(events.find((event) => event?.type === 'refund_failed')).toMatchObject({
      paymentId: PAY,
      refundId: hyperswitchRefundId('refund-1'),
    });
    expect(new Set(events.map((event) => event?.eventId)).size).toBe(3);
  });

  it.each([
    ['failed', 'payment_failed'],
    ['cancelled', 'payment_cancelled'],
    ['processing', 'payment_processing'],
    ['requires_capture', 'payment_authorized'],
  ] as const)('tells that a payment is %s', async (to, type) => {
    const { sandbox, received } = await merchant();
    await sandbox.movePayment(PAY, { to });
    await expect.poll(() => received.map((one) => read(one)?.type)).toEqual([type]);
  });

  it('tells nothing of what only a read shows, and nothing twice', async () => {
    const { sandbox, received, pay, createRefund } = await merchant();
    await sandbox.movePayment(PAY, { to: 'expired' });
    await pay();
    await pay();
    await createRefund('refund-1', PAY, 600n);
    await sandbox.moveRefund(hyperswitchRefundId('refund-1'), { to: 'review' });
    await sandbox.moveRefund(hyperswitchRefundId('refund-1'), { to: 'succeeded', seen: false });
    await expect.poll(() => received).toHaveLength(1);
    expect(sandbox.webhooks().map(({ type }) => type)).toEqual(['payment_succeeded']);
  });

  it('lost never arrives; the next one does', async () => {
    const { sandbox, received, pay } = await merchant(rule('lost'));
    await pay();
    await sandbox.movePayment(PAY, { to: 'processing' });
    await expect.poll(() => received.map((one) => read(one)?.type)).toEqual(['payment_processing']);
    expect(sandbox.webhooks()).toMatchObject([{ mishap: 'lost', deliveries: [] }, { deliveries: [200] }]);
  });

  it('late arrives after others that came later', async () => {
    const { sandbox, received, pay } = await merchant(rule('late', { ms: 60 }));
    await pay();
    await sandbox.movePayment(PAY, { to: 'processing' });
    await expect
      .poll(() => received.map((one) => read(one)?.type))
      .toEqual(['payment_processing', 'payment_succeeded']);
  });

  it('duplicated arrives twice, the same bytes with the same event id', async () => {
    const { received, pay } = await merchant(rule('duplicated'));
    await pay();
    await expect.poll(() => received).toHaveLength(2);
    expect(received[1]?.body).toEqual(received[0]?.body);
    expect(received[1]?.signature).toBe(received[0]?.signature);
  });

  it('forged arrives with a signature that does not verify', async () => {
    const { received, pay } = await merchant(rule('forged'));
    await pay();
    await expect.poll(() => received).toHaveLength(1);
    expect(received[0]?.signature).toMatch(/^[0-9a-f]{128}$/);
    expect(received.map(read)).toEqual([null]);
  });

  it('held arrives out of order when it is let go', async () => {
    const { sandbox, received, pay, createRefund } = await merchant(rule('held', { times: 3 }));
    await pay();
    await createRefund('refund-1', PAY, 600n);
    for (const to of ['succeeded', 'failed'] as const)
      await sandbox.moveRefund(hyperswitchRefundId('refund-1'), { to });
    expect(received).toEqual([]);
    await sandbox.releaseWebhooks(true);
    expect(received.map((one) => read(one)?.type)).toEqual(['refund_failed', 'refund_succeeded', 'payment_succeeded']);
    await sandbox.releaseWebhooks(false);
    expect(received).toHaveLength(3);
  });

  it('meets only the mishap that names its type', async () => {
    const { sandbox, received, pay } = await merchant(rule('lost', { on: ['payment_processing'] }));
    await pay();
    await sandbox.movePayment(PAY, { to: 'processing' });
    await sandbox.movePayment(PAY, { to: 'failed' });
    await expect
      .poll(() => new Set(received.map((one) => read(one)?.type)))
      .toEqual(new Set(['payment_failed', 'payment_succeeded']));
    expect(sandbox.webhooks().map(({ mishap }) => mishap)).toEqual([null, 'lost', null]);
  });

  it('is delivered again on request, the same event, also after a restart of what it told', async () => {
    const { sandbox, received, pay, call } = await merchant(rule('forged'));
    await pay();
    await expect.poll(() => received).toHaveLength(1);
    const [event] = sandbox.webhooks();
    expect((await call('POST', '/control/webhooks/redeliver', { event_id: event?.eventId })).json).toEqual({
      ok: true,
    });
    expect(read(received[1] as Delivered)).toMatchObject({ eventId: event?.eventId });
    expect(received[1]?.body.toString()).toBe(event?.body);
  });

  it('is tried again until it is taken, as often as the waits say', async () => {
    const { sandbox, received, pay } = await merchant({ retryMs: [5, 5, 5, 5] }, 503, 400, 200);
    await pay();
    await expect.poll(() => sandbox.webhooks()[0]?.deliveries).toEqual([503, 400, 200]);
    expect(new Set(received.map((one) => read(one)?.eventId)).size).toBe(1);
  });

  it('that nobody takes is given up', async () => {
    const { sandbox, pay } = await merchant({ retryMs: [5] }, 503);
    await pay();
    await expect.poll(() => sandbox.webhooks()[0]?.deliveries).toEqual([503, 503]);
    sandbox.setWebhooks({ url: null });
    await sandbox.movePayment(PAY, { to: 'processing' });
    await expect.poll(() => sandbox.webhooks()[1]?.deliveries).toEqual(['no url', 'no url']);
  });
});
