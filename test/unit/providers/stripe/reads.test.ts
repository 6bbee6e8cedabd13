import { describe, expect, it } from 'vitest';
import type { StripeCalls } from '../../../../src/providers/stripe/client.js';
import { type Answering, raw } from '../../../support/answering-server.js';
import { answering, error, json, LANE, list, reversalObject, transferObject } from './server.js';

const page = (data: readonly unknown[], hasMore = false): Answering => json(200, list(data, hasMore));
const reversals = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => reversalObject({ id: `trr_${from + i}`, amount: 1 }));
const transfers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => transferObject({ id: `tr_${from + i}` }));

const ACCOUNT = json(200, { id: 'acct_platform', object: 'account' });
const BALANCE = json(200, { object: 'balance', livemode: true, available: [], pending: [] });
const PAYOUT = {
  id: 'po_1',
  object: 'payout',
  amount: 1_100,
  currency: 'jpy',
  status: 'in_transit',
  arrival_date: 1_700_000_000,
  failure_code: null,
  automatic: true,
  reconciliation_status: 'in_progress',
  created: 1_699_800_000,
};

describe('readTransfer', () => {
  it('takes the reversals that lie in the transfer, when those are all', async () => {
    const transfer = transferObject({ amount_reversed: 3, reversals: list(reversals(1, 3)) });
    const { calls, received, tokens } = await answering(json(200, transfer));
    const answer = await calls.readTransfer('tr_1');
    expect(answer).toMatchObject({
      kind: 'found',
      value: { transfer: { stripeTransferId: 'tr_1', amount: 600n, amountReversed: 3n } },
    });
    expect(idsIn(answer)).toEqual(['trr_1', 'trr_2', 'trr_3']);
    expect(received.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v1/transfers/tr_1']);
    expect(tokens).toEqual([['transfers.read', LANE]]);
  });

  it('reads every page of more than ten, and takes a token for each', async () => {
    const { calls, received, tokens } = await answering([
      json(200, transferObject({ reversals: list(reversals(1, 10), true) })),
      page(reversals(1, 100), true),
      page(reversals(101, 200), true),
      page(reversals(201, 203)),
    ]);
    const answer = await calls.readTransfer('tr_1');
    expect(idsIn(answer)).toHaveLength(203);
    expect(received.map(({ path }) => path)).toEqual([
      '/v1/transfers/tr_1',
      '/v1/transfers/tr_1/reversals?limit=100',
      '/v1/transfers/tr_1/reversals?limit=100&starting_after=trr_100',
      '/v1/transfers/tr_1/reversals?limit=100&starting_after=trr_200',
    ]);
    expect(tokens.map(([endpoint]) => endpoint)).toEqual([
      'transfers.read',
      'reversals.list',
      'reversals.list',
      'reversals.list',
    ]);
  });

  it('asks for the list where the transfer holds none that can be read', async () => {
    for (const strange of [undefined, null, list([{ id: 'trr_1' }]), { object: 'list', data: [] }]) {
      const { calls, received } = await answering([
        json(200, transferObject({ reversals: strange })),
        page(reversals(1, 1)),
      ]);
      expect(idsIn(await calls.readTransfer('tr_1'))).toEqual(['trr_1']);
      expect(received).toHaveLength(2);
    }
  });

  const whole = json(200, transferObject({ reversals: list(reversals(1, 10), true) }));
  it.each<[string, readonly Answering[], string]>([
    ['a page cannot be read', [whole, page(reversals(1, 100), true), raw(502, 'text/html', 'x')], 'unclear'],
    ['a page is turned away', [whole, error(429, { code: 'rate_limit' })], 'busy'],
    ['one reversal cannot be read', [whole, page([...reversals(1, 5), reversalObject({ amount: null })])], 'unclear'],
    ['one is of another transfer', [whole, page([reversalObject({ transfer: 'tr_2' })])], 'unclear'],
    ['the list goes on without anything in it', [whole, page([], true)], 'unclear'],
    ['the list goes round in circles', [whole, page(reversals(1, 3), true)], 'unclear'],
    ['it is another transfer', [json(200, transferObject({ id: 'tr_2' }))], 'unclear'],
    ['it is not a transfer', [json(200, reversalObject({ id: 'tr_1' }))], 'unclear'],
    ['the answer is no answer of Stripe’s', [json(404, { message: 'no' })], 'unclear'],
    ['the address is unknown', [error(404, { message: 'Unrecognized request URL' })], 'unclear'],
    ['the request is refused', [error(400, { code: 'parameter_unknown' })], 'unclear'],
    ['it does not exist', [error(404, { code: 'resource_missing' })], 'missing'],
    ['the key is not let in', [error(401, {})], 'misdirected'],
  ])('never says what is not there when %s', async (_what, answers, kind) => {
    const { calls } = await answering(answers);
    expect(await calls.readTransfer('tr_1')).toMatchObject({ kind, detail: expect.any(String) });
  });

  it.each(['', ' ', '..', 'tr 1', 'tr_1 ', 'x'.repeat(256)])('never asks for what is no id (%j)', async (id) => {
    const { calls, received, tokens } = await answering(whole);
    expect(await calls.readTransfer(id)).toMatchObject({ kind: 'missing' });
    expect(await calls.readPayout(id, 'acct_seller')).toMatchObject({ kind: 'missing' });
    expect({ received, tokens }).toEqual({ received: [], tokens: [] });
  });

  it('that ends at its time limit is unclear', async () => {
    const { calls } = await answering(() => undefined, { timeoutMs: 100 });
    expect(await calls.readTransfer('tr_1')).toEqual({
      kind: 'unclear',
      detail: 'stripe on transfer tr_1: no answer within the time limit',
    });
  });
});

const idsIn = (answer: Awaited<ReturnType<StripeCalls['readTransfer']>>) =>
  answer.kind === 'found' ? answer.value.reversals.map(({ stripeReversalId }) => stripeReversalId) : answer;

const SINCE = new Date(1_700_000_000_900);

describe('transfersTo', () => {
  it('reads every page, and takes a token for each', async () => {
    const { calls, received, tokens } = await answering([page(transfers(1, 100), true), page(transfers(101, 120))]);
    const answer = await calls.transfersTo('acct_1&x', SINCE);
    expect(answer.kind === 'found' && answer.value.map((one) => one.stripeTransferId)).toEqual(
      transfers(1, 120).map(({ id }) => id),
    );
    expect(received.map(({ path }) => path)).toEqual([
      '/v1/transfers?destination=acct_1%26x&created[gte]=1700000000&limit=100',
      '/v1/transfers?destination=acct_1%26x&created[gte]=1700000000&limit=100&starting_after=tr_100',
    ]);
    expect(tokens).toEqual([
      ['transfers.list', LANE],
      ['transfers.list', LANE],
    ]);
  });

  it('finds nothing only where Stripe says so', async () => {
    const empty = await answering(page([]));
    expect(await empty.calls.transfersTo('acct_1', SINCE)).toEqual({ kind: 'found', value: [] });
    const half = await answering([page(transfers(1, 100), true), error(500, { type: 'api_error' })]);
    expect(await half.calls.transfersTo('acct_1', SINCE)).toMatchObject({ kind: 'unclear' });
    const hole = await answering(page([transferObject(), transferObject({ id: 'tr_2', livemode: undefined })]));
    expect(await hole.calls.transfersTo('acct_1', SINCE)).toMatchObject({ kind: 'unclear' });
  });

  it('never asks for the transfers to nobody: those would be all', async () => {
    const { calls, received } = await answering(page([]));
    await expect(calls.transfersTo(' ', SINCE)).rejects.toThrow(RangeError);
    expect(received).toEqual([]);
  });
});

describe('listTransfers', () => {
  it('asks for one page, with every filter in it', async () => {
    const { calls, received, tokens } = await answering(page(transfers(1, 2), true));
    const answer = await calls.listTransfers({
      destination: 'acct_seller',
      createdSince: new Date('2026-11-01T00:00:00.900Z'),
      startingAfter: 'tr_0',
      limit: 2,
    });
    expect(answer).toMatchObject({
      kind: 'found',
      value: { hasMore: true, transfers: [{ stripeTransferId: 'tr_1' }, { stripeTransferId: 'tr_2' }] },
    });
    expect(received.map(({ path }) => path)).toEqual([
      '/v1/transfers?destination=acct_seller&limit=2&created[gte]=1793491200&starting_after=tr_0',
    ]);
    expect(tokens).toEqual([['transfers.list', LANE]]);
  });

  it('sends no filter that is not asked for', async () => {
    const { calls, received } = await answering(page([]));
    await calls.listTransfers({ destination: 'acct_seller', limit: 100 });
    expect(received.map(({ path }) => path)).toEqual(['/v1/transfers?destination=acct_seller&limit=100']);
  });

  it.each([0, 101, 1.5])('never asks for a page of %s', async (limit) => {
    const { calls, tokens } = await answering(page([]));
    await expect(calls.listTransfers({ destination: 'acct_seller', limit })).rejects.toThrow(RangeError);
    expect(tokens).toEqual([]);
  });

  it('tells of transfers of old, with amounts to the last digit', async () => {
    const old = { destination: null, transfer_group: null, metadata: {}, amount: Number.MAX_SAFE_INTEGER };
    const { calls } = await answering(page([transferObject(old)]));
    const listed = await calls.listTransfers({ destination: 'acct_seller', limit: 1 });
    const amount = 9007199254740991n;
    expect(listed).toMatchObject({ value: { transfers: [{ destination: '', transferGroup: null, amount }] } });
    expect(listed.kind === 'found' && listed.value.transfers[0]?.metadata).toEqual({});
    const beyond = await answering(page([transferObject({ amount: 2 ** 53 })]));
    expect(await beyond.calls.listTransfers({ destination: 'acct_seller', limit: 1 })).toMatchObject({
      kind: 'unclear',
    });
  });
});

describe('readAccount', () => {
  it('asks who we are and in which mode: two requests, two tokens', async () => {
    const { stripe, received, tokens } = await answering([ACCOUNT, BALANCE]);
    expect(await stripe.inLane('probe').readAccount()).toEqual({
      kind: 'found',
      value: { accountId: 'acct_platform', livemode: true },
    });
    expect(received.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v1/account', 'GET /v1/balance']);
    expect(received.map(({ headers }) => headers['stripe-account'])).toEqual([undefined, undefined]);
    expect(tokens).toEqual([
      ['account', 'probe'],
      ['balance', 'probe'],
    ]);
  });

  it.each<[string, readonly Answering[], string]>([
    ['the key was revoked', [error(401, { message: 'Expired API Key provided' })], 'misdirected'],
    ['the key may not read balances', [ACCOUNT, error(403, { message: 'permissions' })], 'misdirected'],
    ['the balance has no mode', [ACCOUNT, json(200, { object: 'balance' })], 'unclear'],
    ['it is no account', [json(200, { object: 'customer', id: 'cus_1' })], 'unclear'],
  ])('is no answer when %s', async (_what, answers, kind) => {
    const { stripe } = await answering(answers);
    expect(await stripe.inLane('probe').readAccount()).toMatchObject({ kind });
  });
});

describe('readBalance', () => {
  it('asks as the seller and tells what is available, debts too, by currency', async () => {
    const { calls, received, tokens } = await answering(
      json(200, {
        object: 'balance',
        livemode: false,
        available: [
          { amount: 1_500, currency: 'usd' },
          { amount: -20, currency: 'eur' },
          { amount: 5, currency: 'usd' },
        ],
        pending: [{ amount: 9_999, currency: 'usd' }],
      }),
    );
    expect(await calls.readBalance('acct_seller')).toEqual({
      kind: 'found',
      value: new Map([
        ['USD', 1_505n],
        ['EUR', -20n],
      ]),
    });
    expect(received[0]).toMatchObject({ path: '/v1/balance', headers: { 'stripe-account': 'acct_seller' } });
    expect(tokens).toEqual([['balance', LANE]]);
  });

  it('of a seller who left is the seller’s problem', async () => {
    const { stripe } = await answering(error(403, { code: 'account_invalid' }));
    expect(await stripe.inLane('probe').readBalance('acct_seller')).toMatchObject({
      kind: 'misdirected',
      scope: 'seller',
    });
  });

  it('that cannot be read is not an empty one', async () => {
    for (const available of [undefined, [{ amount: '5', currency: 'usd' }], [{ amount: 5 }], [null]]) {
      const { calls } = await answering(json(200, { object: 'balance', available }));
      expect(await calls.readBalance('acct_seller')).toMatchObject({ kind: 'unclear' });
    }
  });
});

describe('readPayout', () => {
  it('asks as the seller', async () => {
    const { calls, received, tokens } = await answering(json(200, PAYOUT));
    expect(await calls.readPayout('po_1', 'acct_seller')).toEqual({
      kind: 'found',
      value: {
        externalPayoutId: 'po_1',
        sellerAccount: 'acct_seller',
        amount: 1_100n,
        currency: 'JPY',
        status: 'in_transit',
        arrivalAt: '2023-11-14T22:13:20.000Z',
        failureCode: null,
        automatic: true,
        list: 'growing',
        madeAt: '2023-11-12T14:40:00.000Z',
      },
    });
    expect(received[0]).toMatchObject({ path: '/v1/payouts/po_1', headers: { 'stripe-account': 'acct_seller' } });
    expect(tokens).toEqual([['payouts.read', LANE]]);
  });

  it.each([
    ['another payout', { id: 'po_2' }],
    ['a status that nobody knows', { status: 'lost' }],
    ['a status that every object has', { status: 'toString' }],
    ['an amount with a fraction', { amount: 0.5 }],
  ])('never takes %s for an answer', async (_what, more) => {
    const { calls } = await answering(json(200, { ...PAYOUT, ...more }));
    expect(await calls.readPayout('po_1', 'acct_seller')).toMatchObject({ kind: 'unclear' });
  });
});

const CHARGE = {
  id: 'ch_1',
  object: 'charge',
  captured: true,
  paid: true,
  status: 'succeeded',
  livemode: false,
  payment_method_details: { type: 'card' },
  balance_transaction: 'txn_1',
  transfer_data: null,
  amount_captured: 1_099,
  currency: 'usd',
};
const INTENT = {
  id: 'pi_1',
  object: 'payment_intent',
  amount: 1_000,
  amount_received: 1_000,
  currency: 'usd',
  status: 'succeeded',
  latest_charge: 'ch_1',
  livemode: false,
};
const PAID = { ...CHARGE, amount: 1_000, amount_captured: 1_000, currency: 'usd', payment_intent: 'pi_1' };
const ACCOUNT_OF_SELLER = { id: 'acct_1', object: 'account', capabilities: { transfers: 'pending' } };

describe('a payment that another checkout took', () => {
  const shown = {
    name: 'pi_1',
    chargeId: 'ch_1',
    amount: 1_000n,
    captured: 1_000n,
    currency: 'USD',
    status: 'succeeded',
    isSplit: false,
    transferGroup: null,
    livemode: false,
  };

  it('is what its PaymentIntent and its charge say, by whichever name it is asked for', async () => {
    const { calls } = await answering([json(200, INTENT), json(200, PAID), json(200, PAID), json(200, INTENT)]);
    expect(await calls.readPayment('pi_1')).toEqual({ kind: 'found', value: shown });
    expect(await calls.readPayment('ch_1')).toEqual({ kind: 'found', value: shown });
  });

  it('is its charge alone where no PaymentIntent made it', async () => {
    const { calls } = await answering(json(200, { ...PAID, payment_intent: null }));
    expect(await calls.readPayment('ch_1')).toMatchObject({ value: { name: 'ch_1', captured: 1_000n } });
  });

  it.each([
    ['its charge has failed since', {}, { status: 'failed' }, { captured: 0n }],
    ['its charge is not captured', { amount_received: 0 }, { captured: false }, { captured: 0n }],
    ['Stripe sends it on', { transfer_data: { destination: 'acct_1' } }, {}, { isSplit: true }],
    ['Stripe takes a fee of it', { application_fee_amount: 5 }, {}, { isSplit: true }],
    ['its charge was made for another account', {}, { source_transfer: 'tr_1' }, { isSplit: true }],
    ['transfers were made of it', {}, { transfer_group: 'group_pi_1' }, { transferGroup: 'group_pi_1' }],
  ])('shows that %s', async (_what, intent, charge, facts) => {
    const { calls } = await answering([json(200, { ...INTENT, ...intent }), json(200, { ...PAID, ...charge })]);
    expect(await calls.readPayment('pi_1')).toMatchObject({ kind: 'found', value: facts });
  });

  it('is not read from something else, or from what says no amount', async () => {
    const { calls } = await answering([
      json(200, { ...INTENT, id: 'pi_2' }),
      json(200, { ...INTENT, amount_received: null }),
      json(200, INTENT),
      json(200, { ...PAID, id: 'ch_2' }),
    ]);
    for (let time = 0; time < 3; time += 1) expect(await calls.readPayment('pi_1')).toMatchObject({ kind: 'unclear' });
    expect(await calls.readPayment('..')).toMatchObject({ kind: 'missing' });
  });
});

describe('what stands behind a payment', () => {
  it('is told by its PaymentIntent, its charge and the balance that has its money', async () => {
    const intent = { id: 'pi_1', object: 'payment_intent', latest_charge: 'ch_1' };
    const { calls, tokens } = await answering([
      json(200, intent),
      json(200, CHARGE),
      json(200, { id: 'txn_1', object: 'balance_transaction', currency: 'eur', amount: 1_011, exchange_rate: 0.92 }),
    ]);
    expect(await calls.readLatestCharge('pi_1')).toEqual({ kind: 'found', value: { chargeId: 'ch_1' } });
    expect(await calls.readCharge('ch_1')).toEqual({
      kind: 'found',
      value: {
        chargeId: 'ch_1',
        captured: true,
        method: 'card',
        isSplit: false,
        livemode: false,
        amountCaptured: 1_099n,
        currency: 'USD',
        balanceTransactionId: 'txn_1',
      },
    });
    expect(await calls.readBalanceMovement('txn_1')).toEqual({
      kind: 'found',
      value: { amount: 1_011n, currency: 'EUR', exchangeRate: '0.92' },
    });
    expect(tokens.map(([endpoint]) => endpoint)).toEqual([
      'payment_intents.read',
      'charges.read',
      'balance_transactions.read',
    ]);
  });

  it.each([
    [{ captured: false }, { captured: false }],
    [{ paid: false }, { captured: false }],
    [{ status: 'pending' }, { captured: false }],
    [{ payment_method_details: null }, { method: null }],
    [{ transfer_data: { destination: 'acct_1' } }, { isSplit: true }],
    [{ application_fee: 'fee_1' }, { isSplit: true }],
    [{ balance_transaction: null }, { balanceTransactionId: null }],
  ])('a charge with %j is %j', async (change, facts) => {
    const { calls } = await answering(json(200, { ...CHARGE, ...change }));
    expect(await calls.readCharge('ch_1')).toMatchObject({ kind: 'found', value: facts });
  });

  it('is not read from something else', async () => {
    const { calls } = await answering(json(200, { ...CHARGE, id: 'ch_2' }));
    expect(await calls.readCharge('ch_1')).toMatchObject({ kind: 'unclear' });
    expect(await calls.readLatestCharge('ch_1')).toMatchObject({ kind: 'unclear' });
    expect(await calls.readBalanceMovement('ch_1')).toMatchObject({ kind: 'unclear' });
    expect(await calls.readCharge('..')).toMatchObject({ kind: 'missing' });
  });
});

describe('what a seller and the platform can do', () => {
  it('is read of the account, with what keeps it from receiving', async () => {
    const rejected = { ...ACCOUNT_OF_SELLER, requirements: { disabled_reason: 'rejected.fraud' } };
    const { calls } = await answering([json(200, ACCOUNT_OF_SELLER), json(200, rejected)]);
    const facts = { sellerAccount: 'acct_1', capabilities: { transfers: 'pending' } };
    expect(await calls.readSeller('acct_1')).toEqual({ kind: 'found', value: { ...facts, disabledReason: null } });
    expect(await calls.readSeller('acct_1')).toMatchObject({ value: { disabledReason: 'rejected.fraud' } });
  });

  it('is our own balance, asked for without an account', async () => {
    const balance = { object: 'balance', livemode: false, available: [{ amount: -5, currency: 'usd' }], pending: [] };
    const { calls, received } = await answering(json(200, balance));
    expect(await calls.readPlatformBalance()).toEqual({ kind: 'found', value: new Map([['USD', -5n]]) });
    expect(received[0]?.headers['stripe-account']).toBeUndefined();
  });
});
