import crypto, { createHmac } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { verifyHyperswitchWebhook } from '../../../../src/providers/hyperswitch/webhook.js';

/** Signed outside of this code. */
const SECRET = 'hs_hash_key';
const BODY = Buffer.from(
  '{"merchant_id":"merchant_1","event_id":"evt_018e31720d1b7a2b82677d3032cab959","event_type":"refund_succeeded","content":{"type":"refund_details","object":{"refund_id":"ref_tfgcgxcysdzg7u8hip6ge9dpd5","payment_id":"pay_mbabizu24mvu3mela5njyhpit4","amount":600,"currency":"USD","status":"succeeded","connector":"stripe"}},"timestamp":"2026-11-21T03:00:00.000Z"}',
);
const SIGNATURE =
  'aa39ab51eb9dfd29ae2193601045a68e43c3b8968556056c5d9462e39dbde47e1a55f72b5a6d54faa906ff9f43026a76d6082a91674a26318dd1259bc97fca99';
const EVENT = {
  eventId: 'evt_018e31720d1b7a2b82677d3032cab959',
  type: 'refund_succeeded',
  paymentId: 'pay_mbabizu24mvu3mela5njyhpit4',
  refundId: 'ref_tfgcgxcysdzg7u8hip6ge9dpd5',
  disputeId: null,
};

const sign = (body: Buffer | string, secret = SECRET) => createHmac('sha512', secret).update(body).digest('hex');
const signed = (content: unknown) => {
  const body = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  return verifyHyperswitchWebhook(body, sign(body), [SECRET]);
};

describe('a webhook of Hyperswitch', () => {
  it('verifies and is read, as the recorded vector has it', () => {
    expect(verifyHyperswitchWebhook(BODY, SIGNATURE, [SECRET])).toEqual(EVENT);
  });

  it('verifies with any of several secrets, so that one can be changed without losing an event', () => {
    expect(verifyHyperswitchWebhook(BODY, SIGNATURE, ['new', SECRET])).toEqual(EVENT);
    expect(verifyHyperswitchWebhook(BODY, SIGNATURE, [SECRET, 'new'])).toEqual(EVENT);
    expect(verifyHyperswitchWebhook(BODY, SIGNATURE, ['new', 'older'])).toBeNull();
    expect(verifyHyperswitchWebhook(BODY, SIGNATURE, [])).toBeNull();
  });

  it.each([
    ['no signature', undefined],
    ['an empty one', ''],
    ['upper-case hex', SIGNATURE.toUpperCase()],
    ['one that was cut', SIGNATURE.slice(0, -2)],
    ['one that is too long', `${SIGNATURE}00`],
    ['one that is no hex', `${SIGNATURE.slice(0, -1)}g`],
    ['one with a space', ` ${SIGNATURE.slice(1)}`],
    ['two at once', `${SIGNATURE},${SIGNATURE}`],
    ['another digest', createHmac('sha256', SECRET).update(BODY).digest('hex')],
    ['another secret’s', sign(BODY, 'hs_hash_kex')],
  ])('never verifies with %s', (_what, header) => {
    expect(verifyHyperswitchWebhook(BODY, header, [SECRET])).toBeNull();
  });

  it('never verifies with an empty secret, also where somebody signed with none', () => {
    expect(verifyHyperswitchWebhook(BODY, sign(BODY, ''), [''])).toBeNull();
    expect(verifyHyperswitchWebhook(BODY, sign(BODY, ' '), [' '])).toBeNull();
    expect(verifyHyperswitchWebhook(BODY, SIGNATURE, ['', SECRET])).toEqual(EVENT);
  });

  it('compares with every secret in constant time, so that an answer takes as long whichever fits', () => {
    const compared = vi.spyOn(crypto, 'timingSafeEqual');
    syncBuiltinESMExports();
    onTestFinished(() => {
      compared.mockRestore();
      syncBuiltinESMExports();
    });
    for (const secrets of [
      [SECRET, 'b', 'c'],
      ['a', 'b', 'c'],
    ]) {
      compared.mockClear();
      verifyHyperswitchWebhook(BODY, SIGNATURE, secrets);
      expect(compared).toHaveBeenCalledTimes(3);
    }
  });

  it('never verifies once a single byte has changed', () => {
    for (const at of [0, 20, Math.floor(BODY.length / 2), BODY.length - 1]) {
      const tampered = Buffer.from(BODY);
      tampered[at] = (tampered[at] ?? 0) ^ 1;
      expect(verifyHyperswitchWebhook(tampered, SIGNATURE, [SECRET])).toBeNull();
    }
    expect(verifyHyperswitchWebhook(Buffer.concat([BODY, Buffer.from(' ')]), SIGNATURE, [SECRET])).toBeNull();
  });

  it('keeps the event of a type, or about an object, that nobody has heard of', () => {
    expect(
      signed({ event_id: 'evt_1', event_type: 'mandate_active', content: { object: { mandate_id: 'm' } } }),
    ).toEqual({ eventId: 'evt_1', type: 'mandate_active', paymentId: null, refundId: null, disputeId: null });
    expect(signed({ event_id: 'evt_1', event_type: 'x' })).toMatchObject({ paymentId: null, refundId: null });
    expect(
      signed({ event_id: 'evt_1', event_type: 'x', content: { object: { payment_id: 'a\nb', refund_id: 7 } } }),
    ).toMatchObject({ paymentId: null, refundId: null });
  });

  it('names the dispute that it is about, beside its payment', () => {
    const object = { dispute_id: 'dispute_1', payment_id: 'pay_1', amount: '1000', dispute_status: 'dispute_lost' };
    expect(
      signed({ event_id: 'evt_1', event_type: 'dispute_lost', content: { type: 'dispute_details', object } }),
    ).toEqual({ eventId: 'evt_1', type: 'dispute_lost', paymentId: 'pay_1', refundId: null, disputeId: 'dispute_1' });
  });

  it.each([
    ['no JSON', 'not json'],
    ['a list', '[]'],
    ['no event id', { event_type: 'refund_succeeded' }],
    ['an empty event id', { event_id: '', event_type: 'refund_succeeded' }],
    ['an event id that is a number', { event_id: 1, event_type: 'refund_succeeded' }],
    ['an endless event id', { event_id: 'e'.repeat(129), event_type: 'refund_succeeded' }],
    ['no type', { event_id: 'evt_1' }],
  ])('is no event with %s, however well signed', (_what, content) => {
    expect(signed(content)).toBeNull();
  });
});
