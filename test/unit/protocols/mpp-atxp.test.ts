import * as fc from 'fast-check';
import { Challenge, Credential } from 'mppx';
import { Session } from 'mppx/tempo';
import { describe, expect, it } from 'vitest';
import { decodeCredential } from '../../../src/protocols/decode-credential.js';
import { createCaseCounts } from '../../support/case-counts.js';
import {
  ATXP_TOKEN,
  atxp,
  base64,
  base64url,
  CHALLENGE_ID,
  CHANNEL,
  decoded,
  mppCharge,
  mppSession,
  PAYER,
} from '../../support/sessions/credentials.js';

const TOP_UP = { action: 'topUp', cumulativeAmount: undefined, transaction: '0x76ab', additionalDeposit: '500000' };
const capOf = (change: object) => decoded('mpp', base64(mppCharge(change))).cap;

const identityFor = (paymentRequestId?: string) => decoded('atxp', ATXP_TOKEN, { paymentRequestId }).identity;

describe('an MPP credential', () => {
  it('for a charge is its challenge: all or nothing, until the challenge expires', () => {
    const credential = decoded('mpp', base64url(mppCharge()));
    expect(credential).toMatchObject({
      scheme: 'charge',
      identity: `mpp:charge:${CHALLENGE_ID}`,
      metered: false,
      closesAtZero: false,
      cap: '10000',
      account: PAYER.toLowerCase(),
      expiresAtMs: Date.parse('2026-01-06T12:00:00Z'),
    });
  });

  it('for a session is its channel and cumulative amount: metered, closed at zero, not expiring with its challenge', () => {
    const credential = decoded('mpp', base64url(mppSession()));
    expect(credential).toMatchObject({
      scheme: 'session',
      identity: `mpp:session:${CHANNEL.toLowerCase()}:30000`,
      metered: true,
      closesAtZero: true,
      cap: '30000',
      expiresAtMs: null,
    });
    expect(
      decoded('mpp', base64url(mppSession({ channelId: CHANNEL.toLowerCase(), cumulativeAmount: '030000' }))).identity,
    ).toBe(credential.identity);
    expect(decoded('mpp', base64url(mppSession({ cumulativeAmount: '30001' }))).identity).not.toBe(credential.identity);
  });

  it.each([
    ['without 0x', { channelId: CHANNEL.slice(2) }],
    ['with a space before it', { channelId: ` ${CHANNEL}` }],
    ['with zeros before it', { channelId: `0x00${CHANNEL.slice(2)}` }],
    ['with 0X before it', { channelId: CHANNEL.replace('0x', '0X') }],
    ['in no text', { channelId: 7 }],
    ['of another channel than its descriptor says', { descriptor: { channelId: `0x${'0c'.repeat(32)}` } }],
    [
      'that only its descriptor states, without 0x',
      { channelId: undefined, descriptor: { channelId: CHANNEL.slice(2) } },
    ],
  ])('names its channel in one way alone: one %s is not decoded', (_how, change) => {
    expect(decodeCredential('mpp', base64url(mppSession(change)), {})).toHaveProperty('undecodable');
  });

  describe('for a session with the descriptor of its channel', () => {
    const escrow = `0x4d5050${'0'.repeat(34)}`;
    const address = (byte: string) => `0x${byte.repeat(20)}`;
    const descriptor = {
      payer: address('ab'),
      payee: address('cd'),
      operator: address('00'),
      token: address('20'),
      salt: `0x${'11'.repeat(32)}`,
      authorizedSigner: address('ab'),
      expiringNonceHash: `0x${'22'.repeat(32)}`,
    };
    const { computeId } = Session.Precompile.Channel;
    const channel = computeId({ ...descriptor, chainId: 42_431, escrow } as Parameters<typeof computeId>[0]);
    const of = (more: object) => {
      const { challenge, payload } = mppSession({ descriptor, ...more });
      const request = { methodDetails: { chainId: 42_431, escrowContract: escrow } };
      const paying = { challenge: { ...(challenge as object), request }, payload };
      return decodeCredential('mpp', base64(paying), {});
    };

    it('has the name that follows from that, whether it states it or not', () => {
      const named = `mpp:session:${channel.toLowerCase()}:30000`;
      expect(of({ channelId: channel })).toMatchObject({ identity: named });
      expect(of({ channelId: undefined })).toMatchObject({ identity: named });
    });

    it('is not decoded under another name', () => {
      expect(of({ channelId: CHANNEL })).toHaveProperty('undecodable');
    });
  });

  it('for a session of another method than tempo has the name of its channel to the letter', () => {
    const { challenge, payload } = mppSession({ channelId: '7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV' });
    const elsewhere = { challenge: { ...(challenge as object), method: 'solana' }, payload };
    expect(decoded('mpp', base64(elsewhere)).voucher).toMatchObject({
      channel: '7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV',
    });
  });

  it.each([
    ['a channel descriptor', { descriptor: { account: PAYER } }],
    ['an action', { action: 'voucher' }],
  ])('with %s is a session whatever its intent says', (_what, part) => {
    const disguised = { ...mppCharge(), payload: { ...part, channelId: CHANNEL, cumulativeAmount: '5' } };
    expect(decoded('mpp', base64(disguised))).toMatchObject({
      scheme: 'session',
      identity: `mpp:session:${CHANNEL.toLowerCase()}:5`,
    });
  });

  it('that tops a channel up is its transaction: it allows no charge and takes the place of no voucher', () => {
    const topUp = (change: object = {}) => mppSession({ ...TOP_UP, ...change });
    const credential = decoded('mpp', base64(topUp()));
    expect(credential).toMatchObject({ cap: '0', voucher: null, manages: 'topUp', channel: CHANNEL.toLowerCase() });
    expect(credential.identity).toMatch(new RegExp(`^mpp:session:${CHANNEL.toLowerCase()}:topUp:[0-9a-f]{64}$`));
    const same = decoded('mpp', base64(topUp({ transaction: '0x76AB', additionalDeposit: '1' })));
    expect(same.identity).toBe(credential.identity);
    expect(decoded('mpp', base64(topUp({ transaction: '0x76ac' }))).identity).not.toBe(credential.identity);
  });

  it('is read as the codec of mppx writes it', () => {
    const challenge = Challenge.from({
      secretKey: 'k'.repeat(32),
      realm: 'api.example.com',
      method: 'tempo',
      intent: 'charge',
      request: { amount: '2500', currency: '0x20', recipient: PAYER },
    });
    const header = Credential.serialize(
      Credential.from({ challenge, payload: { type: 'hash', hash: '0x1' }, source: `did:pkh:eip155:1:${PAYER}` }),
    );
    expect(decoded('mpp', header)).toMatchObject({
      identity: `mpp:charge:${challenge.id}`,
      cap: '2500',
      account: PAYER.toLowerCase(),
    });
    expect(decoded('mpp', header.slice('Payment '.length)).identity).toBe(`mpp:charge:${challenge.id}`);
  });

  it('reads the amount of a challenge in the three forms that are on the wire', () => {
    expect(capOf({ request: { amount: '10000' } })).toBe('10000');
    expect(capOf({ request: { amount: '0.01' } })).toBe('10000');
    expect(capOf({ request: undefined, amount: '0.01' })).toBe('10000');
    expect(capOf({ request: undefined, amount: '1' })).toBe('1000000');
    expect(capOf({ request: undefined, amount: '7000', method: 'solana' })).toBe('7000');
    expect(capOf({ request: undefined })).toBeNull();
  });

  it('keeps an identity short and plain however long or odd the id is', () => {
    const one = decoded('mpp', base64(mppCharge({ id: 'x'.repeat(40_000) }))).identity;
    expect(one.length).toBeLessThan(200);
    expect(decoded('mpp', base64(mppCharge({ id: 'x'.repeat(40_001) }))).identity).not.toBe(one);
    expect(decoded('mpp', base64(mppCharge({ id: 'nul\u0000é' }))).identity).toMatch(/^[\x21-\x7e]+$/);
  });

  it.each([
    ['no challenge', { payload: {} }],
    ['no challenge id', mppCharge({ id: undefined })],
    ['an unknown intent', mppCharge({ intent: 'subscription' })],
    ['a request that is not base64 of JSON', mppCharge({ request: '%%' })],
    ['an amount that is a number', mppCharge({ request: { amount: 10 } })],
    ['a negative amount', mppCharge({ request: { amount: '-5' } })],
    ['an expiry that is no time', mppCharge({ expires: 'soon' })],
    ['an expiry on no calendar', mppCharge({ expires: '2026-99-06T12:00:00Z' })],
    ['a top-up without its transaction', mppSession({ ...TOP_UP, transaction: undefined })],
    ['a top-up whose transaction is no hex', mppSession({ ...TOP_UP, transaction: '0x' })],
    ['a top-up that states a cumulative amount', mppSession({ ...TOP_UP, cumulativeAmount: '30000' })],
    ['a top-up of no channel', mppSession({ ...TOP_UP, channelId: undefined })],
    ['a fractional cumulative amount', mppSession({ cumulativeAmount: '1.5' })],
  ])('with %s is undecodable', (_what, value) => {
    expect(decodeCredential('mpp', base64(value))).toHaveProperty('undecodable');
  });
});

describe('an ATXP credential', () => {
  it('is its source token, whatever it is wrapped in', () => {
    const one = decoded('atxp', JSON.stringify(atxp())).identity;
    for (const raw of [
      base64(atxp()),
      base64url(atxp()),
      ATXP_TOKEN,
      ` ${ATXP_TOKEN}\n`,
      JSON.stringify(ATXP_TOKEN),
      base64(ATXP_TOKEN),
      JSON.stringify(base64(atxp())),
      JSON.stringify(atxp({ sourceAccountToken: ` ${ATXP_TOKEN} ` }), null, 2),
      JSON.stringify(atxp({ sourceAccountToken: base64({ sourceAccountToken: ATXP_TOKEN }) })),
      JSON.stringify(atxp({ sourceAccountId: 'someone', options: [], extra: true })),
    ]) {
      expect(decoded('atxp', raw).identity).toBe(one);
    }
    expect(decoded('atxp', JSON.stringify(atxp({ sourceAccountToken: `${ATXP_TOKEN}x` }))).identity).not.toBe(one);
    expect(one).not.toContain(ATXP_TOKEN);
  });

  it('answers each payment request that we issued once', () => {
    expect(identityFor('req_1')).toBe(identityFor('req_1'));
    expect(new Set([identityFor(), identityFor('req_1'), identityFor('req_2')]).size).toBe(3);
  });

  it('states the cap of its first option, and none where it names none', () => {
    expect(decoded('atxp', JSON.stringify(atxp()))).toMatchObject({
      cap: '10000',
      scheme: 'atxp',
      metered: true,
      account: 'atxp:acct_buyer',
    });
    expect(decoded('atxp', ATXP_TOKEN)).toMatchObject({ cap: null, account: null });
    expect(decoded('atxp', JSON.stringify(atxp({ options: [], amount: '0.5' }))).cap).toBe('500000');
  });

  it.each([
    '',
    '   ',
    '{',
    '{}',
    '{"sourceAccountToken":7}',
    '{"sourceAccountToken":"  "}',
    '[]',
    '"',
    'two words',
    'tok\u0000en',
    JSON.stringify(atxp({ options: [{ amount: '1e-3' }] })),
  ])('is undecodable as %j', (raw) => {
    expect(decodeCredential('atxp', raw)).toHaveProperty('undecodable');
  });
});

describe('decodeCredential', () => {
  const protocols = fc.constantFrom('atxp' as const, 'x402' as const, 'mpp' as const);

  it('never throws and never quotes what it refuses', () => {
    const canary = 'CANARYcanary0123456789';
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((text) => Buffer.from(text).toString('base64')),
      fc.base64String(),
    );
    fc.assert(
      fc.property(protocols, anything, fc.boolean(), (protocol, raw, wrapped) => {
        const result = decodeCredential(protocol, wrapped ? JSON.stringify({ [canary]: raw, payload: canary }) : raw);
        expect('undecodable' in result ? result.undecodable : '').not.toContain(canary);
      }),
    );
  });

  it.each(['atxp', 'x402', 'mpp'] as const)(
    'refuses %s credentials over 64 KiB and nesting that could exhaust the stack',
    (protocol) => {
      expect(decodeCredential(protocol, JSON.stringify({ sourceAccountToken: 'x'.repeat(65_536) }))).toHaveProperty(
        'undecodable',
      );
      expect(
        decodeCredential(protocol, `{"sourceAccountToken":"t","payload":${'['.repeat(30_000)}${']'.repeat(30_000)}}`),
      ).toHaveProperty('undecodable');
      expect(
        decodeCredential(protocol, `{"sourceAccountToken":"t","payload":${'['.repeat(40)}${']'.repeat(40)}}`),
      ).toHaveProperty('undecodable');
    },
  );

  it('is not misled by a credential that looks like our own refusal', () => {
    expect(decodeCredential('x402', '{"undecodable":"CANARY"}')).toEqual({
      undecodable: expect.not.stringContaining('CANARY'),
    });
    expect(
      decodeCredential('mpp', JSON.stringify(mppCharge({ request: { undecodable: 'CANARY', amount: '1' } }))),
    ).toMatchObject({ cap: '1' });
  });

  it('drops __proto__ keys instead of obeying them', () => {
    const raw = `{"__proto__":{"scheme":"upto","polluted":true},${JSON.stringify(mppCharge()).slice(1)}`;
    const credential = decoded('mpp', raw);
    expect(credential.content).toEqual(mppCharge());
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('shows in lookup only short plain text', () => {
    const cases = createCaseCounts();
    const anyUnit = fc.nat(0xffff).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.string({ unit: anyUnit, maxLength: 300 }), (odd) => {
        const credential = decodeCredential('mpp', JSON.stringify(mppCharge({ id: odd, method: odd })));
        const shown = 'undecodable' in credential ? [] : Object.values(credential.lookup);
        for (const text of shown) expect(text).toMatch(/^[\x21-\x7e]{1,200}$/);
        cases.count('shown', shown.length);
      }),
    );
    cases.expectAtLeast({ shown: 20 });
  });
});
