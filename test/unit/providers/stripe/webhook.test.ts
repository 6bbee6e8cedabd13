import { createHmac } from 'node:crypto';
import StripeLibrary from 'stripe';
import { describe, expect, it } from 'vitest';
import { verifyStripeWebhook } from '../../../../src/providers/stripe/webhook.js';

const SECRET = 'whsec_test_secret';
const AT = 1_700_000_000;
const BODY = Buffer.from(
  '{"id":"evt_1","object":"event","type":"transfer.reversed","created":1700000000,"data":{"object":{"id":"tr_1","object":"transfer","amount":1000,"amount_reversed":400,"reversed":false}}}',
);
const SIGNATURE = 'e86b4d4c6aed67eb7e783c0b69464fb28b2c2b5953f863f461f7d78257f170ba';
const HEADER = `t=${AT},v1=${SIGNATURE}`;
const EVENT = {
  eventId: 'evt_1',
  type: 'transfer.reversed',
  objectId: 'tr_1',
  paymentId: null,
  objectType: 'transfer',
  account: null,
  livemode: false,
};
const WRONG = '0'.repeat(64);

const verify = (header: string | undefined, { body = BODY, secrets = [SECRET], afterS = 0 } = {}) =>
  verifyStripeWebhook(body, header, secrets, (AT + afterS) * 1000);

/** Stripe's own library signs; nothing of ours made these. */
const signed = (payload: string, secret = SECRET) =>
  StripeLibrary.webhooks.generateTestHeaderString({ payload, secret, timestamp: AT });
const read = (event: unknown) => {
  const payload = typeof event === 'string' ? event : JSON.stringify(event);
  return verify(signed(payload), { body: Buffer.from(payload) });
};

describe('a webhook of Stripe’s', () => {
  it('verifies by the recorded vector', () => {
    expect(verify(HEADER)).toEqual(EVENT);
    expect(signed(BODY.toString())).toBe(HEADER);
  });

  it('verifies with any of several secrets, and with any of several signatures, while a secret is changed', () => {
    expect(verify(HEADER, { secrets: ['whsec_new', SECRET] })).toEqual(EVENT);
    expect(verify(HEADER, { secrets: [SECRET, 'whsec_new'] })).toEqual(EVENT);
    expect(verify(`t=${AT},v1=${WRONG},v1=${SIGNATURE}`)).toEqual(EVENT);
    expect(verify(`t=${AT},v1=${SIGNATURE},v1=${WRONG},v0=${WRONG}`)).toEqual(EVENT);
    expect(verify(`t=${AT}, v1=${SIGNATURE}`)).toEqual(EVENT);
  });

  it.each([
    [300, true],
    [-300, true],
    [301, false],
    [-301, false],
    [86_400, false],
  ])('%i s after it was signed verifies: %s', (afterS, verifies) => {
    expect(verify(HEADER, { afterS }) !== null).toBe(verifies);
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['without a time', `v1=${SIGNATURE}`],
    ['without a signature', `t=${AT}`],
    ['of another scheme', `t=${AT},v0=${SIGNATURE}`],
    ['with two times', `t=${AT},t=${AT},v1=${SIGNATURE}`],
    ['with a time that is no number', `t=${AT}x,v1=${SIGNATURE}`],
    ['with another time', `t=${AT + 1},v1=${SIGNATURE}`],
    ['with the same time in other digits', `t=0${AT},v1=${SIGNATURE}`],
    ['with a wrong signature', `t=${AT},v1=${WRONG}`],
    ['with a short signature', `t=${AT},v1=${SIGNATURE.slice(2)}`],
    ['with a long signature', `t=${AT},v1=${SIGNATURE}00`],
    ['with a signature in upper case', `t=${AT},v1=${SIGNATURE.toUpperCase()}`],
    ['of separators only', ',,=,='],
  ])('with a header that is %s does not verify', (_what, header) => {
    expect(verify(header)).toBeNull();
  });

  it('never verifies with another secret, or with an empty one, or with none', () => {
    expect(verify(HEADER, { secrets: ['whsec_other'] })).toBeNull();
    expect(verify(HEADER, { secrets: [] })).toBeNull();
    for (const empty of ['', ' ']) {
      const forged = createHmac('sha256', empty).update(`${AT}.`).update(BODY).digest('hex');
      expect(verify(`t=${AT},v1=${forged}`, { secrets: [empty] })).toBeNull();
    }
    expect(verify(HEADER, { secrets: ['', SECRET] })).toEqual(EVENT);
  });

  it('never verifies a body that was changed, in no byte', () => {
    for (const at of [0, 20, BODY.length - 1]) {
      const body = Buffer.from(BODY);
      body[at] = (body[at] ?? 0) ^ 1;
      expect(verify(HEADER, { body })).toBeNull();
    }
    expect(verify(HEADER, { body: Buffer.concat([BODY, Buffer.from('\n')]) })).toBeNull();
    expect(verify(HEADER, { body: Buffer.alloc(0) })).toBeNull();
  });

  it('is signed by its bytes, not by the text they decode to', () => {
    const replaced = Buffer.from('{"id":"evt_1","type":"x","note":"\uFFFD"}');
    const broken = Buffer.from(replaced.toString('latin1').replace('ï¿½', '\xff'), 'latin1');
    expect(broken.toString('utf8')).toBe(replaced.toString('utf8'));
    expect(verify(signed(replaced.toString()), { body: replaced })).toMatchObject({ eventId: 'evt_1' });
    expect(verify(signed(replaced.toString()), { body: broken })).toBeNull();
  });
});

describe('a signed body', () => {
  it.each([
    ['no JSON', 'hello'],
    ['half of it', '{"id":"evt_1","type":"x"'],
    ['null', 'null'],
    ['a list', '[]'],
    ['without an id', { type: 'transfer.reversed' }],
    ['with an id that is no text', { id: 1, type: 'transfer.reversed' }],
    ['with an empty id', { id: '', type: 'transfer.reversed' }],
    ['with an endless id', { id: 'e'.repeat(256), type: 'transfer.reversed' }],
    ['without a type', { id: 'evt_1' }],
  ])('that is %s is no event', (_what, event) => {
    expect(read(event)).toBeNull();
  });

  it('tells which seller it is about, in which mode', () => {
    const event = {
      id: 'evt_2',
      type: 'balance.available',
      account: 'acct_seller',
      livemode: true,
      data: { object: { object: 'balance', available: [] } },
    };
    expect(read(event)).toEqual({
      eventId: 'evt_2',
      type: 'balance.available',
      objectId: null,
      paymentId: null,
      objectType: 'balance',
      account: 'acct_seller',
      livemode: true,
    });
  });

  const thin = (more: object) => ({
    id: 'evt_5',
    object: 'v2.core.event',
    type: 'v1.transfer.reversed',
    created: '2026-11-28T10:00:00.000Z',
    livemode: false,
    context: null,
    related_object: { id: 'tr_1', type: 'transfer', url: '/v1/transfers/tr_1' },
    ...more,
  });

  it.each([
    [
      'charge.dispute.funds_withdrawn',
      { id: 'dp_1', object: 'dispute', charge: 'ch_1', payment_intent: 'pi_1' },
      'pi_1',
    ],
    ['charge.dispute.created', { id: 'dp_1', object: 'dispute', charge: { id: 'ch_1' }, payment_intent: null }, 'ch_1'],
    ['refund.updated', { id: 're_1', object: 'refund', charge: 'ch_1', payment_intent: { id: 'pi_1' } }, 'pi_1'],
    ['charge.refunded', { id: 'ch_1', object: 'charge', payment_intent: 'pi_1' }, 'pi_1'],
    ['charge.refunded', { id: 'ch_1', object: 'charge' }, null],
  ])('%s names the payment whose money it is', (type, object, paymentId) => {
    expect(read({ id: 'evt_9', object: 'event', type, data: { object } })).toMatchObject({
      type,
      objectId: object.id,
      paymentId,
    });
  });

  it.each(['charge.dispute.closed', 'refund.failed', 'charge.refund.updated', 'charge.refunded'])(
    '%s that names no object is refused, so that Stripe sends it again and tells',
    (type) => expect(read({ id: 'evt_9', object: 'event', type, data: { object: {} } })).toBeNull(),
  );

  it('without an object is read by the one it names, and by the account of its context', () => {
    expect(read(thin({}))).toEqual({
      eventId: 'evt_5',
      type: 'transfer.reversed',
      objectId: 'tr_1',
      paymentId: null,
      objectType: 'transfer',
      account: null,
      livemode: false,
    });
    const payout = { type: 'v1.payout.paid', related_object: { id: 'po_1', type: 'payout', url: '/v1/payouts/po_1' } };
    for (const context of ['acct_seller', 'org_1/acct_seller', 'acct_platform/acct_seller'])
      expect(read(thin({ ...payout, context }))).toMatchObject({ objectId: 'po_1', account: 'acct_seller' });
    expect(read(thin({ context: 'org_1' }))).toMatchObject({ account: null });
    expect(read(thin({ type: 'v2.core.account.updated' }))).toMatchObject({ type: 'v2.core.account.updated' });
  });

  it.each([
    ['a thin one', thin({ related_object: null })],
    ['a thin one of a payout', thin({ type: 'v1.payout.paid', related_object: undefined })],
    ['an old one', { id: 'evt_6', type: 'transfer.reversed', data: {} }],
    ['an old one without an id', { id: 'evt_7', type: 'payout.paid', data: { object: { object: 'payout' } } }],
  ])('about a transfer or payout that it does not name is refused, never passed over (%s)', (_what, event) => {
    expect(read(event)).toBeNull();
  });

  it('of a type that nobody has heard of is still an event', () => {
    expect(read({ id: 'evt_3', type: 'moon.rose', data: { object: 7 } })).toMatchObject({
      eventId: 'evt_3',
      type: 'moon.rose',
      objectId: null,
      paymentId: null,
      objectType: null,
    });
    expect(read({ id: 'evt_4', type: 'v2.core.thing' })).toMatchObject({ eventId: 'evt_4' });
  });
});
