import { randomBytes } from 'node:crypto';
import { SANDBOX_STRIPE_PLATFORM } from '../stripe/defaults.js';
import type { Incident, Planted } from './incident.js';
import { come, type IncidentWorld, newSeller } from './world.js';

type AtStripe = Incident<IncidentWorld>;

const reversalAt = (id: string, more: Readonly<Record<string, string>> = {}): Planted => ({
  names: { id, ...more },
  page: `/item/reversal/${id}`,
});

/** Stripe has taken the share back; its answer and its event are lost. */
export const LOST_ANSWER: AtStripe = {
  name: 'lost-answer',
  says: 'Stripe took a share back, and neither its answer nor its event came',
  async plant(world) {
    const seller = newSeller();
    const order = await world.paid(seller);
    const lost = { kinds: ['lost'], types: ['transfer.reversed'], times: 1 };
    await world.stripe('webhooks/faults', { method: 'PUT', body: { rules: [lost] } });
    const unheard = { kinds: ['reset_after_commit'], on: ['reversals.create'], sellers: [seller], times: 1 };
    await world.addStripeFault(unheard);
    const { id } = await world.refunded(order, ({ retry_count }) => retry_count > 0);
    return reversalAt(id);
  },
};

/** Somebody takes the whole share back in the dashboard before the buyer is refunded. */
export const FOREIGN_REVERSAL: AtStripe = {
  name: 'foreign-reversal',
  says: 'somebody reversed a transfer in the dashboard, and then the buyer was refunded',
  async plant(world) {
    const order = await world.paid(newSeller());
    const transfer = order.transfers[0];
    await world.stripe('reverse', { method: 'POST', body: { transfer: transfer?.stripe_transfer_id } });
    const asks = async () => (await world.shop.order(order.id)).transfers[0]?.attention?.reason === 'foreign_reversal';
    await come('Stripe has told of it', asks);
    const { id } = await world.refunded(order, ({ attention }) => attention?.reason === 'foreign_reversal');
    return reversalAt(id, { transfer: transfer?.id ?? '' });
  },
};

/** The seller has spent the money. */
export const LOW_BALANCE: AtStripe = {
  name: 'low-balance',
  says: 'a seller has spent the money that a refund takes back',
  async plant(world) {
    const seller = newSeller();
    const order = await world.paid(seller);
    await world.stripe('balances', {
      method: 'PUT',
      body: { account: seller, currency: 'usd', available: 0 },
    });
    const { id } = await world.refunded(order, ({ status }) => status === 'waiting_balance');
    return reversalAt(id, { seller });
  },
};

/** Every key but a new one is turned away. */
export const REVOKED_KEY: AtStripe = {
  name: 'revoked-key',
  says: 'the Stripe key was revoked, and a new one made',
  async plant(world) {
    const key = `sk_test_${randomBytes(9).toString('hex')}`;
    const order = await world.paid(newSeller());
    await world.stripe('api-keys', { method: 'PUT', body: { accepted: { [key]: SANDBOX_STRIPE_PLATFORM } } });
    const { id } = await world.refunded(order, ({ status }) => status === 'pending');
    interface Overview {
      readonly providers: readonly { readonly provider: string; readonly state: string }[];
    }
    await come('Stripe is parked', async () => {
      const { providers } = await world.read<Overview>('overview');
      return providers.some(({ provider, state }) => provider === 'stripe' && state !== 'closed');
    });
    return reversalAt(id, { key });
  },
};

/** One seller's reversals fail, whatever is tried; the other seller of the order gives his share back. */
export const POISON_ITEM: AtStripe = {
  name: 'poison-item',
  says: 'one share of a refund fails each time it is tried, and the other one goes through',
  async plant(world) {
    const seller = newSeller();
    const order = await world.paid(seller, newSeller());
    await world.addStripeFault({ kinds: ['unavailable'], on: ['reversals.create'], sellers: [seller] });
    const { id } = await world.refunded(order, ({ attention }) => attention?.reason === 'retries_exhausted');
    return reversalAt(id, { order: order.id });
  },
};

/** Somebody ends the workflow of a share that waits for its next attempt. */
export const TERMINATED_WORKFLOW: AtStripe = {
  name: 'terminated-workflow',
  says: 'somebody terminated the workflow of a share in Temporal',
  async plant(world) {
    const seller = newSeller();
    const order = await world.paid(seller);
    await world.addStripeFault({ kinds: ['unavailable'], on: ['reversals.create'], sellers: [seller], times: 1 });
    const { id } = await world.refunded(order, ({ retry_count }) => retry_count > 0);
    await world.temporal('workflow', 'terminate', '--workflow-id', `reversal/${id}`, '--reason', 'tidied up');
    return reversalAt(id);
  },
};
