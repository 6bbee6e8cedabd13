import { decodePaymentRequiredHeader } from '@x402/core/http';
import { validatePaymentRequired } from '@x402/core/schemas';
import { Challenge } from 'mppx';
import { afterEach, describe, expect, it } from 'vitest';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { atxpCredential } from '../../../sandbox/payer/atxp.js';
import type { PaymentCredential } from '../../../sandbox/payer/credential.js';
import type { PayOptions } from '../../../sandbox/payer/pay.js';
import type { PaidSessionOptions, PaymentSession, ProtocolTerms } from '../../../src/sessions/index.js';
import { routeOffers } from '../../../src/sessions/offers/offers.js';
import { BASE, BASE_EURC, BASE_USDC, IN_THREE_TOKENS, POLYGON, POLYGON_USDC } from '../../support/sessions/offers.js';
import { headersFor } from './support/tampering.js';
import { FACILITATOR, type Handler, jsonOf, type Loose, METERED, sell, type World } from './support/world.js';

/** A route that takes several tokens, on several networks. */

const BOUNDS = { credentialValidityMs: 3_600_000, minRetryWindowMs: 120_000 };
const UNKNOWN = `0x${'77'.repeat(20)}`;
const OTHER_UNKNOWN = `0x${'88'.repeat(20)}`;
const TEMPO = 'eip155:42431';
const { protocols: _protocols, price: _price, ...TERMS } = IN_THREE_TOKENS;

const offersOf = (protocols: PaidSessionOptions['protocols'], change: Partial<PaidSessionOptions> = {}) =>
  routeOffers({ ...TERMS, price: '10000', protocols, ...change }, BOUNDS).offers;
const metered = { price: undefined, cap: '10000' } as const;
const onPolygon: ProtocolTerms = { protocol: 'x402', network: POLYGON, asset: POLYGON_USDC };
const inEuro: ProtocolTerms = { protocol: 'x402', asset: BASE_EURC, price: '9200' };

describe('a list of offers', () => {
  it('has what each entry states, what is known of its asset, and else what the route has', () => {
    const [own, polygon, euro, unknown] = offersOf([
      ...IN_THREE_TOKENS.protocols,
      {
        protocol: 'x402',
        asset: UNKNOWN,
        price: '5',
        decimals: 2,
        currency: 'XYZ',
        domain: { name: 'X', version: '1' },
      },
    ]);
    const usd = { domain: { name: 'USD Coin', version: '2' }, currency: 'USDC', amount: '10000', decimals: 6 };
    expect(own).toMatchObject({ ...usd, network: BASE, asset: BASE_USDC, payTo: TERMS.payTo, scheme: 'exact' });
    expect(polygon).toMatchObject({ ...usd, network: POLYGON, asset: POLYGON_USDC, payTo: TERMS.payTo });
    const eurc = { domain: { name: 'EURC', version: '2' }, currency: 'EURC', amount: '9200', decimals: 6 };
    expect(euro).toMatchObject({ ...eurc, network: BASE, asset: BASE_EURC });
    const own2 = { domain: { name: 'X', version: '1' }, currency: 'XYZ', amount: '5', decimals: 2 };
    expect(unknown).toMatchObject({ ...own2, network: BASE, asset: UNKNOWN });
  });

  it('knows that one token is named otherwise on another network', () => {
    const sepolia = { network: 'base-sepolia', asset: '0x036CbD53842c5426634e7929541eC2318f3dCF7e' };
    expect(offersOf(['x402'], sepolia)[0]?.domain).toEqual({ name: 'USDC', version: '2' });
  });

  const both = (...protocols: ProtocolTerms[]): PaidSessionOptions['protocols'] => ['x402', ...protocols];
  const limited = { exposure: { perPayer: '50000' } };
  it.each<[string, PaidSessionOptions['protocols'], Partial<PaidSessionOptions>, string]>([
    ['the same offer twice', ['x402', 'x402'], {}, 'leave one out'],
    ['the same token in other case', both({ protocol: 'x402', asset: BASE_USDC.toLowerCase() }), {}, 'leave one out'],
    ['one token for two payees', both({ protocol: 'x402', payTo: UNKNOWN }), {}, 'leave one out'],
    ['one token at two prices', both({ protocol: 'x402', price: '9' }), {}, 'leave one out'],
    ['one token of MPP twice', ['mpp', { protocol: 'mpp', price: '9' }], {}, 'leave one out'],
    ['a network without its token', both({ protocol: 'x402', network: POLYGON }), {}, 'must state its asset'],
    [
      'another kind of network without its payee',
      both({ protocol: 'atxp', network: 'solana', asset: 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v' }),
      {},
      'must state its payTo',
    ],
    ['a token whose domain nobody knows', both({ protocol: 'x402', asset: UNKNOWN }), {}, 'EIP-712 domain'],
    [
      'such a token where the route states the domain of its own',
      both({ protocol: 'x402', asset: UNKNOWN }),
      { domain: { name: 'Y', version: '1' } },
      'EIP-712 domain',
    ],
    ['other decimals at the same price', both({ protocol: 'mpp', asset: UNKNOWN, decimals: 18 }), {}, 'state its own'],
    [
      'decimals that the token has not',
      both({ ...onPolygon, decimals: 18, price: '9' }),
      {},
      'USDC on eip155:137 has 6',
    ],
    [
      'other decimals where a handler meters',
      both({ protocol: 'mpp', asset: UNKNOWN, decimals: 18, cap: '9' }),
      metered,
      'sell the others on another route',
    ],
    ['a cap on a route with a price', both({ ...onPolygon, cap: '9' }), {}, 'sold by price'],
    ['a price on a route with a cap', both({ ...onPolygon, price: '9' }), metered, 'sold by cap'],
    ['another currency at the price of the route', both({ protocol: 'x402', asset: BASE_EURC }), {}, 'takes EURC'],
    ['a price of nothing', both({ ...inEuro, price: '0' }), {}, 'a positive amount'],
    ['a domain of nothing', both({ ...inEuro, domain: { name: '', version: '2' } }), {}, 'non-empty strings'],
    [
      'two currencies by ATXP',
      ['atxp', { protocol: 'atxp', asset: BASE_EURC, price: '10000' }],
      {},
      'one currency, decimals and amount',
    ],
    [
      'two amounts by ATXP',
      ['atxp', { protocol: 'atxp', network: POLYGON, asset: POLYGON_USDC, price: '9' }],
      {},
      'one currency, decimals and amount',
    ],
    [
      'one currency of ATXP twice on one network',
      ['atxp', { protocol: 'atxp', asset: UNKNOWN, currency: 'usdc' }],
      {},
      'stands there twice',
    ],
    ['tempo twice', ['tempo', 'tempo'], {}, 'tempo at most once'],
    ['tempo at a price of its own', [{ protocol: 'tempo', price: '9' }], {}, 'it takes no price'],
    ['a currency that the limits do not cover', both(inEuro), limited, 'stated in it too'],
    [
      'limits of another kind than the route has',
      both({ ...inEuro, exposure: { total: '46000' } }),
      limited,
      'stated in it too',
    ],
    ['limits where the route has none', both({ ...inEuro, exposure: { total: '46000' } }), {}, 'stated in it too'],
    [
      'limits of its own in the currency of the route',
      both({ ...onPolygon, exposure: { perPayer: '50000' } }),
      limited,
      'state them there',
    ],
    [
      'a limit under which nobody could buy',
      both({ ...inEuro, exposure: { perPayer: '9199' } }),
      limited,
      'below 9200',
    ],
    ['a price above the limit of the route', both({ ...onPolygon, price: '50001' }), limited, 'below 50001'],
    [
      'two limits for one currency',
      both(
        { ...inEuro, exposure: { perPayer: '46000' } },
        {
          protocol: 'mpp',
          network: TEMPO,
          asset: UNKNOWN,
          currency: 'EURC',
          price: '9200',
          exposure: { perPayer: '46001' },
        },
      ),
      limited,
      'the same limits',
    ],
  ])('is refused where the route is defined with %s', (_what, protocols, change, why) => {
    const attempt = () => offersOf(protocols, change);
    expect(attempt).toThrow(/^paidSession option .+; for example \{ .+ \}$/);
    expect(attempt).toThrow(why);
  });

  it('sums credit by currency, whatever the network', () => {
    const offers = offersOf(
      [
        'x402',
        onPolygon,
        { ...inEuro, exposure: { perPayer: '46000' } },
        { protocol: 'mpp', network: TEMPO, asset: UNKNOWN },
      ],
      { exposure: { perPayer: '50000' } },
    );
    expect(offers.map(({ summedAs }) => summedAs)).toEqual([undefined, undefined, 'EURC of 6 decimals', undefined]);
    expect(offers.map(({ exposure }) => exposure.perPayer)).toEqual(['50000', '50000', '46000', '50000']);
  });
});

let world: World;
afterEach(() => world?.close());

const EVERYTHING: PaidSessionOptions = {
  ...IN_THREE_TOKENS,
  protocols: [
    'atxp',
    { protocol: 'atxp', network: POLYGON, asset: POLYGON_USDC },
    ...IN_THREE_TOKENS.protocols,
    { protocol: 'x402', asset: OTHER_UNKNOWN, currency: 'XYZ', price: '10000', domain: { name: 'X', version: '1' } },
    { protocol: 'mpp', network: TEMPO, asset: UNKNOWN },
    { protocol: 'mpp', network: TEMPO, asset: OTHER_UNKNOWN, currency: 'EURX', price: '9200' },
  ],
};

const seen: (PaymentSession['offer'] | undefined)[] = [];
const charges =
  (amount: bigint | string): Handler =>
  (req, res) => {
    seen.push(req.paymentSession?.offer);
    if (req.paymentSession?.charge(amount) !== true) return res.status(402).end();
    return res.json({ charged: req.paymentSession.spent.toString() });
  };
const buys = async (pay: Partial<PayOptions>, amount: bigint | string, sells: PaidSessionOptions = EVERYTHING) => {
  world = await sell(charges(amount), { sells });
  seen.length = 0;
  const answer = await world.buy(pay);
  return { status: answer.status, ...(answer.status === 200 && (await jsonOf(answer))) };
};
const settleBody = (): Loose => JSON.parse(world.ledger.only().body ?? '{}');

describe('a 402 for several tokens', () => {
  it('lists them all, each protocol in its own way', async () => {
    world = await sell(charges('10000'), { sells: EVERYTHING });
    const answer = await fetch(`${world.url}/paid`);
    const second = decodePaymentRequiredHeader(answer.headers.get('payment-required') ?? '');
    expect(validatePaymentRequired(second)).toEqual(second);
    const named = (accepts: readonly Loose[]) =>
      accepts.map((one) => [one.network, one.asset, one.amount, one.extra.name]);
    expect(named(second.accepts)).toEqual([
      [BASE, BASE_USDC, '10000', 'USD Coin'],
      [POLYGON, POLYGON_USDC, '10000', 'USD Coin'],
      [BASE, BASE_EURC, '9200', 'EURC'],
      [BASE, OTHER_UNKNOWN, '10000', 'X'],
    ]);
    const first = await jsonOf(answer);
    expect(validatePaymentRequired(first)).toMatchObject({ x402Version: 1 });
    // The last one could not be told from the first: a payment of v1 states no token.
    expect(named(first.accepts)).toEqual([
      ['base', BASE_USDC, '10000', 'USD Coin'],
      ['polygon', POLYGON_USDC, '10000', 'USD Coin'],
      ['base', BASE_EURC, '9200', 'EURC'],
    ]);
    const challenges = Challenge.fromResponseList(new Response(null, { status: 402, headers: answer.headers }));
    expect(challenges.map(({ request }) => [request.currency, request.amount])).toEqual([
      [UNKNOWN, '10000'],
      [OTHER_UNKNOWN, '9200'],
    ]);
    // The next one is made ahead.
    expect(world.auth.asked.slice(0, 1)).toEqual([
      [
        { network: 'base', currency: 'USDC', address: TERMS.payTo, amount: '0.01' },
        { network: 'polygon', currency: 'USDC', address: TERMS.payTo, amount: '0.01' },
      ],
    ]);
    expect(JSON.parse(answer.headers.get('x-atxp-payment-request') ?? '{}').chargeAmount).toBe('0.01');
  });

  it('of a metered route leaves out the networks that the auth server does not settle on, and waits for none', async () => {
    world = await sell(charges('1'), { sells: { ...METERED, protocols: ['x402', onPolygon] } });
    await fetch(`${world.url}/paid`);
    const { accepts } = await jsonOf(await fetch(`${world.url}/paid`));
    expect(accepts.map((accept: Loose) => accept.network)).toEqual([BASE]);
  });
});

it('a payment is undecided while the auth server has not told how its own network is settled, and no other payment is', async () => {
  const shop = { sells: { ...METERED, protocols: ['x402', onPolygon] }, publicUrl: 'https://shop.test' } as const;
  world = await sell(charges('1'), shop);
  world.auth.supportedSchemes = { x402: { [BASE]: FACILITATOR, [POLYGON]: FACILITATOR }, mpp: {} };
  const [onBase, onPolygonNow] = [await world.credential(), await world.credential({ network: POLYGON })];
  const content = structuredClone(onPolygonNow.content) as Loose;
  content.accepted.asset = BASE_USDC;
  const other = await sell(charges('1'), shop);
  try {
    const statusOf = async (headers: PaymentCredential['headers']) =>
      (await fetch(`${other.url}/paid`, { headers })).status;
    expect(await statusOf(onBase.headers)).toBe(200);
    expect(await statusOf(onPolygonNow.headers)).toBe(503);
    expect(await statusOf(headersFor(content, onPolygonNow))).toBe(402);
  } finally {
    await other.close();
  }
});

describe('a payment', () => {
  it.each<[string, Partial<PayOptions>, Loose, string]>([
    ['in USDC on Base', { network: BASE, asset: BASE_USDC }, { network: BASE, asset: BASE_USDC }, '10000'],
    ['in USDC on Polygon', { network: POLYGON }, { network: POLYGON, asset: POLYGON_USDC }, '10000'],
    ['in EURC on Base', { asset: BASE_EURC }, { network: BASE, asset: BASE_EURC, currency: 'EURC' }, '9200'],
    ['by v1 in USDC', { version: 1, network: 'base' }, { network: BASE, asset: BASE_USDC }, '10000'],
    ['by v1 on Polygon', { version: 1, network: 'polygon' }, { network: POLYGON, asset: POLYGON_USDC }, '10000'],
    ['by v1 in EURC', { version: 1, asset: BASE_EURC }, { network: BASE, asset: BASE_EURC }, '9200'],
    ['in a token that v1 does not see', { asset: OTHER_UNKNOWN }, { asset: OTHER_UNKNOWN, currency: 'XYZ' }, '10000'],
    ['by MPP', { protocol: 'mpp' }, { protocol: 'mpp', network: TEMPO, asset: UNKNOWN }, '10000'],
    [
      'by MPP in another',
      { protocol: 'mpp', asset: OTHER_UNKNOWN },
      { asset: OTHER_UNKNOWN, currency: 'EURX' },
      '9200',
    ],
  ])('%s is booked and settled as what it is, and the handler is told', async (_name, pay, offer, amount) => {
    expect(await buys(pay, amount)).toEqual({ status: 200, charged: amount });
    expect(seen).toEqual([expect.objectContaining({ ...offer, amount: BigInt(amount), decimals: 6 })]);
    const { asset } = seen[0] ?? {};
    expect(world.ledger.only()).toMatchObject({ spent: BigInt(amount), session: { asset, cap: amount } });
    const sent = settleBody();
    if (pay.protocol === undefined) expect(sent.paymentRequirements).toMatchObject({ asset, amount });
  });

  it('by v1 for a token that it cannot name gets 402', async () => {
    world = await sell(charges('10000'), {
      sells: { ...IN_THREE_TOKENS, protocols: ['x402', { protocol: 'x402', asset: BASE_EURC, price: '10000' }] },
    });
    // Signed for EURC, of which it says nothing: it can only be read as one in USDC, which the auth server judges.
    const { headers } = await world.credential({ version: 1, asset: BASE_USDC });
    world.auth.verifies = 'invalid';
    expect((await fetch(`${world.url}/paid`, { headers })).status).toBe(402);
    const [verified] = world.auth.verified.map(({ body }) => JSON.parse(body));
    expect(verified.paymentRequirements.asset).toBe(BASE_USDC);
    expect(world.auth.verified).toHaveLength(1);
  });

  it.each<[string, bigint | string]>([
    ['the price of the route', '10000'],
    ['the price of the offer', 9200n],
    ['anything below', '1'],
  ])('that costs less than the route’s price is taken whole when the handler charges %s', async (_name, amount) => {
    expect(await buys({ asset: BASE_EURC }, amount)).toEqual({ status: 200, charged: '9200' });
  });

  it('is not charged for more than the route’s price and the offer’s', async () => {
    expect(await buys({ asset: BASE_EURC }, '10001')).toEqual({ status: 402 });
  });

  it('that costs less is charged once', async () => {
    const handler: Handler = (req, res) =>
      res.json([req.paymentSession?.charge('9000'), req.paymentSession?.charge('500'), req.paymentSession?.charge(1n)]);
    world = await sell(handler, { sells: EVERYTHING });
    expect(await jsonOf(await world.buy({ asset: BASE_EURC }))).toEqual([true, false, false]);
    expect(world.ledger.only().spent).toBe(9200n);
  });

  it('by ATXP at a price of its own is taken whole too', async () => {
    const sells = { ...IN_THREE_TOKENS, protocols: ['x402', { protocol: 'atxp', price: '12000' }] } as const;
    expect(await buys({ protocol: 'atxp' }, '10000', sells)).toEqual({ status: 200, charged: '12000' });
    expect(settleBody().options).toEqual([expect.objectContaining({ amount: '0.012' })]);
  });

  it('is metered up to the cap of its own offer', async () => {
    const handler: Handler = (req, res) => {
      const session = req.paymentSession;
      res.json([session?.charge(60_000n), session?.charge(60_000n), session?.charge(20_000n), `${session?.cap}`]);
    };
    const sells = { ...METERED, protocols: ['x402', { protocol: 'x402', asset: BASE_EURC, cap: '92000' }] } as const;
    world = await sell(handler, { sells });
    const answer = await jsonOf(await world.buy({ asset: BASE_EURC }));
    expect(answer).toEqual([true, false, true, '92000']);
    expect(settleBody()).toMatchObject({
      paymentRequirements: { asset: BASE_EURC, amount: '92000' },
      settlementOverrides: { amount: '80000' },
    });
  });
});

describe('an ATXP credential', () => {
  const twice = {
    ...IN_THREE_TOKENS,
    protocols: ['atxp', { protocol: 'atxp', network: POLYGON, asset: POLYGON_USDC }],
  } as const;
  const option = (network: string) => ({ network, currency: 'USDC', address: TERMS.payTo, amount: '0.01' });
  const buyWith = async (content: Partial<Loose>) => {
    world = await sell(charges('10000'), { sells: twice });
    seen.length = 0;
    const { headers } = atxpCredential({ account: payerAccount('alice') });
    const stated = { ...JSON.parse(headers['X-ATXP-PAYMENT'] ?? '{}'), ...content };
    return (await fetch(`${world.url}/paid`, { headers: { 'X-ATXP-PAYMENT': JSON.stringify(stated) } })).status;
  };

  it('that states no option is settled with all of them, each at its amount', async () => {
    expect(await buyWith({})).toBe(200);
    expect(settleBody().options).toEqual([option('base'), option('polygon')]);
    expect(world.ledger.only().session.asset).toBe(BASE_USDC);
    expect(seen[0]).toMatchObject({ protocol: 'atxp', network: BASE, currency: 'USDC' });
  });

  it('that states one of them is settled and booked as that one', async () => {
    expect(await buyWith({ options: [option('polygon')] })).toBe(200);
    expect(settleBody().options).toEqual([option('polygon')]);
    expect(world.ledger.only().session.asset).toBe(POLYGON_USDC);
    expect(seen[0]).toMatchObject({ network: POLYGON, asset: POLYGON_USDC });
  });

  it('that restates both may have either', async () => {
    expect(await buyWith({ options: [option('polygon'), option('base')] })).toBe(200);
    expect(settleBody().options).toEqual([option('base'), option('polygon')]);
  });

  it.each([
    ['one that was not offered beside one that was', { options: [option('base'), option('world')] }],
    ['one of them at another amount', { options: [{ ...option('polygon'), amount: '0.001' }] }],
    ['an option and another network beside it', { network: 'base', options: [option('polygon')] }],
    ['something that is no option', { options: ['base'] }],
    ['nothing as its options', { options: [] }],
  ])('that states %s gets 402', async (_name, content) => {
    expect(await buyWith(content)).toBe(402);
  });

  it('that states more decimals than is usual is read by those of its offer', async () => {
    const sells = { ...IN_THREE_TOKENS, asset: UNKNOWN, decimals: 18, currency: 'DAI', protocols: ['atxp'] } as const;
    world = await sell(charges('10000'), { sells });
    const options = [{ network: 'base', currency: 'DAI', address: TERMS.payTo, amount: '0.00000000000001' }];
    const { headers } = atxpCredential({ account: payerAccount('alice'), options });
    expect((await fetch(`${world.url}/paid`, { headers })).status).toBe(200);
  });

  it('answers a payment request of all options, and none of other options', async () => {
    world = await sell(charges('10000'), { sells: twice });
    const credential = await world.credential({ protocol: 'atxp' });
    const other = await sell(charges('10000'), { sells: { ...twice, protocols: ['atxp'] } });
    try {
      const [here, there] = [
        await world.credential({ protocol: 'atxp' }),
        await other.credential({ protocol: 'atxp' }),
      ];
      expect((await fetch(`${other.url}/paid`, { headers: here.headers })).status).toBe(402);
      expect((await fetch(`${world.url}/paid`, { headers: there.headers })).status).toBe(402);
    } finally {
      await other.close();
    }
    expect((await world.buy({ credential })).status).toBe(200);
  });
});
