// A marketplace that has its checkout already: it takes and refunds money at Stripe by itself, and makes two calls to Makegood.
//
//   MAKEGOOD_URL    where Makegood's server listens
//   MAKEGOOD_TOKEN  a token of the role `service`
//   STRIPE_SECRET_KEY, and STRIPE_API_BASE where it is not Stripe itself
import { argv, env, stdout } from 'node:process';
import { Stripe } from 'stripe';

const { MAKEGOOD_URL, MAKEGOOD_TOKEN, STRIPE_SECRET_KEY, STRIPE_API_BASE } = env;
const at = STRIPE_API_BASE && new URL(STRIPE_API_BASE);
const stripe = new Stripe(
  STRIPE_SECRET_KEY,
  at ? { host: at.hostname, port: at.port, protocol: at.protocol.slice(0, -1) } : {},
);

/** Safe to repeat: an order by its Idempotency-Key, everything else by its name at Stripe. */
async function post(path, body, key) {
  const response = await fetch(new URL(path, MAKEGOOD_URL), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${MAKEGOOD_TOKEN}`,
      'content-type': 'application/json',
      ...(key && { 'idempotency-key': key }),
    },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok)
    throw new Error(`${path}: ${response.status} ${answer.detail} ${JSON.stringify(answer.errors ?? [])}`);
  return answer;
}

const name = argv[2] ?? 'own-checkout-1';

// What the buyer is to pay, and who shares it. Without this nobody would know whose money it is.
const order = await post(
  '/api/v1/orders',
  {
    currency: 'usd',
    items: [
      { seller_account: 'acct_1Ada', amount: 6000, fee: { basis_points: 1000 }, description: 'a vase' },
      { seller_account: 'acct_1Bob', amount: 4000, fee: { basis_points: 1000 }, description: 'a book' },
    ],
  },
  name,
);

// The checkout that stands: nothing of it changes.
const payment = await stripe.paymentIntents.create(
  {
    amount: order.amount,
    currency: 'usd',
    confirm: true,
    payment_method: 'pm_card_visa',
    payment_method_types: ['card'],
  },
  { idempotencyKey: `pay ${name}` },
);

// The first call: the sellers are paid, each from this charge.
await post('/api/v1/external-payments', {
  order_id: order.id,
  provider: 'stripe',
  payment_intent: payment.id,
});

// A part goes back to the buyer, at Stripe as ever.
const refund = await stripe.refunds.create(
  { payment_intent: payment.id, amount: 2500 },
  { idempotencyKey: `refund ${name}` },
);

// The second call: each seller's part comes back, through outages and empty balances. Left out, it is found a little later.
await post('/api/v1/external-refunds', { order_id: order.id, provider: 'stripe', refund: refund.id });

// A second one is made in Stripe's dashboard, and nobody tells of it: Stripe's event does, or the search.
await stripe.refunds.create({ payment_intent: payment.id, amount: 1500 }, { idempotencyKey: `dashboard ${name}` });

stdout.write(`${order.id}\n`);
