import { decodePaymentRequiredHeader } from '@x402/core/http';
import fc from 'fast-check';
import { Challenge, Credential } from 'mppx';
import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/domain/json.js';
import type { Protocol } from '../../../src/domain/settlements/settlement-status.js';
import { makeChallenge } from '../../../src/sessions/offers/challenge.js';
import { type Match, matchOffer, type Presented } from '../../../src/sessions/offers/match-offer.js';
import { meantByV1, type Offer, routeOffers } from '../../../src/sessions/offers/offers.js';
import { createRequestIds } from '../../../src/sessions/offers/request-ids.js';
import type { ProtocolTerms } from '../../../src/sessions/offers/route-options.js';
import { BASE, BASE_EURC, BASE_USDC, POLYGON, POLYGON_USDC } from '../../support/sessions/offers.js';
import { ESCROW, FACILITATOR } from './support/world.js';

/** Whatever a route takes, a credential for one of its offers is for that one, and any other is for none. */

const NOW = Date.parse('2026-03-01T12:00:00Z');
const TEMPO = 'eip155:42431';
const BOUNDS = { credentialValidityMs: 3_600_000, minRetryWindowMs: 120_000 };
const PAYEES = [`0x${'51'.repeat(20)}`, `0x${'52'.repeat(20)}`] as const;
const domain = { name: 'A token', version: '1' };
const TOKENS: readonly (readonly [network: string, asset: string])[] = [
  [BASE, BASE_USDC],
  [BASE, BASE_EURC],
  [POLYGON, POLYGON_USDC],
  // An address says nothing of another network's token.
  [POLYGON, BASE_USDC],
  [TEMPO, `0x${'aa'.repeat(20)}`],
  [TEMPO, `0x${'bb'.repeat(20)}`],
];

const dependencies = {
  mpp: { secretKey: 'a secret of at least thirty-two characters', realm: 'shop.test' },
  requestIds: createRequestIds(() => 'another secret'),
  credentialValidityMs: BOUNDS.credentialValidityMs,
  clock: { nowMs: () => NOW },
};

const entries: fc.Arbitrary<ProtocolTerms[]> = fc.uniqueArray(
  fc
    .record({
      protocol: fc.constantFrom<Protocol>('x402', 'mpp'),
      token: fc.constantFrom(...TOKENS),
      payTo: fc.constantFrom(...PAYEES),
      amount: fc.constantFrom('9200', '10000'),
    })
    .map(({ protocol, token: [network, asset], payTo, amount }) => ({
      protocol,
      network,
      asset,
      payTo,
      amount,
      domain,
    })),
  { minLength: 1, maxLength: 6, selector: ({ protocol, network, asset }) => `${protocol} ${network} ${asset}` },
);
const atxpEntries: fc.Arbitrary<ProtocolTerms[]> = fc.subarray([
  { protocol: 'atxp', network: BASE, asset: BASE_USDC },
  { protocol: 'atxp', network: POLYGON, asset: POLYGON_USDC },
  { protocol: 'atxp', network: 'eip155:480', asset: BASE_USDC, payTo: PAYEES[1] },
]);
const routes = fc
  .record({ some: entries, atxp: atxpEntries, metered: fc.boolean() })
  .map(({ some, atxp, metered }): readonly Offer[] => {
    const kind = metered ? 'cap' : 'price';
    const protocols = [...some.map(({ amount, ...entry }: Loose) => ({ ...entry, [kind]: amount })), ...atxp];
    const own = { asset: BASE_USDC, network: BASE, decimals: 6, currency: 'USDC', payTo: PAYEES[0], domain };
    return routeOffers({ ...own, [kind]: '10000', protocols }, BOUNDS).offers;
  });

// biome-ignore lint/suspicious/noExplicitAny: JSON that the test looks into
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;

const presentedOf = (offers: readonly Offer[]): Presented => ({
  offers,
  extensions: {},
  supportedSchemes: {
    x402: { [BASE]: FACILITATOR, [POLYGON]: FACILITATOR, [TEMPO]: FACILITATOR },
    mpp: { tempo: { escrowContract: ESCROW, chainId: 42431 } },
  },
  resource: { url: 'https://shop.test/paid' },
  target: '/paid',
});

interface Answer {
  readonly protocol: Protocol;
  readonly content: JsonObject;
  readonly paymentRequestId?: string;
  /** Of the offers of its protocol, the one that it is for. */
  readonly isFor: (offer: Offer) => boolean;
}

const word = (byte: string): string => `0x${byte.repeat(32)}`;

function x402Payload(accept: Loose): JsonObject {
  const value: string = accept.amount;
  const until = String(NOW / 1000 + 3600);
  if (accept.scheme === 'exact') {
    const authorization = {
      from: PAYEES[1],
      to: accept.payTo,
      value,
      validAfter: '0',
      validBefore: until,
      nonce: word('01'),
    };
    return { signature: '0x00', authorization };
  }
  return {
    signature: '0x00',
    permit2Authorization: {
      from: PAYEES[1],
      permitted: { token: accept.asset, amount: value },
      spender: '0x4020a4f3b7b90cca423b9fabcc0ce57c6c240002',
      nonce: '1',
      deadline: until,
      witness: { to: accept.payTo, facilitator: FACILITATOR, validAfter: '0' },
    },
  };
}

/** Everything that the 402 of these offers can be answered with, in each version. */
async function answersTo(offers: readonly Offer[]): Promise<Answer[]> {
  const challenge = await makeChallenge(presentedOf(offers), undefined, {
    ...dependencies,
    authServerUrl: 'https://auth.test',
    requestIdStock: { take: async () => 'request-1', stop: () => undefined },
  });
  const { headers = {}, body } = challenge ?? {};
  const second: Loose =
    headers['PAYMENT-REQUIRED'] === undefined
      ? { accepts: [] }
      : decodePaymentRequiredHeader(headers['PAYMENT-REQUIRED']);
  const first: Loose = body?.['x402Version'] === 1 ? body : { accepts: [] };
  const named = (accept: Loose) => (offer: Offer) =>
    offer.asset === accept.asset && (offer.network === accept.network || accept.network in V1[offer.network]!);
  const wire: Loose[] =
    headers['WWW-Authenticate'] === undefined
      ? []
      : Challenge.fromResponseList(new Response(null, { status: 402, headers }));
  const atxp = JSON.parse(headers['X-ATXP-Payment-Request'] ?? 'null');
  return [
    ...second.accepts.map((accept: Loose) => ({
      protocol: 'x402',
      content: { x402Version: 2, accepted: accept, payload: x402Payload(accept) },
      isFor: named(accept),
    })),
    ...first.accepts.map((accept: Loose) => ({
      protocol: 'x402',
      content: { x402Version: 1, scheme: accept.scheme, network: accept.network, payload: x402Payload(accept) },
      isFor: named(accept),
    })),
    ...wire.map((one: Loose) => ({
      protocol: 'mpp',
      content: mppContent(one),
      isFor: (offer: Offer) =>
        offer.asset === one.request.currency && offer.network === `eip155:${one.request.methodDetails.chainId}`,
    })),
    ...(atxp === null
      ? []
      : offers
          .filter(({ protocol }) => protocol === 'atxp')
          .map((offer) => ({
            protocol: 'atxp',
            content: { sourceAccountToken: 'token', options: [{ address: offer.payTo, network: ATXP[offer.network] }] },
            paymentRequestId: atxp.paymentRequestId,
            isFor: (other: Offer) => other === offer,
          }))),
  ] as Answer[];
}

const V1: Readonly<Record<string, object>> = { [BASE]: { base: 1 }, [POLYGON]: { polygon: 1 }, [TEMPO]: {} };
const ATXP: Readonly<Record<string, string>> = { [BASE]: 'base', [POLYGON]: 'polygon', 'eip155:480': 'world' };

function mppContent(challenge: Loose): JsonObject {
  const voucher = { action: 'voucher', channelId: word('ab'), cumulativeAmount: '50000', signature: '0x00' };
  const payload = challenge.intent === 'session' ? voucher : { type: 'transaction', signature: '0x00' };
  const [, wire = ''] = Credential.serialize(Credential.from({ challenge, payload })).split(' ');
  return JSON.parse(Buffer.from(wire, 'base64url').toString());
}

const matched = (answer: Answer, offers: readonly Offer[]): Match => {
  const { protocol, content, paymentRequestId } = answer;
  const raw =
    protocol === 'atxp' ? JSON.stringify(content) : Buffer.from(JSON.stringify(content)).toString('base64url');
  return matchOffer(
    { protocol, raw, ...(paymentRequestId && { paymentRequestId }) },
    presentedOf(offers),
    dependencies,
  );
};

it('a credential made for one of the offers is for exactly that one, in every protocol and version', async () => {
  await fc.assert(
    fc.asyncProperty(routes, async (offers) => {
      const answers = await answersTo(offers);
      for (const answer of answers) {
        const meant = offers.filter((offer) => offer.protocol === answer.protocol && answer.isFor(offer));
        expect(meant).toHaveLength(1);
        const match = matched(answer, offers);
        expect(match).toMatchObject({ kind: 'match' });
        if (match.kind !== 'match') continue;
        expect(match.offer).toBe(meant[0]);
        const { asset, network } = match.offer;
        if (answer.protocol === 'x402') expect(match.context.paymentRequirements).toMatchObject({ asset, network });
        if (answer.protocol === 'atxp') expect(match.context.options).toHaveLength(1);
      }
      // Every offer can be paid, and each of v1's but those that it cannot name.
      const payable = (protocol: Protocol) => answers.filter((answer) => answer.protocol === protocol).length;
      const x402 = offers.filter(({ protocol }) => protocol === 'x402');
      const inV1 = x402.filter((one) => one.scheme === 'exact' && one.network !== TEMPO && meantByV1(one, offers));
      expect(payable('x402')).toBe(x402.length + inV1.length);
    }),
    { numRuns: 40 },
  );
});

it('a credential for an offer that the route does not make is for none', async () => {
  await fc.assert(
    fc.asyncProperty(routes, fc.nat(), async (offers, nth) => {
      const answers = await answersTo(offers);
      if (answers.length === 0) return;
      const answer = answers[nth % answers.length]!;
      const isMeant = (offer: Offer) => offer.protocol === answer.protocol && answer.isFor(offer);
      const match = matched(
        answer,
        offers.filter((offer) => !isMeant(offer)),
      );
      // A payment of v1 may be one in another token as well, of the same amount to the same payee: its signature tells.
      const alike =
        answer.content['x402Version'] === 1 &&
        match.kind === 'match' &&
        offers.some((one) => isMeant(one) && one.amount === match.offer.amount && one.payTo === match.offer.payTo);
      if (!alike) expect(match.kind).toBe('mismatch');
    }),
  );
});

it('a credential of which one field is another’s is for none', async () => {
  const fields = ['network', 'asset', 'payTo', 'amount', 'scheme'] as const;
  const bent = {
    network: 'eip155:1',
    asset: `0x${'cc'.repeat(20)}`,
    payTo: `0x${'dd'.repeat(20)}`,
    amount: '9199',
    scheme: 'x',
  };
  await fc.assert(
    fc.asyncProperty(routes, fc.nat(), fc.constantFrom(...fields), async (offers, nth, field) => {
      const answers = (await answersTo(offers)).filter(({ content }) => content['x402Version'] === 2);
      if (answers.length === 0) return;
      const { content, ...answer } = answers[nth % answers.length]!;
      const accepted = { ...(content['accepted'] as JsonObject), [field]: bent[field] };
      expect(matched({ ...answer, content: { ...content, accepted } }, offers).kind).toBe('mismatch');
      const signed =
        field === 'scheme' ? undefined : x402Payload({ ...(content['accepted'] as Loose), [field]: bent[field] });
      const isSigned = field === 'payTo' || field === 'amount';
      if (signed && isSigned)
        expect(matched({ ...answer, content: { ...content, payload: signed } }, offers).kind).toBe('mismatch');
    }),
  );
});
