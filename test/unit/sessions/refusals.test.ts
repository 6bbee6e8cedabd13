import { createHash } from 'node:crypto';
import { decodePaymentRequiredHeader } from '@x402/core/http';
import { validatePaymentRequired } from '@x402/core/schemas';
import { Challenge } from 'mppx';
import { afterEach, expect, test } from 'vitest';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { atxpCredential } from '../../../sandbox/payer/atxp.js';
import { FACILITATOR, FIXED, type Handler, jsonOf, METERED, PAYEE, sell, type World } from './support/world.js';

let world: World;
afterEach(() => world.close());

const serve: Handler = (req, res) => {
  req.paymentSession?.charge('10000');
  res.json({ ok: true });
};

test('without a payment the answer is 402 with the offer in all its protocols', async () => {
  world = await sell(serve);
  const answer = await fetch(`${world.url}/paid?page=2`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([402, 'application/json; charset=utf-8']);
  const url = `${world.url}/paid?page=2`;
  const terms = { scheme: 'exact', payTo: PAYEE, maxTimeoutSeconds: 3600 };
  const second = decodePaymentRequiredHeader(answer.headers.get('payment-required') ?? '');
  expect(validatePaymentRequired(second)).toEqual(second);
  expect(second).toMatchObject({
    x402Version: 2,
    resource: { url },
    accepts: [{ ...terms, network: 'eip155:8453', amount: '10000' }],
  });
  const first = await jsonOf(answer);
  expect(validatePaymentRequired(first)).toMatchObject({
    x402Version: 1,
    accepts: [{ ...terms, network: 'base', resource: url, maxAmountRequired: '10000' }],
  });
  // ATXP's client reads this one of the same body.
  expect(first.accepts).toEqual([expect.objectContaining({ amount: '10000' })]);
  const atxp = JSON.parse(answer.headers.get('x-atxp-payment-request') ?? '{}');
  expect(atxp).toMatchObject({
    paymentRequestUrl: 'https://auth.example/payment-request/request-1',
    chargeAmount: '0.01',
  });
  const [challenge] = Challenge.fromResponseList(new Response(null, { status: 402, headers: answer.headers }));
  expect(challenge).toMatchObject({
    method: 'tempo',
    intent: 'charge',
    request: { amount: '10000', recipient: PAYEE },
  });
  expect(Date.parse(challenge?.expires ?? '') - world.clock.ms).toBe(3_600_000);
});

test('a metered route offers no scheme that is all or nothing', async () => {
  world = await sell(serve, { sells: METERED });
  const answer = await fetch(`${world.url}/paid`);
  const { accepts } = await jsonOf(answer);
  expect(accepts).toEqual([expect.objectContaining({ scheme: 'upto', amount: '100000' })]);
  expect(accepts[0].extra.facilitatorAddress).toBe(FACILITATOR);
  const challenges = Challenge.fromResponseList(new Response(null, { status: 402, headers: answer.headers }));
  expect(challenges.map((challenge) => challenge.intent)).toEqual(['session']);
});

test('while the auth server is down the 402 still offers what needs no call', async () => {
  world = await sell(serve);
  world.auth.down = true;
  const answer = await fetch(`${world.url}/paid`);
  expect([answer.status, answer.headers.has('www-authenticate'), (await jsonOf(answer)).accepts.length]).toEqual([
    402,
    true,
    1,
  ]);
  expect(answer.headers.has('x-atxp-payment-request')).toBe(false);
});

test('while the auth server is down and every protocol needs it, the answer is 503 and not a 402 that nobody can pay', async () => {
  world = await sell(serve, { sells: METERED });
  world.auth.down = true;
  const answer = await fetch(`${world.url}/paid`);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
});

test('what the auth server once said of its schemes outlives its outage', async () => {
  world = await sell(serve, { sells: METERED });
  await fetch(`${world.url}/paid`);
  world.auth.down = true;
  expect((await fetch(`${world.url}/paid`)).status).toBe(402);
});

test('a payment that could not be verified is 503 with Retry-After, never a 402', async () => {
  world = await sell(serve);
  const credential = await world.credential();
  world.auth.verifies = 'unreachable';
  const answer = await world.buy({ credential });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(await jsonOf(answer)).toMatchObject({ status: 503, code: 'payment_unavailable', title: expect.any(String) });
  expect(world.ledger.opens).toHaveLength(0);
  world.auth.verifies = 'valid';
  expect((await world.buy({ credential })).status).toBe(200);
});

test('a metered credential is 503, not 402, while nobody has said how it is settled', async () => {
  world = await sell(serve, { sells: METERED });
  const credential = await world.credential({ protocol: 'x402' });
  const other = await sell(serve, { sells: METERED });
  try {
    other.auth.down = true;
    expect((await fetch(`${other.url}/paid`, { headers: credential.headers })).status).toBe(503);
  } finally {
    await other.close();
  }
});

test('a payment that the auth server refuses is 402 with a fresh offer', async () => {
  world = await sell(serve);
  const credential = await world.credential();
  world.auth.verifies = 'invalid';
  const answer = await world.buy({ credential });
  expect([answer.status, (await jsonOf(answer)).error]).toEqual([402, 'the auth server did not accept the credential']);
  expect(world.ledger.opens).toHaveLength(0);
});

test('a used credential is 409 credential_already_used', async () => {
  world = await sell(serve);
  const credential = await world.credential();
  await world.buy({ credential });
  const answer = await world.buy({ credential });
  expect([answer.status, (await jsonOf(answer)).code]).toEqual([409, 'credential_already_used']);
});

test('a used credential is 409, not a demand to pay again, when the auth server refuses it because it has been settled', async () => {
  world = await sell(serve);
  const credential = await world.credential();
  await world.buy({ credential });
  world.auth.verifies = 'invalid';
  const answer = await world.buy({ credential });
  expect([answer.status, (await jsonOf(answer)).code]).toEqual([409, 'credential_already_used']);
  world.ledger.closeStateDown = true;
  expect((await world.buy({ credential })).status).toBe(503);
});

test('of fifty requests with one credential at once, one is served', async () => {
  world = await sell(serve);
  const credential = await world.credential();
  const answers = await Promise.all(Array.from({ length: 50 }, () => world.buy({ credential })));
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
  expect(answers.filter((answer) => answer.status === 409)).toHaveLength(49);
});

test('a payer with an uncollectable charge is told so with a 402', async () => {
  world = await sell(serve);
  world.ledger.openAnswers.push('payer_uncollectable');
  const answer = await world.buy();
  expect([answer.status, (await jsonOf(answer)).error]).toEqual([402, expect.stringContaining('payer_uncollectable')]);
});

test.each(['exposure_payer', 'exposure_total'] as const)(
  '%s above its limit is 429 with Retry-After',
  async (outcome) => {
    world = await sell(serve, { sells: { ...FIXED, exposure: { perPayer: '20000', total: '50000' } } });
    world.ledger.openAnswers.push(outcome);
    const answer = await world.buy();
    expect([answer.status, answer.headers.get('retry-after'), (await jsonOf(answer)).code]).toEqual([
      429,
      '5',
      'exposure_exceeded',
    ]);
    expect(world.ledger.opens[0]).toMatchObject({ exposure: { perPayer: '20000', total: '50000' }, route: '/paid' });
  },
);

test('above the limit a route may settle first instead', async () => {
  world = await sell(serve, { sells: { ...FIXED, exposure: { total: '10000', over: 'settle-first' } } });
  world.ledger.openAnswers.push('exposure_total');
  let settled = 0;
  world.settleNow = () => {
    settled += 1;
    return Promise.resolve('settled');
  };
  expect((await world.buy()).status).toBe(200);
  expect([settled, world.ledger.opens.map((open) => open.exposure)]).toEqual([1, [{ total: '10000' }, {}]]);
});

test('where credit is limited per payer, an ATXP token whose account nobody confirms gets none: it is settled first', async () => {
  world = await sell(serve, { sells: { ...FIXED, exposure: { perPayer: '10000' } } });
  let settled = 0;
  world.settleNow = () => {
    settled += 1;
    return Promise.resolve('settled');
  };
  const credential = atxpCredential({ account: payerAccount('alice'), token: 'bearer' });
  expect((await world.buy({ credential })).status).toBe(200);
  const token = `atxp:${createHash('sha256').update('bearer').digest('hex')}`;
  expect([settled, world.ledger.only().session.payer]).toEqual([1, token]);
  world.auth.payer = 'atxp_acct_alice';
  expect((await world.buy({ protocol: 'atxp' })).status).toBe(200);
  expect([settled, [...world.ledger.rows.values()].at(-1)?.session.payer]).toEqual([1, 'atxp_acct_alice']);
});

test('a lost lease and a ledger that is down are 503', async () => {
  world = await sell(serve);
  world.ledger.openAnswers.push('lease_lost', 'reject');
  expect((await world.buy()).status).toBe(503);
  expect((await world.buy()).status).toBe(503);
  expect(world.ledger.rows.size).toBe(0);
});

test('no answer and no log line ever repeats the credential', async () => {
  world = await sell(serve);
  const canary = 'canary-bearer-token';
  const credential = atxpCredential({ account: payerAccount('alice'), token: canary });
  const seen: string[] = [];
  const statuses: number[] = [];
  const buy = async () => {
    const answer = await world.buy({ credential });
    statuses.push(answer.status);
    seen.push(JSON.stringify([...answer.headers]), await answer.text());
  };
  // While nobody has used it: of a used credential the ledger says so, whether it can be verified or not.
  for (const verdict of ['unreachable', 'invalid', 'valid'] as const) {
    world.auth.verifies = verdict;
    await buy();
  }
  for (const answer of ['identity_used', 'payer_uncollectable', 'reject'] as const) {
    world.ledger.openAnswers.push(answer);
    await buy();
  }
  expect(statuses).toEqual([503, 402, 200, 409, 402, 503]);
  expect([...seen, ...world.logged].join('\n')).not.toContain(canary);
});
