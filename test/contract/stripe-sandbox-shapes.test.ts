import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StripeSandbox, startStripeSandbox } from '../../sandbox/stripe/start.js';
import { type Exchange, shapeOf, startRecordedStripeMock } from '../support/marketplace/recorded-stripe-mock.js';
import { SELLER, transferOf } from '../support/marketplace/stripe-api.js';

// stripe-mock judges by Stripe's published description and answers with Stripe's own examples; what it admits the sandbox
// must admit, what it refuses the sandbox must refuse, and both must answer with the same members of the same types.

const oracle = await startRecordedStripeMock('stripe-mock-sandbox.json');
afterAll(() => oracle.close());

const TRANSFER = 'tr_1SandboxShapes';
let sandbox: StripeSandbox;
let reversal: string;
let payout: string;
let charge: string;
let paymentIntent: string;
let transaction: string;
let refund: string;
let dispute: string;
/** PaymentIntents that nobody has paid. */
let made: Readonly<Record<string, string>>;
beforeAll(async () => {
  sandbox = await startStripeSandbox();
  await sandbox.seed({
    transfers: [{ id: TRANSFER, destination: SELLER, amount: 100_000, reversals: [{ amount: 5 }] }],
  });
  reversal = sandbox.ledger().reversals[0]?.id ?? '';
  await sandbox.setBalance({ account: sandbox.platformAccount, currency: 'usd', available: 1_000_000 });
  const captured = await sandbox.createCapture({ amount: 100_000, currency: 'usd', transfer_group: 'o1', fee: 5 });
  charge = captured.charge.id;
  paymentIntent = captured.payment_intent.id;
  transaction = captured.charge.balance_transaction ?? '';
  refund = (await sandbox.createRefund({ charge, amount: 5 })).refund.id;
  dispute = (await sandbox.createDispute({ charge, amount: 5, inquiry: true })).dispute.id;
  const begin = async (more: Readonly<Record<string, string>> = {}): Promise<string> => {
    const { body } = await ask(sandbox.url, pay({ amount: '2000', currency: 'usd', ...more }));
    return String(body['id']);
  };
  const hold = () => begin({ capture_method: 'manual', confirm: 'true', payment_method: 'pm_card_visa' });
  made = { begun: await begin(), left: await begin(), held: await hold(), kept: await hold(), lapsed: await hold() };
  payout = (await sandbox.createPayout({ account: SELLER, amount: 5, currency: 'usd', status: 'paid' })).id;
});
afterAll(() => sandbox.close());

interface Case {
  readonly method?: 'GET' | 'POST';
  /** `:transfer`, `:charge` and so on stand for what is there, here and in `form`. */
  readonly path: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly account?: string;
  /** Members of Stripe's answer that the sandbox does not model. */
  readonly without?: readonly string[];
}

const create = (form: Readonly<Record<string, string>>): Case => ({ method: 'POST', path: '/v1/transfers', form });
const reverse = (form: Readonly<Record<string, string>> = {}): Case => ({
  method: 'POST',
  path: '/v1/transfers/:transfer/reversals',
  form,
});
const change = (form: Readonly<Record<string, string>>): Case => ({
  method: 'POST',
  path: '/v1/transfers/:transfer',
  form,
});
const list = (form: Readonly<Record<string, string>> = {}): Case => ({ path: '/v1/transfers', form });
const payouts = (form: Readonly<Record<string, string>> = {}): Case => ({
  path: '/v1/payouts',
  form,
  account: SELLER,
});
const charges = (form: Readonly<Record<string, string>>): Case => ({ path: '/v1/charges', form, without: REFUNDS });
const transactions = (form: Readonly<Record<string, string>>): Case => ({ path: '/v1/balance_transactions', form });
const ofCharge = (what: 'refunds' | 'disputes', form: Readonly<Record<string, string>>): Case => ({
  path: `/v1/${what}`,
  form,
});
const pay = (form: Readonly<Record<string, string>>): Case => ({ method: 'POST', path: '/v1/payment_intents', form });
const capture = (which: string, form: Readonly<Record<string, string>>): Case => ({
  method: 'POST',
  path: `/v1/payment_intents/:${which}/capture`,
  form,
});
const giveBack = (form: Readonly<Record<string, string>>): Case => ({ method: 'POST', path: '/v1/refunds', form });
const without = (name: string) => Object.fromEntries(Object.entries(transferOf()).filter(([each]) => each !== name));

/** A list that Stripe's example shows and Stripe sends only to who asks for it. */
const REFUNDS = ['refunds'];
const PROFILE = ['business_profile', 'controller', 'tos_acceptance'];

const ADMITTED: Readonly<Record<string, Case>> = {
  'a transfer': create(transferOf()),
  'a transfer with everything': create(
    transferOf({
      description: 'share',
      'metadata[order_id]': 'o1',
      source_transaction: ':charge',
      source_type: 'card',
      transfer_group: 'o1',
    }),
  ),
  'a transfer in capitals': create(transferOf({ currency: 'USD' })),
  'a reversal of the rest': reverse(),
  'a transfer renamed': change({ description: 'the share of o1', 'metadata[order_id]': 'o1' }),
  'a transfer without its metadata': change({ metadata: '' }),
  'a transfer read': { path: '/v1/transfers/:transfer' },
  'a reversal read': { path: '/v1/transfers/:transfer/reversals/:reversal' },
  'reversals listed': { path: '/v1/transfers/:transfer/reversals', form: { limit: '100' } },
  'transfers listed': list(),
  'transfers of a seller': list({ destination: SELLER, limit: '100' }),
  'transfers of a group': list({ transfer_group: 'o1' }),
  'transfers of a time': list({ 'created[gte]': '1', 'created[lte]': '4000000000' }),
  'transfers of another time': list({ 'created[gt]': '1', 'created[lt]': '4000000000' }),
  'transfers of one second': list({ created: '1700000000' }),
  'transfers after a cursor': list({ starting_after: TRANSFER }),
  'transfers before a cursor': list({ ending_before: TRANSFER }),
  'the own account': { path: '/v1/account', without: PROFILE },
  'an account': { path: `/v1/accounts/${SELLER}`, without: PROFILE },
  'the settings of the own balance': { path: '/v1/balance_settings' },
  'a capability': { path: `/v1/accounts/${SELLER}/capabilities/transfers` },
  'the capabilities': { path: `/v1/accounts/${SELLER}/capabilities` },
  'the own balance': { path: '/v1/balance', without: ['connect_reserved'] },
  'the balance of a seller': { path: '/v1/balance', account: SELLER, without: ['connect_reserved'] },
  'a payout': { path: '/v1/payouts/:payout', account: SELLER },
  'payouts listed': payouts({ limit: '5' }),
  'payouts of a status': payouts({ status: 'paid' }),
  'payouts of a time': payouts({ 'created[gte]': '1', 'arrival_date[lte]': '4000000000' }),
  'a PaymentIntent': { path: '/v1/payment_intents/:intent' },
  'a PaymentIntent made and confirmed': pay({
    amount: '2000',
    currency: 'usd',
    confirm: 'true',
    payment_method: 'pm_card_visa',
    'payment_method_types[0]': 'card',
    transfer_group: 'o2',
    'metadata[shop]': 'o2',
  }),
  'a PaymentIntent made': pay({
    amount: '2000',
    capture_method: 'automatic',
    currency: 'usd',
    transfer_group: 'o3',
    'metadata[payment_id]': 'p3',
  }),
  'a PaymentIntent found by its metadata': {
    path: '/v1/payment_intents/search',
    form: { query: 'metadata["payment_id"]:"p3"', limit: '100' },
  },
  'a PaymentIntent confirmed': {
    method: 'POST',
    path: '/v1/payment_intents/:begun/confirm',
    form: { payment_method: 'pm_card_visa' },
  },
  'a PaymentIntent canceled': {
    method: 'POST',
    path: '/v1/payment_intents/:left/cancel',
    form: { cancellation_reason: 'abandoned' },
  },
  'a PaymentIntent made to be captured by hand': pay({
    amount: '2000',
    capture_method: 'manual',
    currency: 'usd',
    customer: 'cus_42',
  }),
  'a PaymentIntent captured in part': capture('held', { amount_to_capture: '1500', final_capture: 'true' }),
  'a PaymentIntent canceled that was held': { method: 'POST', path: '/v1/payment_intents/:lapsed/cancel' },
  'a refund made of a PaymentIntent': giveBack({ payment_intent: ':intent', amount: '7', 'metadata[shop]': 'o1' }),
  'a refund made of a charge': giveBack({ charge: ':charge', amount: '7', reason: 'requested_by_customer' }),
  'a charge': { path: '/v1/charges/:charge', without: REFUNDS },
  'the charges of a PaymentIntent': charges({ payment_intent: ':intent' }),
  'charges of a group and a time': charges({ transfer_group: 'o1', 'created[gte]': '1', limit: '5' }),
  'a balance transaction': { path: '/v1/balance_transactions/:transaction' },
  'the balance transactions of a charge': transactions({ source: ':charge', type: 'charge', currency: 'usd' }),
  'the balance transactions of a payout': {
    path: '/v1/balance_transactions',
    form: { payout: ':payout', type: 'payment', limit: '100' },
    account: SELLER,
  },
  'balance transactions of a time': transactions({ 'created[gte]': '1', limit: '1' }),
  'a refund': { path: '/v1/refunds/:refund' },
  'the refunds of a charge': ofCharge('refunds', { charge: ':charge', limit: '5' }),
  'the refunds of a PaymentIntent and a time': ofCharge('refunds', {
    payment_intent: ':intent',
    'created[gte]': '1',
  }),
  'a dispute': { path: '/v1/disputes/:dispute' },
  'the disputes of a charge': ofCharge('disputes', { charge: ':charge', limit: '5' }),
  'the disputes of a PaymentIntent and a time': ofCharge('disputes', {
    payment_intent: ':intent',
    'created[gte]': '1',
  }),
};

/** Reversals with an amount come after the one of the rest would leave nothing, so each has a transfer of its own. */
const REVERSALS: Readonly<Record<string, Case>> = {
  'a reversal of a part': reverse({ amount: '1' }),
  'a reversal with everything': reverse({
    amount: '2',
    description: 'back',
    'metadata[refund_id]': 'r1',
    refund_application_fee: 'true',
  }),
  'a reversal with empty metadata': reverse({ amount: '3', metadata: '' }),
};

const REFUSED: Readonly<Record<string, Case>> = {
  'a transfer with an unknown parameter': create(transferOf({ why: 'x' })),
  'a transfer to nobody': create(without('destination')),
  'a transfer of no currency': create(without('currency')),
  'a transfer of an amount in words': create(transferOf({ amount: 'ten' })),
  'a transfer of a fraction': create(transferOf({ amount: '1.5' })),
  'a transfer with metadata that is no object': create(transferOf({ metadata: 'x' })),
  'a reversal with an unknown parameter': reverse({ currency: 'usd' }),
  'a reversal of an amount in words': reverse({ amount: 'all' }),
  'a reversal with a flag that is none': reverse({ refund_application_fee: 'perhaps' }),
  'a transfer given another amount': change({ amount: '1' }),
  'a transfer given metadata that is no object': change({ metadata: 'x' }),
  'transfers searched by metadata': list({ 'metadata[order_id]': 'o1' }),
  'transfers with an unknown parameter': list({ why: 'x' }),
  'transfers by a limit in words': list({ limit: 'all' }),
  'transfers of a time in words': list({ 'created[gte]': 'today' }),
  'a transfer read with an unknown parameter': { path: '/v1/transfers/:transfer', form: { why: 'x' } },
  'reversals with an unknown parameter': { path: '/v1/transfers/:transfer/reversals', form: { why: 'x' } },
  'a balance with an unknown parameter': { path: '/v1/balance', form: { currency: 'usd' } },
  'payouts with an unknown parameter': payouts({ why: 'x' }),
  'a charge read with an unknown parameter': { path: '/v1/charges/:charge', form: { why: 'x' } },
  'charges with an unknown parameter': charges({ why: 'x' }),
  'charges by metadata': charges({ 'metadata[order_id]': 'o1' }),
  'balance transactions with an unknown parameter': transactions({ why: 'x' }),
  'a capability with an unknown parameter': {
    path: `/v1/accounts/${SELLER}/capabilities/transfers`,
    form: { why: 'x' },
  },
  'a PaymentIntent of no currency': pay({ amount: '2000', confirm: 'true' }),
  'a PaymentIntent with an unknown parameter': pay({ amount: '2000', currency: 'usd', why: 'x' }),
  'a PaymentIntent captured of an amount in words': capture('kept', { amount_to_capture: 'all' }),
  'a refund made with an unknown parameter': giveBack({ charge: ':charge', why: 'x' }),
  'a refund made of an amount in words': giveBack({ charge: ':charge', amount: 'all' }),
  'refunds with an unknown parameter': ofCharge('refunds', { why: 'x' }),
  'disputes by status': ofCharge('disputes', { status: 'lost' }),
};

/** Refused by Stripe itself (or by us, on purpose) and not by its description; stripe-mock cannot know. */
const STRICTER: Readonly<Record<string, Case>> = {
  'a transfer of no amount': create(without('amount')),
  'a transfer of nothing': create(transferOf({ amount: '0' })),
  'a transfer of less than nothing': create(transferOf({ amount: '-1' })),
  'a transfer in a currency that is none': create(transferOf({ currency: 'xyz' })),
  'an expansion': create(transferOf({ 'expand[0]': 'destination' })),
  'a page of nothing': list({ limit: '0' }),
  'a page of too much': list({ limit: '101' }),
  'a cursor that is none': list({ starting_after: 'tr_nothing' }),
  'a transfer that is none': { path: '/v1/transfers/tr_nothing' },
  'a reversal that is none': { path: '/v1/transfers/:transfer/reversals/trr_nothing' },
  'a payout that is none': { path: '/v1/payouts/po_nothing', account: SELLER },
  'a charge that is none': { path: '/v1/charges/ch_nothing' },
  'a PaymentIntent that is none': { path: '/v1/payment_intents/pi_nothing' },
  'a balance transaction that is none': { path: '/v1/balance_transactions/txn_nothing' },
  'a capability that is none': { path: `/v1/accounts/${SELLER}/capabilities/nothing` },
  'a PaymentIntent captured in several parts': capture('kept', { amount_to_capture: '5', final_capture: 'false' }),
  'more captured of a PaymentIntent than is held': capture('kept', { amount_to_capture: '2001' }),
  'a PaymentIntent captured that nobody has paid': capture('left', {}),
  'a PaymentIntent canceled that was paid': { method: 'POST', path: '/v1/payment_intents/:intent/cancel' },
  'PaymentIntents by their amount': { path: '/v1/payment_intents/search', form: { query: 'amount>1000' } },
  'a PaymentIntent by a card that is none': pay({
    amount: '2000',
    currency: 'usd',
    confirm: 'true',
    payment_method: 'pm_nothing',
  }),
  'a refund made of nothing': giveBack({ amount: '7' }),
  'a refund made of more than there is': giveBack({ charge: ':charge', amount: '999999999' }),
  'a refund that is none': { path: '/v1/refunds/re_nothing' },
  'a dispute that is none': { path: '/v1/disputes/dp_nothing' },
  'a transfer out of a charge that is none': create(transferOf({ source_transaction: 'ch_nothing' })),
  'a reversal of more than there is': reverse({ amount: '999999999' }),
};

interface Answered {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function ask(url: string, { method = 'GET', path, form = {}, account }: Case): Promise<Answered> {
  const text = new URLSearchParams(form).toString();
  const target = method === 'GET' && text !== '' ? `${url}${path}?${text}` : `${url}${path}`;
  const answer = await fetch(target, {
    method,
    headers: {
      authorization: 'Bearer sk_test_sandbox',
      'content-type': 'application/x-www-form-urlencoded',
      ...(account === undefined ? {} : { 'stripe-account': account }),
    },
    ...(method === 'POST' ? { body: text } : {}),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const at = (one: Case, ids: Readonly<Record<string, string>>): Case => {
  const named = (text: string) => text.replaceAll(/:([a-z]+)/g, (given, name: string) => ids[name] ?? given);
  const form = Object.entries(one.form ?? {}).map(([name, value]) => [name, named(value)] as const);
  return { ...one, path: named(one.path), form: Object.fromEntries(form) };
};

/** Ids of the sandbox would make another request of every run, and a recording knows only its own. */
async function both(name: string, one: Case): Promise<{ stripe: Answered; ours: Answered }> {
  const fixed = {
    transfer: TRANSFER,
    reversal: 'trr_1',
    payout: 'po_1',
    charge: 'ch_1',
    intent: 'pi_1',
    begun: 'pi_2',
    left: 'pi_3',
    held: 'pi_4',
    kept: 'pi_5',
    lapsed: 'pi_6',
    transaction: 'txn_1',
    refund: 're_1',
    dispute: 'dp_1',
  };
  const { result: stripe, exchanges, recorded } = await oracle.during(name, () => ask(oracle.url, at(one, fixed)));
  // The recording stays what the program would answer, so that both witnesses judge alike.
  const gist = ({ request, answer }: Exchange) => [request, answer.status, shapeOf(answer.body)];
  expect(exchanges.map(gist)).toEqual(recorded.map(gist));
  const here = {
    ...made,
    transfer: TRANSFER,
    reversal,
    payout,
    charge,
    intent: paymentIntent,
    transaction,
    refund,
    dispute,
  };
  const ours = await ask(sandbox.url, at(one, here));
  return { stripe, ours };
}

/** Where the answers differ in members or types; null fits every type, because examples leave out what may be empty. */
function differences(ours: unknown, stripe: unknown, path: string): string[] {
  if (ours === null || stripe === null) return [];
  if (Array.isArray(ours) && Array.isArray(stripe)) {
    return ours.length === 0 || stripe.length === 0 ? [] : differences(ours[0], stripe[0], `${path}[]`);
  }
  if (Array.isArray(ours) || Array.isArray(stripe) || typeof ours !== typeof stripe) return [`${path}: type`];
  if (typeof ours !== 'object') return [];
  const [left, right] = [ours, stripe] as [Record<string, unknown>, Record<string, unknown>];
  // What the user names, differs.
  if (path.endsWith('.metadata')) return [];
  return Array.from(new Set([...Object.keys(left), ...Object.keys(right)])).flatMap((name) => {
    if (!(name in right)) return [`${path}.${name}: not Stripe’s`];
    if (!(name in left)) return [`${path}.${name}: missing`];
    return differences(left[name], right[name], `${path}.${name}`);
  });
}

async function shouldAgree(name: string, one: Case): Promise<void> {
  const { stripe, ours } = await both(name, one);
  expect([stripe.status, ours.status, ours.body]).toEqual([200, 200, ours.body]);
  const place = !('data' in ours.body) ? '$' : '$.data[]';
  const expected = (one.without ?? []).map((member) => `${place}.${member}: missing`);
  expect(differences(ours.body, stripe.body, '$').toSorted()).toEqual(expected.toSorted());
}

describe(`judged by ${oracle.witness === 'recording' ? 'what stripe-mock answered when it was recorded' : 'stripe-mock'}`, () => {
  it.each(Object.entries(REVERSALS))('%s is admitted and answered in the same shape', shouldAgree);

  it.each(Object.entries(ADMITTED))('%s is admitted and answered in the same shape', shouldAgree);

  it.each(Object.entries(REFUSED))('%s is refused by both', async (name, one) => {
    const { stripe, ours } = await both(name, one);
    expect([stripe.status, ours.status]).toEqual([400, 400]);
    expect(ours.body).toMatchObject({ error: { type: 'invalid_request_error', message: expect.any(String) } });
    expect(stripe.body).toMatchObject({ error: { type: 'invalid_request_error', message: expect.any(String) } });
  });

  it.each(Object.entries(STRICTER))('%s is refused by the sandbox alone', async (name, one) => {
    const { stripe, ours } = await both(name, one);
    expect(stripe.status).toBe(200);
    expect(ours.status).toBeGreaterThanOrEqual(400);
  });
});
