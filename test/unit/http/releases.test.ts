import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { ReleaseOutcome } from '../../../src/ledger/calls/releases.js';
import type { NewOrder, RequestKey } from '../../../src/ledger/marketplace/marketplace-types.js';
import { TOKENS } from '../../support/api.js';
import { anOrder, aTransfer, TRANSFER_ID } from './marketplace-objects.js';
import { openShop, problemOf, type Shop } from './shop.js';

let shop: Shop;
afterEach(() => shop.close());

const ITEM = { seller_account: 'acct_1A', amount: 600, description: 'a lamp' };
const OWN = { amount: 100, description: 'tax' };
const DAY_MS = 86_400_000;

describe('the release of an order that is asked for', () => {
  const made: { order: NewOrder; request: RequestKey }[] = [];
  async function open() {
    made.length = 0;
    shop = await openShop(({ tie }) => ({
      ledger: {
        createOrder(order, request) {
          made.push({ order, request });
          tie(request, order.id);
          return Promise.resolve(anOrder({ id: order.id }));
        },
      },
    }));
  }
  async function releases(json: object) {
    await open();
    expect((await shop.post('/api/v1/orders', { currency: 'usd', ...json })).status).toBe(201);
    return made[0]!.order.items.map(({ release }) => release);
  }

  it('is at once where nothing is said, and also where that is said', async () => {
    expect(await releases({ items: [ITEM, { ...ITEM, release: 'immediately' }] })).toEqual([
      { kind: 'immediately' },
      { kind: 'immediately' },
    ]);
  });

  it('is that of the order, and of an item that says it itself', async () => {
    const items = [ITEM, { ...ITEM, release: { after: '7d' } }, { ...ITEM, release: 'immediately' }, OWN];
    expect(await releases({ release: 'on_request', items })).toEqual([
      { kind: 'on_request' },
      { kind: 'after', afterMs: 7 * DAY_MS },
      { kind: 'immediately' },
      { kind: 'immediately' },
    ]);
  });

  it.each([
    ['365d', 365 * DAY_MS],
    ['12h', DAY_MS / 2],
    ['1ms', 1],
  ])('takes %s, as settings do', async (after, afterMs) => {
    expect(await releases({ items: [{ ...ITEM, release: { after } }] })).toEqual([{ kind: 'after', afterMs }]);
  });

  it.each([
    ['another word', 'later'],
    ['a date', '2026-12-24'],
    ['a duration without its member', '7d'],
    ['no duration', { after: 'a week' }],
    ['a number', { after: 7 }],
    ['no time at all', { after: '0d' }],
    ['more than a year', { after: '366d' }],
    ['something more', { after: '7d', at: 'noon' }],
    ['null', null],
  ])('refuses %s, of an item and of the order', async (_what, release) => {
    await open();
    const ofItem = await shop.post('/api/v1/orders', { currency: 'usd', items: [{ ...ITEM, release }] });
    expect(problemOf(ofItem)).toEqual([400, 'invalid_request']);
    expect(ofItem.body.errors[0].pointer).toMatch(/^\/items\/0\/release/);
    const ofOrder = await shop.post('/api/v1/orders', { currency: 'usd', release, items: [ITEM] });
    expect(ofOrder.body.errors[0].pointer).toMatch(/^\/release/);
    expect(made).toEqual([]);
  });

  it.each(['on_request', 'immediately', { after: '1d' }])(
    '%j on a line of the platform is an error of that field',
    async (release) => {
      await open();
      const answer = await shop.post('/api/v1/orders', { currency: 'usd', items: [ITEM, { ...OWN, release }] });
      expect(problemOf(answer)).toEqual([400, 'invalid_request']);
      expect(answer.body.errors).toEqual([
        { pointer: '/items/1/release', message: expect.stringMatching(/seller_account/) },
      ]);
      expect(made).toEqual([]);
    },
  );

  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  it('that is at once leaves what stands for the key as it was before there were releases, byte for byte', async () => {
    const before = sha256(
      '{"currency":"USD","items":[{"amount":"600","description":"a lamp","seller_account":"acct_1A"}]}',
    );
    for (const said of [{}, { release: 'immediately' }]) {
      await releases({ ...said, items: [ITEM] });
      expect(made[0]!.request.bodySha256).toBe(before);
      await shop.close();
      await releases({ items: [{ ...ITEM, ...said }] });
      expect(made[0]!.request.bodySha256).toBe(before);
      await shop.close();
    }
    await releases({ release: 'on_request', items: [ITEM] });
    expect(made[0]!.request.bodySha256).not.toBe(before);
  });
});

describe('POST /api/v1/transfers/{id}/release', () => {
  const asked: string[] = [];
  const PATH = `/api/v1/transfers/${TRANSFER_ID}/release`;
  async function open(outcome: ReleaseOutcome) {
    asked.length = 0;
    shop = await openShop(() => ({
      ledger: {
        findTransfer: (id) => Promise.resolve(id === TRANSFER_ID ? aTransfer({ status: 'pending' }) : undefined),
        releaseHeld(_id, by) {
          asked.push(by);
          return Promise.resolve(outcome);
        },
      },
    }));
  }

  it.each(['service', 'operator', 'approver'] as const)(
    'lets a %s release it, and wakes what sends it',
    async (role) => {
      await open('released');
      const { status, body } = await shop.send(PATH, { method: 'POST', token: TOKENS[role] });
      expect([status, body.id, asked.length]).toEqual([200, TRANSFER_ID, 1]);
      expect(shop.nudged).toEqual([{ kind: 'transfer', id: TRANSFER_ID }]);
    },
  );

  it('lets no viewer release anything', async () => {
    await open('released');
    expect(problemOf(await shop.send(PATH, { method: 'POST', token: TOKENS.viewer }))).toEqual([403, 'forbidden']);
    expect(asked).toEqual([]);
  });

  it('answers what was released or sent before as it is, and wakes nothing', async () => {
    await open('as_it_was');
    const { status, body } = await shop.send(PATH, { method: 'POST', token: TOKENS.service });
    expect([status, body.status, shop.nudged]).toEqual([200, 'pending', []]);
  });

  it.each(['cancelled', 'given_up'] as const)('says that nothing of a share is left that is %s', async (outcome) => {
    await open(outcome);
    expect(problemOf(await shop.send(PATH, { method: 'POST', token: TOKENS.service }))).toEqual([
      409,
      'transfer_ended',
    ]);
  });

  it.each([TRANSFER_ID.replace(/.$/, '0'), 'tr_1'])('knows no transfer %s', async (id) => {
    await open('released');
    const answer = await shop.send(`/api/v1/transfers/${id}/release`, { method: 'POST', token: TOKENS.service });
    expect(problemOf(answer)).toEqual([404, 'not_found']);
    expect(asked).toEqual([]);
  });
});
