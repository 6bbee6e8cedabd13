import { describe, expect, it } from 'vitest';
import { json } from '../../../support/answering-server.js';
import { API_KEY, answering } from '../../../support/marketplace/hyperswitch-server.js';
import { PAY, payment, REF, refund } from './support/objects.js';

describe('a read', () => {
  it('waits for its turn, in a lane of its own before money is taken back, and is sent back where too many wait', async () => {
    const lanes: string[] = [];
    let free = true;
    const pace = (lane: string) => {
      lanes.push(lane);
      return Promise.resolve(free);
    };
    const { client, received } = await answering(json(200, refund({ status: 'succeeded' })), { pace });
    expect(await client.readRefund(REF, 'first')).toMatchObject({ kind: 'found' });
    expect(await client.readRefund(REF)).toMatchObject({ kind: 'found' });
    free = false;
    expect(await client.readRefund(REF)).toMatchObject({ kind: 'busy', retryAfterMs: 10_000 });
    expect(await client.refundsOf(PAY)).toMatchObject({ kind: 'busy' });
    expect(lanes).toEqual(['first', 'in_turn', 'in_turn', 'in_turn']);
    expect(received).toHaveLength(2);
  });

  it('makes Hyperswitch ask its processor, and changes nothing', async () => {
    const { client, received } = await answering([json(200, payment({ amount_received: 6540 })), json(200, refund())]);
    expect(await client.readPayment(PAY)).toMatchObject({ kind: 'found', value: { amountReceived: 6540n } });
    expect(await client.readRefund(REF)).toMatchObject({ kind: 'found' });
    expect(received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET /payments/${PAY}?force_sync=true`,
      `GET /refunds/${REF}?force_sync=true`,
    ]);
  });

  it('keeps the path of the base address', async () => {
    const { client, received, baseUrl } = await answering(json(200, payment()));
    const { createHyperswitch } = await import('../../../../src/providers/hyperswitch/client.js');
    await createHyperswitch({ baseUrl: `${baseUrl}/hs/`, apiKey: API_KEY }).readPayment(PAY);
    await client.readPayment(PAY);
    expect(received.map(({ path }) => path.split('?')[0])).toEqual([`/hs/payments/${PAY}`, `/payments/${PAY}`]);
  });

  it.each(['', '..', '../account', 'pay_1/../x', 'pay 1', 'pay_1?force_sync=false'])(
    'of "%s" asks nobody, because nothing could have that id',
    async (id) => {
      const { client, received } = await answering(json(200, payment()));
      expect(await client.readPayment(id)).toMatchObject({ kind: 'missing' });
      expect(await client.readRefund(id)).toMatchObject({ kind: 'missing' });
      expect(await client.refundsOf(id)).toMatchObject({ kind: 'missing' });
      expect(received).toHaveLength(0);
    },
  );

  it('of another object than asked for is unclear', async () => {
    const { client } = await answering(json(200, { ...payment({ payment_id: 'pay_x' }), refund_id: 'ref_x' }));
    expect(await client.readPayment(PAY)).toMatchObject({ kind: 'unclear' });
    expect(await client.readRefund(REF)).toMatchObject({ kind: 'unclear' });
  });

  it.each([
    ['succeeded', 'succeeded'],
    ['failed', 'failed'],
    ['cancelled', 'cancelled'],
    ['expired', 'cancelled'],
    ['processing', 'processing'],
    ['partially_captured_and_processing', 'processing'],
    ['requires_payment_method', 'pending'],
    ['requires_confirmation', 'pending'],
    ['requires_customer_action', 'pending'],
  ])('of a payment that is %s shows it as %s', async (word, status) => {
    const { client } = await answering(json(200, payment({ status: word })));
    expect(await client.readPayment(PAY)).toMatchObject({
      kind: 'found',
      value: { status, providerStatus: word, asks: null },
    });
  });

  it.each([
    ['requires_capture', 'unknown_status'],
    ['requires_merchant_action', 'unknown_status'],
    ['partially_captured', 'payment_amount_differs'],
    ['partially_captured_and_capturable', 'payment_amount_differs'],
    ['partially_authorized_and_requires_capture', 'payment_amount_differs'],
    ['conflicted', 'payment_amount_differs'],
    ['cancelled_post_capture', 'payment_amount_differs'],
    ['teleported', 'unknown_status'],
    ['toString', 'unknown_status'],
  ])('of a payment that is %s asks a person: %s', async (word, asks) => {
    const { client } = await answering(json(200, payment({ status: word })));
    expect(await client.readPayment(PAY)).toMatchObject({
      kind: 'found',
      value: { status: 'processing', providerStatus: word, asks },
    });
  });

  it.each(['half', 'toString', 'x'.repeat(65)])(
    'of a refund whose status nobody knows asks a person: %s',
    async (word) => {
      const { client } = await answering(json(200, refund({ status: word })));
      expect(await client.readRefund(REF)).toMatchObject({
        kind: 'found',
        value: { status: 'review', asks: 'unknown_status', providerStatus: word.length > 64 ? 'unreadable' : word },
      });
    },
  );

  it('without a readable date or amount received says so instead of guessing', async () => {
    const { client } = await answering([
      json(200, refund({ updated_at: 'yesterday', reason: null })),
      json(200, payment({ amount_received: 'all', client_secret: null })),
    ]);
    expect(await client.readRefund(REF)).toMatchObject({ value: { updatedAt: null, reason: null } });
    expect(await client.readPayment(PAY)).toMatchObject({ value: { amountReceived: null, clientSecret: null } });
  });
});
