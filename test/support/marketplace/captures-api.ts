import { createSendPayment } from '../../../src/calls/marketplace/send-payment.js';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../../../src/providers/hyperswitch/ids.js';
import { type Answered, startApi, TOKENS } from '../api.js';
import { unique } from './fixtures.js';
import { openHyperswitchWorld } from './hyperswitch-world.js';
import { marketplaceRoutes } from './routes.js';

export type CapturesApi = Awaited<ReturnType<typeof openCapturesApi>>;

const nobodyDecides = () => Promise.reject(new Error('nobody decides anything in these stories'));

/** The routes over the real ledger, client and calls, and a stand-in of Hyperswitch. */
export async function openCapturesApi(profileId?: string) {
  const world = await openHyperswitchWorld();
  const { ledger } = world;
  const api = await startApi({
    ledger,
    resolution: { decide: nobodyDecides, approve: nobodyDecides, look: nobodyDecides },
    marketplace: marketplaceRoutes({
      ledger,
      hyperswitch: { paymentIdFor: hyperswitchPaymentId, refundIdFor: hyperswitchRefundId, profileId },
      sendPayment: createSendPayment(world.advancePayment, ledger),
    }),
  });
  const post = (path: string, json: unknown, key = unique('key'), token: string = TOKENS.service): Promise<Answered> =>
    api.send(`/api/v1/${path}`, { token, json, headers: { 'Idempotency-Key': key } });
  const order = async (): Promise<string> =>
    (
      await post('orders', {
        currency: 'usd',
        items: [
          { seller_account: 'acct_a', amount: 600, description: 'a lamp' },
          { seller_account: 'acct_b', amount: 400, description: 'a chair' },
        ],
      })
    ).body.id;
  return {
    world,
    post,
    order,
    read: (path: string): Promise<Answered> => api.send(`/api/v1/${path}`, { token: TOKENS.viewer }),
    /** Called off; it needs no key. */
    cancel: (id: string): Promise<Answered> =>
      api.send(`/api/v1/payments/${id}/cancel`, { method: 'POST', token: TOKENS.service }),
    /** What Hyperswitch holds of this order. */
    there: (orderId: string) => {
      const at = hyperswitchPaymentId(orderId);
      return world.sandbox.ledger().payments.find(({ id }) => id === at);
    },
    /** Made to be captured by hand, and paid by its buyer. */
    async held(capture: 'manual' | 'manual_multiple' = 'manual') {
      const orderId = await order();
      const { body } = await post('payments', { order_id: orderId, capture });
      await world.sandbox.movePayment(hyperswitchPaymentId(orderId), { to: 'requires_capture' });
      return { orderId, id: body.id as string, at: hyperswitchPaymentId(orderId) };
    },
    async close() {
      await api.close();
      await world.close();
    },
  };
}
