import { Session } from 'mppx/tempo';
import { afterEach, expect, test } from 'vitest';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { atxpCredential } from '../../../sandbox/payer/atxp.js';
import type { PaymentCredential } from '../../../sandbox/payer/credential.js';
import type { PayOptions } from '../../../sandbox/payer/pay.js';
import { type PaidSessionOptions } from '../../../src/sessions/index.js';
import { bazaarExtension, type Discoverable } from '../../../src/sessions/offers/bazaar.js';
import { paymentIdentifierExtension } from '../../../src/sessions/offers/payment-identifier.js';
import { bent, changed, encode, headersFor, type Json, walk } from './support/tampering.js';
import {
  ASSET,
  ESCROW,
  FACILITATOR,
  FIXED,
  type Handler,
  type Loose,
  METERED,
  PAYEE,
  sell,
  type World,
} from './support/world.js';

let world: World;
afterEach(() => world.close());

const serve: Handler = (req, res) => {
  req.paymentSession?.charge('10000');
  res.json({ ok: true });
};

interface Subject {
  readonly name: string;
  readonly sells: PaidSessionOptions;
  readonly pay: Partial<PayOptions>;
  /** The payer's own: who pays, with which signature, nonce and validity. The auth server judges those. */
  readonly own: RegExp;
  /** Objects in which a further key is refused too. */
  readonly sealed: RegExp;
  /** Rewrites the fresh credential first, to state all that this protocol can state. */
  readonly full?: (content: Loose) => void;
}

const LISTED: Discoverable = { input: { place: 'Vienna', days: 3 }, output: { hours: [12.5] } };

const SUBJECTS: readonly Subject[] = [
  {
    name: 'x402 v2 exact',
    sells: FIXED,
    pay: { protocol: 'x402', scheme: 'exact' },
    own: /^payload\.(signature|authorization\.(from|nonce|validAfter|validBefore))$/,
    sealed: /./,
  },
  {
    name: 'x402 v2 exact, repeating the extension of its 402',
    sells: { ...FIXED, discoverable: LISTED },
    pay: { protocol: 'x402', scheme: 'exact' },
    own: /^payload\.(signature|authorization\.(from|nonce|validAfter|validBefore))$/,
    sealed: /./,
    full: (content) => {
      content.extensions = { bazaar: bazaarExtension(LISTED) };
    },
  },
  {
    name: 'x402 v2 exact, under a name that its client gives it',
    sells: FIXED,
    pay: { protocol: 'x402', scheme: 'exact' },
    own: /^payload\.(signature|authorization\.(from|nonce|validAfter|validBefore))$|^extensions\.payment-identifier\.info\./,
    sealed: /./,
    full: (content) => {
      const info = { required: false, id: 'pay_0123456789abcdef' };
      content.extensions = { 'payment-identifier': { ...paymentIdentifierExtension, info } };
    },
  },
  {
    name: 'x402 v1 exact',
    sells: FIXED,
    pay: { protocol: 'x402', scheme: 'exact', version: 1 },
    own: /^payload\.(signature|authorization\.(from|nonce|validAfter|validBefore))$/,
    sealed: /./,
  },
  {
    name: 'x402 v2 upto',
    sells: METERED,
    pay: { protocol: 'x402', scheme: 'upto' },
    own: /^payload\.(signature|permit2Authorization\.(from|nonce|deadline|witness\.validAfter))$/,
    sealed: /./,
  },
  {
    name: 'mpp charge',
    sells: FIXED,
    pay: { protocol: 'mpp', intent: 'charge' },
    own: /^(payload\.(type|signature)|source)$/,
    sealed: /./,
  },
  {
    name: 'mpp session',
    sells: METERED,
    pay: { protocol: 'mpp', intent: 'session' },
    own: /^(payload\.(cumulativeAmount|signature)|source)$/,
    sealed: /^(|challenge)$/,
    full: (content) => {
      const descriptor: Loose = {
        payee: PAYEE,
        token: ASSET,
        operator: FACILITATOR,
        payer: content.source.split(':').at(-1),
        authorizedSigner: content.source.split(':').at(-1),
        salt: `0x${'01'.repeat(32)}`,
        expiringNonceHash: `0x${'02'.repeat(32)}`,
      };
      const channelId = Session.Precompile.Channel.computeId({ ...descriptor, chainId: 42431, escrow: ESCROW });
      Object.assign(content.payload, { descriptor, channelId });
    },
  },
  {
    name: 'atxp',
    sells: FIXED,
    pay: { protocol: 'atxp' },
    own: /^source/,
    sealed: /^$/,
    full: (content) => {
      content.options = [{ network: 'base', currency: 'USDC', address: PAYEE, amount: '0.01' }];
      content.resource = `${world.url}/paid`;
    },
  },
];

async function refused(headers: PaymentCredential['headers'], what: string): Promise<void> {
  const answer = await fetch(`${world.url}/paid`, { headers });
  expect([what, answer.status]).toEqual([what, 402]);
  await answer.text();
}

test.each(SUBJECTS)(
  '$name: every field that was offered, bent by itself, gets 402 and never a session',
  async (subject) => {
    world = await sell(serve, { sells: subject.sells });
    const fresh = await world.credential(subject.pay);
    const content = structuredClone(fresh.content) as Loose;
    subject.full?.(content);
    const { leaves } = walk(content);
    const attacked = leaves.filter((path) => !subject.own.test(path.join('.')));
    expect(attacked.length).toBeGreaterThanOrEqual(3);
    for (const path of attacked) {
      const lie = changed(content, path, (parent, key) => {
        parent[key] = bent(parent[key]);
      });
      await refused(headersFor(lie, fresh), path.join('.'));
    }
    expect([world.auth.verified.length, world.ledger.opens.length]).toEqual([0, 0]);
    expect((await fetch(`${world.url}/paid`, { headers: headersFor(content, fresh) })).status).toBe(200);
  },
);

test.each(SUBJECTS)('$name: a further field, which somebody else might read, gets 402', async (subject) => {
  world = await sell(serve, { sells: subject.sells });
  const fresh = await world.credential(subject.pay);
  const content = structuredClone(fresh.content) as Loose;
  subject.full?.(content);
  const objects = walk(content).objects.filter((path) => subject.sealed.test(path.join('.')));
  expect(objects.length).toBeGreaterThan(0);
  for (const path of objects) {
    // `amount` and `payTo` are what an auth server would look for.
    const further = changed(content, [...path, 'payTo'], (parent) => {
      parent.payTo = `0x${'ab'.repeat(20)}`;
    });
    await refused(headersFor(further, fresh), `${path.join('.')}.payTo`);
  }
  expect(world.ledger.opens).toHaveLength(0);
});

test.each(SUBJECTS.filter((subject) => subject.name !== 'atxp'))(
  '$name: leaving out what was signed or accepted gets 402',
  async (subject) => {
    world = await sell(serve, { sells: subject.sells });
    const fresh = await world.credential(subject.pay);
    const needed = walk(fresh.content as Json).leaves.filter(
      (path) => !/signature|validAfter|source|extra|maxTimeout|resource|^payload\.type|opaque/.test(path.join('.')),
    );
    expect(needed.length).toBeGreaterThanOrEqual(3);
    for (const path of needed) {
      const shorter = changed(fresh.content, path, (parent, key) => {
        delete parent[key];
      });
      await refused(headersFor(shorter, fresh), `without ${path.join('.')}`);
    }
    expect(world.ledger.opens).toHaveLength(0);
  },
);

test.each([
  ['null', null],
  ['a list', []],
  ['one that is no object', { 'payment-identifier': 'pay_0123456789abcdef' }],
  ['one without info', { 'payment-identifier': {} }],
  ['a name that is too short', { 'payment-identifier': { info: { required: false, id: 'pay_0' } } }],
  ['a name with other characters', { 'payment-identifier': { info: { required: false, id: 'pay 0123456789abcdef' } } }],
  ['a name that is no text', { 'payment-identifier': { info: { required: false, id: 1 } } }],
  ['one that was not offered', { bazaar: bazaarExtension(LISTED) }],
  ['one by the name of what every object has', { toString: {} }],
])('extensions that are %s get 402, and none or no name are as good as ours', async (_name, extensions) => {
  world = await sell(serve, { sells: FIXED });
  const fresh = await world.credential({ protocol: 'x402', scheme: 'exact' });
  const stating = (stated: unknown) => headersFor({ ...(fresh.content as Loose), extensions: stated }, fresh);
  await refused(stating(extensions), JSON.stringify(extensions));
  expect(world.ledger.opens).toHaveLength(0);
  const unnamed = { 'payment-identifier': { info: { required: false } } };
  expect((await fetch(`${world.url}/paid`, { headers: stating(unnamed) })).status).toBe(200);
});

test('a permit for another token, spender, payee or facilitator is refused before anybody verifies it', async () => {
  world = await sell(serve, { sells: METERED });
  const fresh = await world.credential({ protocol: 'x402', scheme: 'upto' });
  for (const path of ['permitted.token', 'spender', 'witness.to', 'witness.facilitator', 'permitted.amount']) {
    const lie = changed(fresh.content, ['payload', 'permit2Authorization', ...path.split('.')], (parent, key) => {
      parent[key] = bent(parent[key]);
    });
    await refused(headersFor(lie, fresh), path);
  }
  expect(world.auth.verified).toHaveLength(0);
});

test('a voucher that does not cover the offer, or does something that no channel knows, is refused', async () => {
  world = await sell(serve, { sells: METERED });
  const fresh = await world.credential({ protocol: 'mpp' });
  for (const [key, value] of [
    ['cumulativeAmount', '99999'],
    ['action', 'settle'],
    ['action', 'Close'],
  ] as const) {
    await refused(
      headersFor(
        changed(fresh.content, ['payload', key], (parent) => (parent[key] = value)),
        fresh,
      ),
      `${key} ${value}`,
    );
  }
  expect(world.ledger.opens).toHaveLength(0);
});

test('an MPP challenge of another secret, another route or another price is not ours', async () => {
  const dear: PaidSessionOptions = { ...FIXED, price: '20000' };
  world = await sell(serve, {
    mount: (app, paid) => {
      app.get('/twin', paid(FIXED), serve);
      app.get('/dear', paid(dear), serve);
    },
  });
  const paid = await world.credential({ protocol: 'mpp' });
  for (const path of ['/twin', '/dear']) expect((await world.buy({ credential: paid, path })).status).toBe(402);
  const forged = changed(paid.content, ['challenge', 'id'], (parent) => (parent.id = 'A'.repeat(43)));
  await refused(headersFor(forged, paid), 'forged id');
  expect(world.ledger.opens).toHaveLength(0);
});

test('what verify and settle get as requirements is our own offer, whatever the credential accepted', async () => {
  world = await sell(serve);
  const fresh = await world.credential({ protocol: 'x402' });
  const lowered = changed(fresh.content, ['accepted', 'payTo'], (parent) => (parent.payTo = PAYEE.toLowerCase()));
  expect((await fetch(`${world.url}/paid`, { headers: headersFor(lowered, fresh) })).status).toBe(200);
  const offered = { scheme: 'exact', network: 'eip155:8453', amount: '10000', asset: ASSET, payTo: PAYEE };
  expect(JSON.parse(world.auth.verified[0]!.body).paymentRequirements).toMatchObject(offered);
  expect(JSON.parse(world.ledger.only().body ?? '').paymentRequirements).toMatchObject(offered);
});

test('one authorization is one credential: reordered, spaced, in the other header version, or with a request id it is 409', async () => {
  world = await sell(serve);
  const fresh = await world.credential({ protocol: 'x402' });
  expect((await world.buy({ credential: fresh })).status).toBe(200);
  const { payload } = fresh.content as Loose;
  const v1 = { x402Version: 1, scheme: 'exact', network: 'base', payload };
  const reversed = Object.fromEntries(Object.entries(fresh.content).reverse());
  const again: Record<string, string>[] = [
    { ...fresh.headers },
    { 'PAYMENT-SIGNATURE': encode(fresh.content, 3) },
    { 'PAYMENT-SIGNATURE': encode(reversed) },
    { 'X-PAYMENT': encode(v1) },
    { 'X-PAYMENT': encode(fresh.content) },
    { ...fresh.headers, 'X-ATXP-Payment-Request-Id': 'request-of-somebody-else' },
  ];
  for (const headers of again) expect((await fetch(`${world.url}/paid`, { headers })).status).toBe(409);
  expect(world.ledger.rows.size).toBe(1);
});

test('an ATXP token pays once per request that we issued, and an id that we did not issue does not make it new', async () => {
  world = await sell(serve);
  const account = payerAccount('alice');
  const withId = async (paymentRequestId?: string) =>
    (await world.buy({ credential: atxpCredential({ account, token: 'bearer', paymentRequestId }) })).status;
  const issued = async () =>
    JSON.parse((await fetch(`${world.url}/paid`)).headers.get('x-atxp-payment-request') ?? '{}')
      .paymentRequestId as string;
  const [first, second] = [await issued(), await issued()];
  expect([await withId(first), await withId(second)]).toEqual([200, 200]);
  expect([await withId(first), await withId(second)]).toEqual([409, 409]);
  expect([await withId(), await withId('made-up-1'), await withId('made-up-2'), await withId('request-1')]).toEqual([
    200, 409, 409, 409,
  ]);
  expect(await withId(`x${second}`)).toBe(402);
  expect(await withId(`${second.slice(0, -1)}${second.endsWith('A') ? 'B' : 'A'}`)).toBe(409);
});

test("a victim's request id takes nothing from the victim", async () => {
  world = await sell(serve);
  const offers = await fetch(`${world.url}/paid`);
  const { paymentRequestId } = JSON.parse(offers.headers.get('x-atxp-payment-request') ?? '{}');
  const pays = (name: string) =>
    atxpCredential({ account: payerAccount(name), token: `token of ${name}`, paymentRequestId });
  expect((await world.buy({ credential: pays('mallory') })).status).toBe(200);
  expect((await world.buy({ credential: pays('victim') })).status).toBe(200);
  const rows = [...world.ledger.rows.values()];
  expect(new Set(rows.map((row) => row.session.key)).size).toBe(2);
  expect(rows.every((row) => row.session.key === row.session.identity)).toBe(true);
});

test('a request id of one route pays for nothing on another', async () => {
  world = await sell(serve, { mount: (app, paid) => app.get('/twin', paid(FIXED), serve) });
  const offers = await fetch(`${world.url}/twin`);
  const { paymentRequestId } = JSON.parse(offers.headers.get('x-atxp-payment-request') ?? '{}');
  const credential = atxpCredential({ account: payerAccount('alice'), token: 'bearer', paymentRequestId });
  expect((await world.buy({ credential })).status).toBe(402);
  expect(world.ledger.opens).toHaveLength(0);
});

test.each([
  ['garbage', { 'PAYMENT-SIGNATURE': '!!!' }],
  ['no object', { 'PAYMENT-SIGNATURE': Buffer.from('[]').toString('base64') }],
  [
    'an unparsable cap',
    { 'X-ATXP-PAYMENT': JSON.stringify({ sourceAccountToken: 't', options: [{ amount: '1e-2' }] }) },
  ],
  ['an infinite cap', { 'X-ATXP-PAYMENT': JSON.stringify({ sourceAccountToken: 't', amount: 'Infinity' }) }],
  ['an MPP credential without a challenge', { Authorization: `Payment ${Buffer.from('{}').toString('base64url')}` }],
])('%s is 402, never a session and never a 500', async (_name, headers) => {
  world = await sell(serve);
  await refused(headers, 'undecodable');
  expect([world.auth.verified.length, world.ledger.opens.length]).toEqual([0, 0]);
});

test.each([
  ['expired', -1],
  ['nearly expired', 5 * 60 + 119],
])('a credential that is %s gets a fresh 402', async (_name, secondsLeft) => {
  world = await sell(serve);
  const fresh = await world.credential({ protocol: 'x402' });
  const validBefore = Number((fresh.content as Loose).payload.authorization.validBefore);
  world.clock.ms = (validBefore - secondsLeft) * 1000;
  const answer = await world.buy({ credential: fresh });
  expect(answer.status).toBe(402);
  expect(answer.headers.has('payment-required')).toBe(true);
  expect(world.auth.verified).toHaveLength(0);
});

test('an MPP session answers a challenge only while the challenge lives, though its voucher never expires', async () => {
  world = await sell(serve, { sells: METERED });
  const fresh = await world.credential({ protocol: 'mpp' });
  world.clock.ms += 3_600_001;
  await refused(fresh.headers, 'an old challenge');
  expect([world.auth.verified.length, world.ledger.opens.length]).toEqual([0, 0]);
});
