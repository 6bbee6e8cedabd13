import { describe, expect, it } from 'vitest';
import { createMemoryChannelStore, createSessionFetch, SessionPaymentError } from '../../../src/client.js';
import {
  CHAIN,
  challengeHeader,
  channelIdOf,
  descriptorOf,
  ESCROW,
  PAYER,
  paymentIn,
  request,
  shownVoucher,
  stubChain,
} from '../../support/sessions/session-world.js';

const ID = channelIdOf(descriptorOf());

/** A client that records what would leave; the server asks with `header`, and serves whoever pays. */
function clientOf(header: string | undefined) {
  const chain = stubChain();
  const store = createMemoryChannelStore();
  const records: unknown[] = [];
  const paid: ReturnType<typeof paymentIn>[] = [];
  const pays = createSessionFetch({
    account: PAYER,
    getClient: () => chain.client,
    maxDeposit: 5000n,
    channelStore: { ...store, set: (entry) => (records.push(entry), store.set(entry)) },
    fetch: async (_input, init) => {
      const payment = paymentIn(init);
      if (payment !== undefined) paid.push(payment);
      if (payment !== undefined) return new Response('served');
      return new Response('', { status: 402, headers: header === undefined ? {} : { 'WWW-Authenticate': header } });
    },
  });
  return { pays, paid, records, chain };
}

async function refusalOf(header: string) {
  const { pays, paid, records } = clientOf(header);
  const error: unknown = await pays('https://api.test/').catch((thrown: unknown) => thrown);
  expect(paid).toEqual([]);
  expect(records).toEqual([]);
  expect(error).toBeInstanceOf(SessionPaymentError);
  return error as SessionPaymentError;
}

async function snapshot(change: Record<string, unknown> = {}) {
  return {
    acceptedCumulative: '30',
    chainId: CHAIN,
    channelId: ID,
    deposit: '1000',
    descriptor: descriptorOf(),
    escrow: ESCROW,
    requiredCumulative: '40',
    highestVoucher: await shownVoucher(ID, 30n),
    settled: '0',
    spent: '30',
    units: 3,
    ...change,
  };
}

const AMOUNTS = ['', '-1', '1.5', '1e3', '0x10', ' 1', '01', 'ten', `${2n ** 96n}`, 7, null, {}, ['1']];
const ADDRESSES = ['', '0x12', `0x${'g'.repeat(40)}`, '1'.repeat(40), 7, null, {}, []];
const HASHES = ['', '0x12', `0x${'g'.repeat(64)}`, ESCROW, 7, null, {}, []];
const CHAINS = ['42431', 0, -1, 1.5, Number.MAX_VALUE, null, {}, []];
const OBJECTS = ['', 7, null, []];

describe('a malformed challenge is refused by the name of its field, and nothing is signed', () => {
  it.each([
    ['amount', [...AMOUNTS, undefined, '0']],
    ['currency', [...ADDRESSES, undefined]],
    ['recipient', [...ADDRESSES, undefined]],
    ['suggestedDeposit', AMOUNTS],
  ])('request.%s', async (field, values) => {
    for (const value of values) {
      const error = await refusalOf(challengeHeader(request({}, { [field]: value })));
      expect([error.code, error.message]).toEqual(['challenge_malformed', expect.stringContaining(`request.${field}`)]);
    }
  });

  it.each([
    ['chainId', [...CHAINS, undefined], 'challenge_malformed'],
    ['escrowContract', ADDRESSES, 'challenge_malformed'],
    ['channelId', HASHES, 'challenge_malformed'],
    ['acceptedCumulative', AMOUNTS, 'challenge_malformed'],
    ['spent', AMOUNTS, 'challenge_malformed'],
    ['deposit', AMOUNTS, 'challenge_malformed'],
    ['requiredCumulative', AMOUNTS, 'challenge_malformed'],
    ['sessionSnapshot', OBJECTS, 'challenge_malformed'],
  ])('request.methodDetails.%s', async (field, values, code) => {
    for (const value of values) {
      const error = await refusalOf(challengeHeader(request({ [field]: value })));
      expect([error.code, error.message]).toEqual([code, expect.stringContaining(`methodDetails.${field}`)]);
    }
  });

  it.each([
    ['acceptedCumulative', AMOUNTS],
    ['chainId', CHAINS],
    ['channelId', HASHES],
    ['deposit', AMOUNTS],
    ['descriptor', OBJECTS],
    ['escrow', ADDRESSES],
    ['requiredCumulative', AMOUNTS],
    ['settled', AMOUNTS],
    ['spent', AMOUNTS],
    ['highestVoucher', OBJECTS],
  ])('sessionSnapshot.%s', async (field, values) => {
    for (const value of values) {
      const sessionSnapshot = await snapshot({ [field]: value });
      const error = await refusalOf(challengeHeader(request({ sessionSnapshot })));
      expect([error.code, error.message]).toEqual(['challenge_malformed', expect.stringContaining(`.${field}`)]);
    }
  });

  it.each(Object.keys(descriptorOf()))('sessionSnapshot.descriptor.%s', async (field) => {
    for (const value of ['', '0x12', 7, null, undefined]) {
      const sessionSnapshot = await snapshot({ descriptor: { ...descriptorOf(), [field]: value } });
      const error = await refusalOf(challengeHeader(request({ sessionSnapshot })));
      expect([error.code, error.message]).toEqual([
        'challenge_malformed',
        expect.stringContaining(`descriptor.${field}`),
      ]);
    }
  });

  it.each(['channelId', 'cumulativeAmount', 'signature'])('sessionSnapshot.highestVoucher.%s', async (field) => {
    for (const value of ['', '0x1', 'zz', 7, null, undefined]) {
      const sessionSnapshot = await snapshot({ highestVoucher: { ...(await shownVoucher(ID, 30n)), [field]: value } });
      const error = await refusalOf(challengeHeader(request({ sessionSnapshot })));
      expect([error.code, error.message]).toEqual([
        'challenge_malformed',
        expect.stringContaining(`highestVoucher.${field}`),
      ]);
    }
  });

  it.each([
    ['no request', 'Payment id="1", realm="r", method="tempo", intent="session"'],
    ['a request that is no base64url', 'Payment id="1", realm="r", method="tempo", intent="session", request="%%"'],
    ['no id', challengeHeader(request()).replace(/id="[^"]*", /, '')],
    ['a time that is none', challengeHeader(request()).concat(', expires="soon"')],
    ['a credential header of its own choice', challengeHeader(request()).concat(', header="Cookie"')],
    ['details that are none', challengeHeader(request({}, { methodDetails: 'v2' }))],
  ])('with %s', async (_what, header) => {
    expect((await refusalOf(header)).code).toBe('challenge_malformed');
  });

  it('of two channels at once', async () => {
    const header = challengeHeader(request({ channelId: `0x${'ee'.repeat(32)}`, sessionSnapshot: await snapshot() }));
    expect((await refusalOf(header)).code).toBe('challenge_malformed');
  });
});

describe('what this client does not pay', () => {
  it.each([
    ['another session protocol', request({ sessionProtocol: 'v1' }), 'unsupported_session'],
    ['no session protocol', request({ sessionProtocol: undefined }), 'unsupported_session'],
    ['another escrow', request({ escrowContract: `0x${'12'.repeat(20)}` }), 'escrow_unknown'],
    ['another chain than its client is of', request({ chainId: 4217 }), 'wrong_chain'],
    ['a price over maxDeposit', request({}, { amount: '5001' }), 'over_max_deposit'],
  ])('%s', async (_what, asked, code) => {
    expect((await refusalOf(challengeHeader(asked))).code).toBe(code);
  });

  it.each([
    ['no challenge at all', undefined],
    ['other schemes', 'Bearer realm="api", Basic realm="x, y"'],
    ['another method', challengeHeader(request(), { method: 'stripe' })],
    ['another intent', challengeHeader(request(), { intent: 'charge' })],
  ])('%s: the 402 is handed over as it is', async (_what, header) => {
    const { pays, paid, records } = clientOf(header);
    expect((await pays('https://api.test/')).status).toBe(402);
    expect([paid, records]).toEqual([[], []]);
  });
});

describe('several challenges in one answer', () => {
  const session = challengeHeader(request(), { realm: 'a, Payment realm' });
  const charge = challengeHeader({ amount: '1' }, { intent: 'charge' });
  const flat = 'Payment id="1", method="solana", intent="charge", amount="0.01", realm="other"';
  it.each([
    ['before it', `Bearer realm="api", error="x, y", ${charge}, ${session}`],
    ['after it', `${session}, ${charge}, Basic realm="api"`],
    ['that mppx itself cannot read', `${flat}, ${session}`],
    ['of which one cannot be paid', `${challengeHeader(request({ chainId: 'x' }))}, ${session}`],
  ])('others %s are ignored', async (_where, header) => {
    const { pays, paid } = clientOf(header);
    expect((await pays('https://api.test/')).status).toBe(200);
    expect(paid.map((payment) => payment?.payload.action)).toEqual(['open']);
    expect(paid[0]?.challenge.realm).toBe('a, Payment realm');
  });
});
