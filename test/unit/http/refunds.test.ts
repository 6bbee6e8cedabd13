import { afterEach, describe, expect, it } from 'vitest';
import { refundKey } from '../../../src/domain/calls/idempotency-keys.js';
import type { Order, Refund } from '../../../src/domain/marketplace/marketplace.js';
import type { MarketplaceRouteDependencies } from '../../../src/http/marketplace/marketplace-dependencies.js';
import type { NewRefund, NewRefundOutcome } from '../../../src/ledger/marketplace/marketplace-types.js';
import { type Answered, TOKENS } from '../../support/api.js';
import {
  anOrder,
  aRefund,
  aReversal,
  id,
  ORDER_ID,
  REFUND_ID,
  REVERSAL_ID,
  TRANSFER_ID,
} from './marketplace-objects.js';
import { HYPERSWITCH, openShop, problemOf, type Shop } from './shop.js';

let shop: Shop;
afterEach(() => shop.close());

interface Till {
  order: Order;
  refund: Refund | undefined;
  outcome: NewRefundOutcome | undefined;
  /** What the one call makes of the refund. */
  becomes: Partial<Refund>;
  readonly asked: NewRefund[];
  readonly sent: string[];
}

async function openTill(change: Partial<Till> = {}, routes: Partial<MarketplaceRouteDependencies> = {}): Promise<Till> {
  const till: Till = {
    order: anOrder(),
    refund: undefined,
    outcome: undefined,
    becomes: { status: 'succeeded', certainty: 'done' },
    asked: [],
    sent: [],
    ...change,
  };
  const { ledger: _ledger, ...others } = routes;
  shop = await openShop(({ tie }) => ({
    sendRefund: (refundId) => {
      till.sent.push(refundId);
      if (till.refund) till.refund = { ...till.refund, ...till.becomes };
      return Promise.resolve();
    },
    ...others,
    ledger: {
      findOrder: () => Promise.resolve(till.order),
      createRefund: (asked, request): Promise<NewRefundOutcome> => {
        till.asked.push(asked);
        if (till.outcome) return Promise.resolve(till.outcome);
        till.refund ??= aRefund({ amount: asked.amount ?? 1_000n });
        tie(request, till.refund.id);
        return Promise.resolve({ kind: 'created', refund: till.refund });
      },
      findRefund: () => Promise.resolve(till.refund),
      reversalsOfRefund: () => Promise.resolve(till.refund?.status === 'succeeded' ? [aReversal()] : []),
    },
  }));
  return till;
}

const refund = (json: unknown, key = 'a'): Promise<Answered> =>
  shop.send('/api/v1/refunds', { token: TOKENS.service, json, headers: { 'Idempotency-Key': key } });
const VALID = { order_id: ORDER_ID, amount: 500, reason: 'broken' };

describe('POST /api/v1/refunds', () => {
  it('answers 202 with all that the contract names, after one call to the provider', async () => {
    const till = await openTill();
    const { status, body } = await refund(VALID);
    expect([status, body]).toMatchObject([
      202,
      {
        id: REFUND_ID,
        order_id: ORDER_ID,
        amount: 500,
        currency: 'USD',
        status: 'succeeded',
        origin: 'api',
        hyperswitch_refund_id: 'ref_1',
        reversals: [
          {
            id: REVERSAL_ID,
            refund_id: REFUND_ID,
            transfer_id: TRANSFER_ID,
            order_id: ORDER_ID,
            seller_account: 'acct_a',
            amount: 300,
            counted: 0,
            currency: 'USD',
            status: 'pending',
            certainty: 'not_sent',
            retry_count: 2,
            next_retry_at: expect.any(String),
            stripe_transfer_id: 'tr_1',
            stripe_reversal_id: null,
            attention: null,
            workflow_id: `reversal/${REVERSAL_ID}`,
          },
        ],
      },
    ]);
    expect([till.sent, shop.nudged]).toEqual([[REFUND_ID], [{ kind: 'refund', id: REFUND_ID }]]);
  });

  it('asks for the remainder when no amount is given, and names the refund at the provider after itself', async () => {
    const till = await openTill();
    const { body } = await refund({ order_id: ORDER_ID, reason: 'broken' });
    const [asked] = till.asked;
    expect([asked?.amount, body.amount]).toEqual([null, 1_000]);
    expect(asked?.hyperswitchRefundId).toBe(HYPERSWITCH.refundIdFor(refundKey(asked?.id as never)));
  });

  it.each(['pending', 'review', 'failed'] as const)('is 202 too when it is %s after the call', async (status) => {
    await openTill({ becomes: { status, certainty: status === 'pending' ? 'unknown' : 'done' } });
    const { status: answered, body } = await refund(VALID);
    expect([answered, body.status, body.reversals]).toEqual([202, status, []]);
    expect(shop.nudged).toEqual([{ kind: 'refund', id: REFUND_ID }]);
  });

  it('tells the remainder when more is asked for, makes nothing, and leaves the key free', async () => {
    const till = await openTill({ outcome: { kind: 'exceeds_paid', remainder: 300n } });
    const answer = await refund(VALID);
    expect(problemOf(answer)).toEqual([409, 'refund_exceeds_paid']);
    expect([answer.body.detail, answer.body.errors]).toEqual([
      expect.stringMatching(/^300 of what was paid is left/),
      [{ pointer: '/amount', message: 'may be at most 300' }],
    ]);
    expect(till.sent).toEqual([]);
    till.outcome = undefined;
    expect((await refund(VALID)).status).toBe(202);
  });

  it('says so when nothing is left', async () => {
    await openTill({ outcome: { kind: 'exceeds_paid', remainder: 0n } });
    const answer = await refund(VALID);
    expect([problemOf(answer), answer.body.detail]).toEqual([
      [409, 'refund_exceeds_paid'],
      expect.stringMatching(/^everything that was paid is refunded/),
    ]);
  });

  it.each([
    [{ kind: 'not_paid' }, 409, 'order_not_paid'],
    [{ kind: 'order_not_found' }, 404, 'not_found'],
  ] as const)('of an order that is %j: %i %s', async (outcome, ...expected) => {
    const till = await openTill({ outcome });
    expect(problemOf(await refund(VALID))).toEqual(expected);
    expect([till.sent, shop.nudged]).toEqual([[], []]);
  });

  it.each([
    ['no order', { ...VALID, order_id: undefined }, '/order_id'],
    ['no reason', { ...VALID, reason: undefined }, '/reason'],
    ['a reason that says nothing', { ...VALID, reason: ' ' }, '/reason'],
    ['a reason of 256 characters', { ...VALID, reason: 'x'.repeat(256) }, '/reason'],
    ['an amount of nothing', { ...VALID, amount: 0 }, '/amount'],
    ['a negative amount', { ...VALID, amount: -1 }, '/amount'],
    ['an amount as text', { ...VALID, amount: '500' }, '/amount'],
    ['no amount but null', { ...VALID, amount: null }, '/amount'],
    ['a fraction', { ...VALID, amount: 0.1 }, '/amount'],
    ['a currency', { ...VALID, currency: 'USD' }, '/currency'],
  ])('refuses %s, and nothing is made', async (_what, json, pointer) => {
    const till = await openTill();
    const answer = await refund(json);
    expect([problemOf(answer), answer.body.errors[0].pointer]).toEqual([[400, 'invalid_request'], pointer]);
    expect([till.asked, shop.kept()]).toEqual([[], []]);
  });

  it.each(['500.0', '5e2', '9007199254740993'])('refuses the amount %s as it is written', async (amount) => {
    const till = await openTill();
    const answer = await shop.send('/api/v1/refunds', {
      token: TOKENS.service,
      body: JSON.stringify(VALID).replace('500', amount),
      headers: { 'Idempotency-Key': 'a' },
    });
    expect([problemOf(answer), answer.body.errors[0].pointer]).toEqual([[400, 'invalid_request'], '/amount']);
    expect(till.asked).toEqual([]);
  });

  it.each([
    ['KWD', 125, 400],
    ['KWD', 120, 202],
    ['ISK', 150, 400],
    ['JPY', 125, 202],
  ])('%s in an amount of %i: %i, because Stripe has to take the shares back', async (currency, amount, status) => {
    const till = await openTill({ order: anOrder({ currency }) });
    const answer = await refund({ ...VALID, amount });
    expect([answer.status, till.asked.length]).toEqual([status, status === 400 ? 0 : 1]);
    if (status === 400) {
      expect(answer.body.errors).toEqual([
        { pointer: '/amount', message: expect.stringMatching(/^has to be a multiple of 100?: .* left out, it is all/) },
      ]);
    }
  });

  it('of all that is left is taken whatever it comes to: a refund in the dashboard may have left an odd rest', async () => {
    const till = await openTill({ order: anOrder({ currency: 'KWD' }) });
    expect((await refund({ ...VALID, amount: undefined })).status).toBe(202);
    expect(till.asked).toEqual([expect.objectContaining({ amount: null })]);
  });

  it('of a malformed order is 404', async () => {
    const till = await openTill();
    expect(problemOf(await refund({ ...VALID, order_id: 'x' }))).toEqual([404, 'not_found']);
    expect(till.asked).toEqual([]);
  });

  it('needs Hyperswitch: without it 503, and nothing is stored', async () => {
    const till = await openTill({}, { hyperswitch: undefined });
    expect(problemOf(await refund(VALID))).toEqual([503, 'not_configured']);
    expect([till.asked, shop.kept()]).toEqual([[], []]);
  });
});

it('a refund of an order that was paid at Stripe needs no Hyperswitch', async () => {
  const till = await openTill({}, { hyperswitch: undefined, paysByStripe: true });
  expect((await refund(VALID)).status).toBe(202);
  expect(till.asked).toMatchObject([{ hyperswitchRefundId: null }]);
});

describe('a refund whose request died', () => {
  it('goes on with the same request: the same refund, sent again only while nobody knows of it', async () => {
    let healthy = false;
    const till = await openTill(
      {},
      {
        sendRefund: () => {
          till.sent.push('call');
          return healthy ? Promise.resolve() : Promise.reject(new Error('connection terminated'));
        },
      },
    );
    expect(problemOf(await refund(VALID))).toEqual([503, 'ledger_unavailable']);
    expect(shop.nudged).toHaveLength(1);
    healthy = true;
    expect((await refund(VALID)).body.id).toBe(REFUND_ID);
    expect(till.sent).toEqual(['call', 'call']);
  });

  it('is not sent again once it is known', async () => {
    const till = await openTill({ refund: aRefund({ status: 'succeeded', certainty: 'done' }) });
    expect((await refund(VALID)).status).toBe(202);
    expect(till.sent).toEqual([]);
  });
});

describe('GET /api/v1/refunds/{id}', () => {
  it('tells a refund that was made in the provider’s dashboard, and why it needs attention', async () => {
    const attention = {
      reason: 'refund_failed_after_reversal' as const,
      since: '2026-11-21T11:00:00.000Z',
      detail: 'x',
    };
    await openTill({ refund: aRefund({ origin: 'provider', status: 'failed', attention }) });
    const { status, body } = await shop.read(`/api/v1/refunds/${REFUND_ID}`);
    expect([status, body.origin, body.status, body.attention]).toEqual([200, 'provider', 'failed', attention]);
  });

  it.each([id(9), 'x'])('%s is not found', async (unknown) => {
    await openTill();
    expect(problemOf(await shop.read(`/api/v1/refunds/${unknown}`))).toEqual([404, 'not_found']);
  });
});
