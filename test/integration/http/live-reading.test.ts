import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StripeReader } from '../../../src/calls/decisions/ask-stripe.js';
import type { ReversalFacts, TransferWithReversals } from '../../../src/domain/calls/provider-answers.js';
import { createLiveReadings, type LiveItem } from '../../../src/reading/live.js';
import { summary, TOKENS } from '../../support/api.js';
import { aSettlement } from '../../support/ledger-fixtures.js';
import { type MarketplaceApi, openMarketplaceApi } from '../../support/marketplace/api.js';
import { type MarketplaceCli, openMarketplaceCli } from '../../support/marketplace/cli.js';
import { type OrderPut, putOrder } from '../../support/marketplace/fixtures.js';
import { STUCK, stripeSays } from '../../support/marketplace/stuck-reversals.js';

let market: MarketplaceApi;
let order: OrderPut;
let reversal: string;
beforeAll(async () => {
  market = await openMarketplaceApi();
});
afterAll(() => market.close());
beforeEach(async () => {
  market.begin();
  order = await putOrder(market.test, STUCK);
  reversal = order.reversals[1]?.id ?? '';
});

const look = (kind: string, id: string, token: string = TOKENS.operator) =>
  market.api.send(`/api/v1/live/${kind}/${id}`, { token });

/** The transfer that the stuck share is of, as Stripe would tell. */
const held = (
  reversals: readonly ReversalFacts[],
): { readonly kind: 'found'; readonly value: TransferWithReversals } => ({
  kind: 'found',
  value: {
    transfer: {
      stripeTransferId: order.transfers[1]?.stripeTransferId ?? '',
      amount: 400n,
      amountReversed: reversals.reduce((sum, { amount }) => sum + amount, 0n),
      currency: 'USD',
      destination: 'acct_b',
      transferGroup: null,
      metadata: {},
      livemode: false,
      createdAt: '2026-01-01T00:00:00.000Z',
    },
    reversals,
  },
});
const taken = (metadata: Record<string, string>): ReversalFacts => ({
  stripeReversalId: 'trr_live',
  stripeTransferId: order.transfers[1]?.stripeTransferId ?? '',
  amount: 200n,
  currency: 'USD',
  metadata,
  state: 'done',
  createdAt: '2026-01-02T00:00:00.000Z',
});

/** Counts the questions. */
function counted(reader: StripeReader): { readonly stripe: StripeReader; readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    stripe: {
      inLane: (lane) => {
        const calls = reader.inLane(lane);
        return { ...calls, readTransfer: (id) => (asked.push(`${lane} ${id}`), calls.readTransfer(id)) };
      },
    },
  };
}

const everything = () =>
  market.test.database.query(
    `SELECT (SELECT json_agg(r ORDER BY id) FROM reversals r)::text AS reversals, (SELECT count(*)::int FROM decisions) AS decisions,
       (SELECT count(*)::int FROM operation_events) AS events, (SELECT json_agg(b)::text FROM provider_breakers b) AS breakers`,
  );

describe('what the provider shows now', () => {
  it('stands beside what we think, with what each decision would meet there', async () => {
    market.providers.stripe = stripeSays(held([taken({ operation_id: reversal })]));
    const { status, body } = await look('reversal', reversal);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      kind: 'reversal',
      id: reversal,
      provider: 'stripe',
      answer: 'shown',
      shows: { stripe_reversal_id: 'trr_live', amount: '200 USD (minor units)', state: 'done' },
      ours: {
        status: 'permanently_failed',
        certainty: 'absent',
        stripe_reversal_id: null,
        amount: '200 USD (minor units)',
      },
      decisions: [
        { action: 'retry', verdict: 'not_in_the_way', effect: expect.stringContaining("Stripe's records") },
        { action: 'adopt', verdict: 'borne_out', words: 'the provider has trr_live' },
        { action: 'write_off', verdict: 'refused', words: 'the provider has trr_live: the money moved' },
      ],
    });
    expect(Date.now() - Date.parse(body.read_at)).toBeLessThan(60_000);
    const decided = await market.api.send(`/api/v1/reversals/${reversal}/resolve`, {
      token: TOKENS.operator,
      json: { action: 'write_off', note: 'as foretold' },
    });
    expect([decided.status, decided.body.detail]).toEqual([422, expect.stringContaining('Stripe holds trr_live')]);
  });

  it('says of what is not there that it is not, which bears out giving it up', async () => {
    market.providers.stripe = stripeSays(held([]));
    const { body } = await look('reversal', reversal);
    expect(body).toMatchObject({
      answer: 'absent',
      shows: { other_reversals: [] },
      decisions: [
        { action: 'retry' },
        { action: 'adopt', verdict: 'refused' },
        { action: 'write_off', verdict: 'borne_out' },
      ],
    });
  });

  it('says so where the provider is away, and where nothing is set to ask it with', async () => {
    market.providers.stripe = stripeSays({ kind: 'unclear', detail: 'timeout' });
    expect((await look('reversal', reversal)).body).toMatchObject({
      answer: 'away',
      words: expect.stringContaining('timeout'),
      shows: null,
      decisions: [{ verdict: 'not_in_the_way' }, { verdict: 'refused' }, { verdict: 'refused' }],
    });
    market.providers.stripe = stripeSays({ kind: 'misdirected', scope: 'provider', detail: 'stripe 401' });
    const locked = await putOrder(market.test, STUCK);
    expect((await look('reversal', locked.reversals[1]?.id ?? '')).body).toMatchObject({
      answer: 'away',
      words: 'nothing is known of now, since it has answered, and refuses the key: stripe 401',
    });
    market.providers.stripe = undefined;
    const other = await putOrder(market.test, STUCK);
    expect((await look('reversal', other.reversals[1]?.id ?? '')).body).toMatchObject({
      answer: 'not_asked',
      shows: null,
    });
    const settlement = aSettlement({ undecodable: 'no json', body: null });
    await market.test.ledger.createSettlement(settlement);
    expect((await look('settlement', settlement.id)).body).toMatchObject({
      provider: 'auth-server',
      answer: 'not_asked',
    });
  });

  it('is asked of a provider that throws, and that is its being away', async () => {
    market.providers.stripe = {
      inLane: () => ({ ...stripeSays(held([])).inLane('x'), readTransfer: () => Promise.reject(new Error('broken')) }),
    };
    expect((await look('reversal', reversal)).body).toMatchObject({ answer: 'away' });
  });

  it('costs one question however many look at once and again, in the lane of persons', async () => {
    const { stripe, asked } = counted(stripeSays(held([])));
    market.providers.stripe = stripe;
    await Promise.all(Array.from({ length: 20 }, () => look('reversal', reversal)));
    await look('reversal', reversal);
    expect(asked).toEqual([`persons ${order.transfers[1]?.stripeTransferId}`]);
  });

  it('is asked again after five seconds, and at once where the ledger did not tell', async () => {
    let now = 0;
    let asked = 0;
    let isBroken = true;
    const broken = () => {
      asked += 1;
      if (isBroken) return Promise.reject(new Error('Postgres is away'));
      return Promise.resolve({ sight: {} as never, decisions: [] });
    };
    const read = createLiveReadings(
      { ledger: market.test.ledger, look: broken },
      { nowMs: () => now, monotonicMs: () => now },
    );
    const [item] = (await market.test.ledger.findItems(reversal)) as LiveItem[];
    if (!item) throw new Error('it is there');
    await expect(read(item)).rejects.toThrow('Postgres is away');
    isBroken = false;
    await read(item);
    now += 4_999;
    await read(item);
    expect(asked).toBe(2);
    now += 1;
    await read(item);
    expect(asked).toBe(3);
  });

  it('changes nothing, whatever it shows', async () => {
    const before = await everything();
    for (const stripe of [stripeSays(held([taken({})])), stripeSays({ kind: 'missing', detail: 'none' })]) {
      market.providers.stripe = stripe;
      for (const [nth, one] of order.reversals.entries()) {
        expect((await look('reversal', one.id)).status).toBe(200);
        expect((await look('transfer', order.transfers[nth]?.id ?? '')).status).toBe(200);
      }
    }
    expect(await everything()).toEqual(before);
  });

  it('is for those who may decide, and about what a decision can be about', async () => {
    for (const token of [TOKENS.viewer, TOKENS.service])
      expect(summary(await look('reversal', reversal, token))).toEqual([403, 'forbidden']);
    expect(summary(await look('order', order.id))).toEqual([404, 'not_found']);
    expect(summary(await look('reversal', order.id))).toEqual([404, 'not_found']);
  });
});

describe('makegood explain and show --live', () => {
  let terminal: MarketplaceCli;
  beforeAll(async () => {
    terminal = await openMarketplaceCli();
  });
  afterAll(() => terminal.close());

  it('tell the same in a terminal', async () => {
    order = await terminal.put();
    reversal = order.reversals[1]?.id ?? '';
    terminal.stripe = stripeSays(held([taken({ operation_id: reversal })]));
    for (const command of ['explain', 'show']) {
      const text = await terminal.makegood(command, reversal, '--live');
      expect(text).toMatch(/^stripe now \(read 20.*Z\): Stripe has trr_live for it, done$/m);
      expect(text).toMatch(/^ {2}write_off now: would be refused: the provider has trr_live: the money moved$/m);
      expect((await terminal.json(command, reversal, '--live')).live).toMatchObject({
        provider: 'stripe',
        answer: 'shown',
        shows: { stripe_reversal_id: 'trr_live' },
      });
      expect(await terminal.makegood(command, reversal)).not.toContain('now (read');
    }
  });

  it('are for one item that can be decided about, and once', async () => {
    const put = await terminal.put();
    await expect(terminal.makegood('explain', put.id, '--live')).rejects.toThrow('name a part of order');
    await expect(terminal.makegood('show', put.reversals[1]?.id ?? '', '--live', '--watch')).rejects.toThrow('--watch');
  });
});
