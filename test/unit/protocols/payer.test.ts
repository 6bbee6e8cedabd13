import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isUndecodable } from '../../../src/protocols/credential.js';
import { decodeCredential } from '../../../src/protocols/decode-credential.js';
import { payerOf } from '../../../src/protocols/payer.js';

const VICTIM = `0x${'Ab'.repeat(20)}`;
const CHANNEL = `0x${'0c'.repeat(32)}`;
const digest = (text: string) => createHash('sha256').update(text).digest('hex');

function read(protocol: 'atxp' | 'x402' | 'mpp', content: object) {
  const credential = decodeCredential(protocol, JSON.stringify(content));
  if (isUndecodable(credential)) throw new Error(credential.undecodable);
  return credential;
}

const atxp = read('atxp', { sourceAccountId: 'victim', sourceAccountToken: 'a-secret-token', amount: '0.01' });
const charge = read('mpp', {
  challenge: { id: 'one', method: 'tempo', intent: 'charge', amount: '0.01' },
  payload: { type: 'transaction', signature: '0x76ab' },
  source: `did:pkh:eip155:42431:${VICTIM}`,
});
const session = read('mpp', {
  challenge: { id: 'two', method: 'tempo', intent: 'session' },
  payload: { action: 'voucher', channelId: CHANNEL, cumulativeAmount: '20000', descriptor: { payer: VICTIM } },
});
const x402 = read('x402', {
  x402Version: 1,
  scheme: 'exact',
  network: 'base',
  payload: { authorization: { from: VICTIM, to: VICTIM, value: '1', nonce: '0x1', validAfter: '0', validBefore: '9' } },
});

describe('the payer', () => {
  it('is the account that verify confirms, in one form for one wallet', () => {
    const wallet = { name: VICTIM.toLowerCase(), mayOwe: true };
    expect(payerOf(charge, VICTIM)).toEqual(wallet);
    expect(payerOf(session, `did:pkh:eip155:42431:${VICTIM}`)).toEqual(wallet);
    expect(payerOf(x402, VICTIM)).toEqual(wallet);
    expect(payerOf(atxp, 'acct_7')).toEqual({ name: 'acct_7', mayOwe: true });
    expect(payerOf(atxp, `base:${VICTIM}`)).toEqual({ name: `base:${VICTIM.toLowerCase()}`, mayOwe: true });
  });

  it('is never what the credential merely states', () => {
    expect(payerOf(atxp, null)).toEqual({ name: `atxp:${digest('a-secret-token')}`, mayOwe: false });
    expect(payerOf(charge, null)).toEqual({ name: null, mayOwe: false });
    expect(payerOf(session, null)).toEqual({ name: `mpp:channel:${CHANNEL}`, mayOwe: true });
  });

  it('is the signer of an x402 authorization, whom verify has checked', () => {
    expect(payerOf(x402, null)).toEqual({ name: VICTIM.toLowerCase(), mayOwe: true });
  });

  it('is kept as a digest where the name might be a secret, or cannot be shown', () => {
    expect(payerOf(atxp, 'a-secret-token').name).toBe(`sha256:${digest('a-secret-token')}`);
    expect(payerOf(atxp, 'two words').name).toBe(`sha256:${digest('two words')}`);
    expect(payerOf(atxp, 'victim').name).toBe('victim');
  });

  it('has a voucher where the auth server settles a channel', () => {
    expect(session.voucher).toEqual({ channel: CHANNEL, cumulative: '20000' });
    expect([atxp.voucher, charge.voucher, x402.voucher]).toEqual([null, null, null]);
  });
});
