import { afterEach, describe, expect, it } from 'vitest';
import type { Resolution } from '../../../src/calls/decisions/decide.js';
import type { DecisionId, SettlementId } from '../../../src/domain/ids.js';
import type { DecisionItem } from '../../../src/ledger/decisions/decision-types.js';
import { startApi, TOKENS } from '../../support/api.js';
import { marketplaceRoutes } from '../../support/marketplace/routes.js';
import { aTransfer, id, REFUND_ID, REVERSAL_ID, TRANSFER_ID } from './marketplace-objects.js';
import { openShop, problemOf, type Shop } from './shop.js';
import { rememberingLedger } from './support.js';

let shop: Shop;
afterEach(() => shop.close());

const DECISION = id(7) as DecisionId;
type Decide = Resolution['decide'];
type Approve = Resolution['approve'];
type Decided = Awaited<ReturnType<Decide>>;

const ITEMS = { transfers: TRANSFER_ID, reversals: REVERSAL_ID, refunds: REFUND_ID } as const;
const KIND = { transfers: 'transfer', reversals: 'reversal', refunds: 'refund' } as const;
type Kind = keyof typeof ITEMS;
const KINDS = Object.keys(ITEMS) as Kind[];

let asked: Parameters<Decide>[0][];
async function open(outcome: Decided = { kind: 'applied', status: 'pending', decisionId: DECISION }) {
  asked = [];
  shop = await openShop(() => ({
    resolution: {
      decide: (request) => {
        asked.push(request);
        return Promise.resolve(outcome);
      },
    },
  }));
}
const resolve = (kind: Kind, json: unknown, token: string = TOKENS.operator) =>
  shop.send(`/api/v1/${kind}/${ITEMS[kind]}/resolve`, { token, json });

describe('POST resolve', () => {
  it.each([
    ['transfers', 'retry', undefined],
    ['transfers', 'adopt', { stripe_transfer_id: 'tr_1A' }],
    ['transfers', 'write_off', { reference: 'ticket 7' }],
    ['reversals', 'retry', undefined],
    ['reversals', 'adopt', { stripe_reversal_id: 'trr_1A', reference: 'ticket 7' }],
    ['reversals', 'write_off', {}],
    ['refunds', 'retry', undefined],
    ['refunds', 'compensate', { reference: 'ticket 7' }],
    ['refunds', 'write_off', undefined],
  ] as const)(
    'of %s with %s and the evidence %j decides under the name of the token',
    async (kind, action, evidence) => {
      await open();
      const { status, body } = await resolve(kind, { action, note: 'seen', evidence });
      expect([status, body]).toEqual([200, { id: ITEMS[kind], status: 'pending', decision_id: DECISION }]);
      expect(asked).toEqual([
        {
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          kind: KIND[kind],
          itemId: ITEMS[kind],
          action,
          by: 'olga',
          authenticated: true,
          note: 'seen',
          evidence: evidence ?? null,
        },
      ]);
      expect(shop.nudged).toEqual([{ kind: KIND[kind], id: ITEMS[kind] }]);
    },
  );

  it.each([
    ['transfers', 'compensate'],
    ['transfers', 'settled'],
    ['reversals', 'settled'],
    ['refunds', 'adopt'],
    ['refunds', 'RETRY'],
  ] as const)('of %s with %s is 422: that is no action of theirs', async (kind, action) => {
    await open();
    const answer = await resolve(kind, { action, note: 'x' });
    expect([problemOf(answer), answer.body.errors[0].pointer]).toEqual([[422, 'wrong_action'], '/action']);
    expect([asked, shop.nudged]).toEqual([[], []]);
  });

  it.each([
    [
      'transfers',
      { action: 'adopt', note: 'x', evidence: { stripe_reversal_id: 'trr_1' } },
      '/evidence/stripe_reversal_id',
    ],
    [
      'transfers',
      { action: 'adopt', note: 'x', evidence: { stripe_transfer_id: 'trr_1' } },
      '/evidence/stripe_transfer_id',
    ],
    [
      'reversals',
      { action: 'adopt', note: 'x', evidence: { stripe_reversal_id: 'tr_1' } },
      '/evidence/stripe_reversal_id',
    ],
    ['reversals', { action: 'adopt', note: 'x', evidence: { stripe_reversal_id: 5 } }, '/evidence/stripe_reversal_id'],
    ['reversals', { action: 'adopt', note: 'x', evidence: 'trr_1' }, '/evidence'],
    [
      'refunds',
      { action: 'retry', note: 'x', evidence: { stripe_transfer_id: 'tr_1' } },
      '/evidence/stripe_transfer_id',
    ],
    ['refunds', { action: 'retry', note: ' ' }, '/note'],
    ['refunds', { action: 'retry' }, '/note'],
    ['reversals', { note: 'x' }, '/action'],
    ['reversals', { action: 'retry', note: 'x', by: 'anna' }, '/by'],
    ['reversals', { action: 'retry', note: 'x'.repeat(2_001) }, '/note'],
  ] as const)('of %s with %j is 400 at %s', async (kind, json, pointer) => {
    await open();
    const answer = await resolve(kind, json);
    expect([problemOf(answer), answer.body.errors[0].pointer]).toEqual([[400, 'invalid_request'], pointer]);
    expect(asked).toEqual([]);
  });

  it.each([
    [{ kind: 'pending_approval', status: 'permanently_failed', decisionId: DECISION }, 202, 'pending_approval'],
    [{ kind: 'not_found' }, 404, 'not_found'],
    [{ kind: 'not_waiting', status: 'reversed' }, 409, 'not_waiting'],
    [{ kind: 'refused', detail: 'trr_1 is 300 USD of operation x' }, 422, 'decision_refused'],
    [{ kind: 'unanswered', detail: 'Stripe did not answer: 503' }, 503, 'provider_unavailable'],
  ] as const)('that ends as %j is answered %i %s, and wakes nothing', async (outcome, status, code) => {
    await open(outcome);
    const answer = await resolve('reversals', { action: 'write_off', note: 'x' });
    expect([answer.status, answer.body.code ?? answer.body.status]).toEqual([status, code]);
    if (status >= 400) expect(problemOf(answer)).toEqual([status, code]);
    expect(shop.nudged).toEqual([]);
  });

  it('tells what Stripe said, that nothing was decided, and when to come back', async () => {
    await open({ kind: 'unanswered', detail: 'Stripe did not answer: 503' });
    const answer = await resolve('reversals', { action: 'write_off', note: 'x' });
    expect(answer.body.detail).toMatch(/Stripe did not answer: 503.*nothing is decided/);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it.each(KINDS)('of %s that cannot be is 404', async (kind) => {
    await open();
    const path = `/api/v1/${kind}/x/resolve`;
    const answer = await shop.send(path, { token: TOKENS.operator, json: { action: 'retry', note: 'x' } });
    expect([problemOf(answer), asked]).toEqual([[404, 'not_found'], []]);
  });

  it.each([
    [TOKENS.service, 403],
    [TOKENS.viewer, 403],
    [TOKENS.approver, 200],
  ])('is for operators and approvers', async (token, status) => {
    await open();
    expect((await resolve('reversals', { action: 'retry', note: 'x' }, token)).status).toBe(status);
  });
});

describe('POST /api/v1/transfers/{id}/retry', () => {
  const retry = (json: unknown = { note: 'Stripe is back' }, token: string = TOKENS.operator) =>
    shop.send(`/api/v1/transfers/${TRANSFER_ID}/retry`, { token, json });
  const openWith = async (transfer = aTransfer(), outcome?: Decided) => {
    asked = [];
    shop = await openShop(() => ({
      ledger: { findTransfer: () => Promise.resolve(transfer) },
      resolution: {
        decide: (request) => {
          asked.push(request);
          return Promise.resolve(outcome ?? { kind: 'applied', status: 'failed', decisionId: DECISION });
        },
      },
    }));
  };
  const FAILED = aTransfer({ status: 'failed', certainty: 'absent', stripeTransferId: null });

  it('is resolve with retry', async () => {
    await openWith(FAILED);
    const { status, body } = await retry();
    expect([status, body]).toEqual([200, { id: TRANSFER_ID, status: 'failed', decision_id: DECISION }]);
    expect(asked).toMatchObject([{ kind: 'transfer', itemId: TRANSFER_ID, action: 'retry', note: 'Stripe is back' }]);
    expect(shop.nudged).toEqual([{ kind: 'transfer', id: TRANSFER_ID }]);
  });

  it.each([
    aTransfer({ status: 'completed' }),
    aTransfer({ status: 'reversed' }),
    aTransfer({ status: 'partially_reversed' }),
    aTransfer({ status: 'reversal_pending' }),
    // Of a historical one the id may not be known, and of this one a reversal failed: it was completed all the same.
    aTransfer({ status: 'completed', stripeTransferId: null }),
    aTransfer({ status: 'permanently_failed' }),
  ])('is 409 once it was completed, whatever became of it ($status, $stripeTransferId)', async (transfer) => {
    await openWith(transfer);
    expect(problemOf(await retry())).toEqual([409, 'already_completed']);
    expect(asked).toEqual([]);
  });

  it.each(['unknown', 'in_flight', 'absent', 'not_sent'] as const)(
    'is honoured while its money is %s: it looks before it sends',
    async (certainty) => {
      await openWith({ ...FAILED, status: 'pending', certainty });
      expect((await retry()).status).toBe(200);
    },
  );

  it('is 409 when it waits for nobody, 404 when there is none, 400 without a note', async () => {
    await openWith(FAILED, { kind: 'not_waiting', status: 'pending' });
    expect(problemOf(await retry())).toEqual([409, 'not_waiting']);
    expect(problemOf(await retry({}))).toEqual([400, 'invalid_request']);
    const path = `/api/v1/transfers/x/retry`;
    expect(problemOf(await shop.send(path, { token: TOKENS.operator, json: { note: 'x' } }))).toEqual([
      404,
      'not_found',
    ]);
    expect(problemOf(await retry({ note: 'x' }, TOKENS.service))).toEqual([403, 'forbidden']);
  });
});

describe('POST /api/v1/decisions/{id}/approve', () => {
  const item = (kind: DecisionItem['kind'], itemId: string): DecisionItem => ({
    decisionId: DECISION,
    kind,
    itemId,
    action: 'write_off',
    evidence: null,
  });
  const approve = (token: string = TOKENS.approver) =>
    shop.send(`/api/v1/decisions/${DECISION}/approve`, { token, json: { note: 'checked' } });

  let approved: Parameters<Approve>[0][];
  async function openWith(found: DecisionItem | undefined, outcome: Awaited<ReturnType<Approve>>) {
    approved = [];
    shop = await openShop(() => ({
      ledger: { decisionItem: () => Promise.resolve(found) },
      resolution: {
        approve: (request) => {
          approved.push(request);
          return Promise.resolve(outcome);
        },
      },
    }));
  }

  it.each([
    ['transfer', TRANSFER_ID],
    ['reversal', REVERSAL_ID],
    ['refund', REFUND_ID],
  ] as const)('confirms a decision about a %s, and wakes its workflow', async (kind, itemId) => {
    await openWith(item(kind, itemId), { kind: 'applied', status: 'written_off', decisionId: DECISION });
    const { status, body } = await approve();
    expect([status, body]).toEqual([200, { id: itemId, status: 'written_off', decision_id: DECISION }]);
    expect(approved).toEqual([{ decisionId: DECISION, by: 'anna', note: 'checked' }]);
    expect(shop.nudged).toEqual([{ kind, id: itemId }]);
  });

  it.each([
    [{ kind: 'self_approval' }, 403, 'self_approval'],
    [{ kind: 'not_found' }, 404, 'not_found'],
    [{ kind: 'not_waiting', status: 'applied' }, 409, 'not_waiting'],
    [{ kind: 'refused', detail: 'Stripe holds trr_1: resolve with adopt' }, 422, 'decision_refused'],
    [{ kind: 'unanswered', detail: 'Stripe did not answer: 503' }, 503, 'provider_unavailable'],
  ] as const)('that ends as %j is answered %i %s, and wakes nothing', async (outcome, ...expected) => {
    await openWith(item('reversal', REVERSAL_ID), outcome);
    expect(problemOf(await approve())).toEqual(expected);
    expect(shop.nudged).toEqual([]);
  });

  it('of what nobody was authenticated for is the first of two, and wakes nothing', async () => {
    await openWith(item('reversal', REVERSAL_ID), {
      kind: 'pending_approval',
      status: 'permanently_failed',
      decisionId: DECISION,
    });
    const { status, body } = await approve();
    expect([status, body.status, shop.nudged]).toEqual([202, 'pending_approval', []]);
  });

  it('of a decision that nobody knows is 404', async () => {
    await openWith(undefined, { kind: 'not_found' });
    expect([problemOf(await approve()), approved]).toEqual([[404, 'not_found'], []]);
  });

  it('is for approvers', async () => {
    await openWith(item('reversal', REVERSAL_ID), { kind: 'not_found' });
    expect(problemOf(await approve(TOKENS.operator))).toEqual([403, 'forbidden']);
  });

  it('of a settlement goes the way of settlements, by the same route', async () => {
    const settlementId = id(8) as SettlementId;
    await openWith(undefined, { kind: 'not_found' });
    const api = await startApi({
      ledger: rememberingLedger(),
      resolution: {
        decide: () => Promise.resolve({ kind: 'not_found' }),
        approve: ({ by }) =>
          Promise.resolve(
            by === 'olga'
              ? { kind: 'self_approval' }
              : { kind: 'applied', status: 'written_off', decisionId: DECISION },
          ),
        look: () => Promise.reject(new Error('nobody is asked here')),
      },
      marketplace: marketplaceRoutes({
        ledger: { decisionItem: () => Promise.resolve(item('settlement', settlementId)) },
      }),
    });
    try {
      const path = `/api/v1/decisions/${DECISION}/approve`;
      const own = await api.send(path, { token: TOKENS.operatorAsApprover, json: { note: 'x' } });
      expect([problemOf(own), api.woken]).toEqual([[403, 'self_approval'], []]);
      const { status, body } = await api.send(path, { token: TOKENS.approver, json: { note: 'x' } });
      expect([status, body]).toEqual([200, { id: settlementId, status: 'written_off', decision_id: DECISION }]);
      expect(api.woken).toEqual([settlementId]);
    } finally {
      await api.close();
    }
  });
});
