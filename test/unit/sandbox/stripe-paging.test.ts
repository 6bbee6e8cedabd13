import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StripeSandbox, startStripeSandbox } from '../../../sandbox/stripe/start.js';
import { SELLER, type StripeApi, stripeApi } from '../../support/marketplace/stripe-api.js';

const OTHER = 'acct_1Other';
const COUNT = 230;
const START = 1_700_000_000;

let sandbox: StripeSandbox;
let api: StripeApi;
/** Newest first, as they are to be listed. */
let ids: readonly string[];
beforeAll(async () => {
  sandbox = await startStripeSandbox();
  api = stripeApi(sandbox.url);
  const seeded = await sandbox.seed({
    transfers: Array.from({ length: COUNT }, (_, index) => ({
      destination: index % 2 === 0 ? SELLER : OTHER,
      amount: 100 + index,
      // Three of each second, so that order among equals is looked at as well.
      created: START + Math.floor(index / 3),
      transfer_group: `order_${index % 10}`,
      metadata: { index: String(index) },
    })),
  });
  ids = Array.from(seeded).reverse();
});
afterAll(() => sandbox.close());

async function allPages(path: string, params: Record<string, string> = {}): Promise<string[]> {
  const found: string[] = [];
  for (;;) {
    const after = found.at(-1);
    const { json } = await api.get(path, { ...params, ...(after === undefined ? {} : { starting_after: after }) });
    found.push(...json.data.map(({ id }: { id: string }) => id));
    if (json.has_more !== true) return found;
    expect(json.data.length).toBe(Number(params.limit ?? 10));
  }
}

describe('a list of transfers', () => {
  it('has ten, newest first, unless asked otherwise', async () => {
    const { json } = await api.get('/v1/transfers');
    expect(json).toMatchObject({ object: 'list', has_more: true, url: '/v1/transfers' });
    expect(json.data.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 10));
  });

  it('is complete and in order over pages of any size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 20, max: 100 }), async (limit) => {
        expect(await allPages('/v1/transfers', { limit: String(limit) })).toEqual(ids);
      }),
      { numRuns: 10, examples: [[100], [23]] },
    );
  });

  it('goes backwards with ending_before: what is just newer, and whether there is more', async () => {
    const page = await api.get('/v1/transfers', { ending_before: ids[50] ?? '', limit: '20' });
    expect(page.json.data.map(({ id }: { id: string }) => id)).toEqual(ids.slice(30, 50));
    expect(page.json.has_more).toBe(true);
    const first = await api.get('/v1/transfers', { ending_before: ids[20] ?? '', limit: '20' });
    expect(first.json).toMatchObject({ has_more: false, data: { length: 20 } });
  });

  it('does not skip or repeat anything when newer ones arrive between two pages', async () => {
    const before = await allPages('/v1/transfers', { limit: '100', destination: OTHER });
    const first = await api.get('/v1/transfers', { limit: '100', destination: OTHER });
    await sandbox.seed({ transfers: [{ destination: OTHER, amount: 1, created: START + 1000 }] });
    const second = await api.get('/v1/transfers', {
      limit: '100',
      destination: OTHER,
      starting_after: first.json.data.at(-1).id,
    });
    const seen = [...first.json.data, ...second.json.data].map(({ id }: { id: string }) => id);
    expect(seen).toEqual(before);
    const newest = await api.get('/v1/transfers', { limit: '1' });
    expect(newest.json.data[0].destination).toBe(OTHER);
  });

  it.each([
    ['destination', { destination: SELLER }, (index: number) => index % 2 === 0],
    ['transfer_group', { transfer_group: 'order_3' }, (index: number) => index % 10 === 3],
    ['created exactly', { created: String(START + 5) }, (index: number) => Math.floor(index / 3) === 5],
    [
      'created between, bounds in',
      { 'created[gte]': String(START + 10), 'created[lte]': String(START + 20) },
      (index: number) => Math.floor(index / 3) >= 10 && Math.floor(index / 3) <= 20,
    ],
    [
      'created between, bounds out',
      { 'created[gt]': String(START + 10), 'created[lt]': String(START + 20) },
      (index: number) => Math.floor(index / 3) > 10 && Math.floor(index / 3) < 20,
    ],
    [
      'all at once',
      { destination: SELLER, transfer_group: 'order_4', 'created[gte]': String(START + 10) },
      (index: number) => index % 10 === 4 && Math.floor(index / 3) >= 10,
    ],
  ])('filters by %s', async (_what, params, fits) => {
    const expected = ids.filter((_id, place) => fits(COUNT - 1 - place));
    const found = await allPages('/v1/transfers', { ...params, limit: '7' });
    expect(found.filter((id) => ids.includes(id))).toEqual(expected);
  });
});

describe('the reversals of a transfer', () => {
  it('are ten within it, newest first, and all of them in pages', async () => {
    const [id = ''] = await sandbox.seed({
      transfers: [
        {
          destination: SELLER,
          amount: 1000,
          reversals: Array.from({ length: 130 }, (_, index) => ({ amount: 1, metadata: { index: String(index) } })),
        },
      ],
    });
    const { json } = await api.get(`/v1/transfers/${id}`);
    expect(json).toMatchObject({ amount_reversed: 130, reversals: { has_more: true, data: { length: 10 } } });
    expect(json.reversals.data[0].metadata).toEqual({ index: '129' });
    const listed = await allPages(json.reversals.url, { limit: '100' });
    expect(listed.length).toBe(130);
    expect(new Set(listed).size).toBe(130);
  });
});
