import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount, payerOnLedger } from '../../../sandbox/payer/account.js';
import {
  alice,
  atxpBody,
  challenge,
  exactAccept,
  mppBody,
  NOW,
  post,
  uptoAccept,
  x402Body,
} from '../../support/sandbox-bodies.js';

let sandbox: AuthServerSandbox;
const clock = { at: NOW, nowMs: () => clock.at };

beforeEach(async () => {
  clock.at = NOW;
  sandbox = await startAuthServerSandbox({ clock, checkSignatures: true });
});
afterEach(() => sandbox.close());

const settle = (protocol: string, body: unknown) => post(`${sandbox.url}/settle/${protocol}`, body);
const verify = (protocol: string, body: unknown) => post(`${sandbox.url}/verify/${protocol}`, body);
const under = (key: string) => ({ headers: { 'Idempotency-Key': key } });
const error = (answer: { json: Record<string, unknown> }) => (answer.json.error as { code: string } | undefined)?.code;

const refusals: readonly (readonly [string, string, () => Promise<unknown>, string])[] = [
  ['x402 exact with an override', 'x402', () => x402Body({ override: '3000' }), 'override_not_allowed'],
  [
    'x402 upto over its maximum',
    'x402',
    () => x402Body({ accept: uptoAccept, override: '10001' }),
    'amount_exceeds_cap',
  ],
  ['x402 with another value signed', 'x402', () => x402Body({ value: '9999' }), 'amount_mismatch'],
  [
    'x402 for another payee',
    'x402',
    () => x402Body({ requirements: { ...exactAccept, payTo: alice.wallet.address } }),
    'requirements_mismatch',
  ],
  ['x402 for another scheme', 'x402', () => x402Body({ requirements: uptoAccept }), 'requirements_mismatch'],
  [
    'x402 with a raw payload',
    'x402',
    async () => ({ payload: { raw: 'x' }, paymentRequirements: exactAccept }),
    'invalid_request',
  ],
  ['MPP charge with an override', 'mpp', () => mppBody({ override: '1' }), 'override_not_allowed'],
  ['ATXP in exponent form', 'atxp', async () => atxpBody({ amount: '1e-2' }), 'invalid_request'],
  ['ATXP without options', 'atxp', async () => ({ ...atxpBody(), options: [] }), 'invalid_request'],
  ['no JSON', 'atxp', async () => '{', 'invalid_request'],
  ['an unknown protocol', 'cash', async () => ({}), 'invalid_request'],
];

describe('a settle', () => {
  it.each([
    ['atxp', () => atxpBody({ amount: '0.003' }), '0.003', '3000'],
    ['x402', () => x402Body(), '10000', '10000'],
    ['x402', () => x402Body({ accept: uptoAccept, override: '3000' }), '3000', '3000'],
    ['mpp', () => mppBody(), '10000', '10000'],
    ['mpp', () => mppBody({ challenge: challenge('session'), override: '3000' }), '3000', '3000'],
  ] as const)('of %s debits once and then says alreadySettled', async (protocol, make, settledAmount, atomic) => {
    const body = await make();
    const first = await settle(protocol, body);
    expect(first).toMatchObject({
      status: 200,
      json: { settledAmount, txHash: expect.stringMatching(/^0x[0-9a-f]{64}$/) },
    });
    const again = await settle(protocol, body);
    expect(again).toMatchObject({ status: 200, json: { txHash: null, settledAmount, alreadySettled: true } });
    expect(sandbox.ledger().totals).toEqual({ debits: 1, debited: atomic });
    expect(sandbox.calls().totals).toMatchObject({ settleCalls: 2, keysWithDifferingBodies: 0 });
  });

  it('never debits twice when forty calls of one key come at once', async () => {
    const body = await x402Body();
    const answers = await Promise.all(Array.from({ length: 40 }, () => settle('x402', body)));
    expect(answers.filter(({ json }) => typeof json.txHash === 'string')).toHaveLength(1);
    expect(sandbox.ledger().totals).toEqual({ debits: 1, debited: '10000' });
  });

  it('knows one authorization again in other bytes, in the other version and under another request id', async () => {
    const nonce = `0x${'ab'.repeat(32)}` as const;
    await settle('x402', await x402Body({ nonce }));
    const other = await settle('x402', await x402Body({ nonce, layout: 'reversed' }));
    expect(other.json).toMatchObject({ alreadySettled: true });
    const v1 = { ...exactAccept, network: 'base-sepolia', maxAmountRequired: '10000', amount: undefined };
    const older = await settle('x402', await x402Body({ nonce, version: 1, requirements: v1 }));
    expect(older.json).toMatchObject({ alreadySettled: true });
    const renamed = await settle('x402', await x402Body({ nonce, requestId: 'pr_other' }));
    expect([renamed.status, error(renamed)]).toEqual([409, 'authorization_used']);
    expect(sandbox.ledger().totals.debits).toBe(1);
  });

  it('counts ATXP by payment request id: one token may pay two requests, one request is paid once', async () => {
    const token = 'one-token';
    const one = await settle('atxp', atxpBody({ token, requestId: 'pr_1' }));
    const two = await settle('atxp', atxpBody({ token, requestId: 'pr_2' }));
    const again = await settle('atxp', atxpBody({ requestId: 'pr_2' }));
    expect([one.json.alreadySettled, two.json.alreadySettled, again.json.alreadySettled]).toEqual([
      undefined,
      undefined,
      true,
    ]);
  });

  it('never pays more out of a channel than its voucher vouches for', async () => {
    const channelId = `0x${'0c'.repeat(32)}` as const;
    const session = challenge('session');
    const use = (cumulativeAmount: string, override: string) =>
      mppBody({ challenge: session, channelId, cumulativeAmount, override }).then((body) => settle('mpp', body));
    expect((await use('10000', '10000')).status).toBe(200);
    expect(error(await use('15000', '5001'))).toBe('amount_exceeds_voucher');
    expect((await use('15000', '5000')).status).toBe(200);
    expect((await use('15001', '0')).json).toMatchObject({ settledAmount: '0' });
    expect(sandbox.ledger().totals).toEqual({ debits: 3, debited: '15000' });
  });

  it.each(refusals)('of %s is refused with 400 and moves nothing', async (_name, protocol, make, code) => {
    const answer = await settle(protocol, await make());
    expect([answer.status, error(answer)]).toEqual([400, code]);
    expect(sandbox.ledger().totals.debits).toBe(0);
  });

  it('after the validity is refused as expired; a channel is still closed then', async () => {
    const exact = await x402Body();
    const charge = await mppBody();
    const session = await mppBody({ challenge: challenge('session'), override: '0' });
    clock.at = NOW + 3600_000;
    for (const [protocol, body] of [
      ['x402', exact],
      ['mpp', charge],
    ] as const) {
      const answer = await settle(protocol, body);
      expect([answer.status, error(answer)]).toEqual([400, 'credential_expired']);
    }
    expect((await settle('mpp', session)).status).toBe(200);
  });

  it('one millisecond before the validity ends still moves the money', async () => {
    const body = await x402Body();
    clock.at = NOW + 3600_000 - 1;
    expect((await settle('x402', body)).status).toBe(200);
  });

  it('of a payer without the money is refused with 402, and works once the money is there', async () => {
    const payer = payerOnLedger(alice, 'x402');
    await sandbox.setBalance(payer, 9_999n);
    const body = await x402Body();
    const answer = await settle('x402', body);
    expect([answer.status, error(answer)]).toEqual([402, 'insufficient_funds']);
    await sandbox.setBalance(payer, 10_000n);
    expect((await settle('x402', body)).status).toBe(200);
    expect(sandbox.ledger().payers[payer]).toEqual({ debits: 1, debited: '10000', balance: '0' });
  });

  it('of a forged authorization is refused', async () => {
    const body = await x402Body({ account: payerAccount('mallory') });
    const forged = JSON.stringify(body).replace(payerAccount('mallory').wallet.address, alice.wallet.address);
    expect(error(await settle('x402', forged))).toBe('invalid_signature');
  });
});

describe('a verify', () => {
  it('never changes anything, and says why it says no', async () => {
    const body = await x402Body();
    for (let times = 0; times < 3; times += 1) {
      expect((await verify('x402', body)).json).toEqual({ valid: true, payer: payerOnLedger(alice, 'x402') });
    }
    expect(sandbox.ledger().debits).toEqual([]);
    expect(sandbox.calls().keys).toEqual([]);
    await settle('x402', body);
    expect((await verify('x402', body)).json).toEqual({ valid: false, invalidReason: 'authorization_used' });
    clock.at += 3600_000;
    expect((await verify('x402', await x402Body())).json).toEqual({
      valid: false,
      invalidReason: 'credential_expired',
    });
  });

  it('judges the whole maximum, a settle only what was spent', async () => {
    await sandbox.setBalance(payerOnLedger(alice, 'x402'), 5_000n);
    const verified = await verify('x402', await x402Body({ accept: uptoAccept }));
    expect(verified.json).toEqual({ valid: false, invalidReason: 'insufficient_funds' });
    expect((await settle('x402', await x402Body({ accept: uptoAccept, override: '5000' }))).status).toBe(200);
  });
});

describe('what the sandbox counts', () => {
  it('shows a key that came with two bodies', async () => {
    await settle('atxp', atxpBody({ token: 't', amount: '0.01' }));
    await settle('atxp', atxpBody({ token: 't', amount: '0.02' }));
    const { keys, totals } = sandbox.calls();
    expect(totals.keysWithDifferingBodies).toBe(1);
    expect(Object.values(keys[0]!.bodies)).toEqual([1, 1]);
  });

  it('shows a payment that came under two Idempotency-Key headers', async () => {
    const body = atxpBody({ token: 't' });
    await post(`${sandbox.url}/settle/atxp`, body, under('one'));
    await post(`${sandbox.url}/settle/atxp`, body, under('one'));
    expect(sandbox.calls().totals.keysWithDifferingHeaders).toBe(0);
    await post(`${sandbox.url}/settle/atxp`, body, under('two'));
    expect(sandbox.calls().totals.keysWithDifferingHeaders).toBe(1);
    expect(sandbox.calls().keys[0]?.idempotencyKeys).toEqual({ one: 2, two: 1 });
  });

  it('shows calls of one key that were under way at once, and how many in all', async () => {
    sandbox.setFaults([{ kinds: ['slow'], ms: 60 }]);
    const body = atxpBody({ token: 'same' });
    await Promise.all([settle('atxp', body), settle('atxp', body), settle('atxp', atxpBody())]);
    const { keys, totals } = sandbox.calls();
    expect(keys.map(({ overlaps, maxInProgress }) => [overlaps, maxInProgress])).toEqual([
      [1, 2],
      [0, 1],
    ]);
    expect(totals).toMatchObject({ overlaps: 1, maxInProgress: 3, inProgress: 0 });
  });

  it('does not call it an overlap when one call follows the other', async () => {
    const body = atxpBody({ token: 'same' });
    await settle('atxp', body);
    await settle('atxp', body);
    expect(sandbox.calls().totals).toMatchObject({
      settleCalls: 2,
      overlaps: 0,
      settlesPerSecond: { [NOW / 1000]: 2 },
    });
  });
});

describe('the other routes', () => {
  it('issue payment request ids and name what is supported', async () => {
    const one = await post(`${sandbox.url}/payment-request`, { options: [] });
    const two = await post(`${sandbox.url}/payment-request`, { options: [] });
    expect(one.json.id).not.toBe(two.json.id);
    const x402 = (await (await fetch(`${sandbox.url}/x402/supported`)).json()) as Record<string, string>;
    expect(x402['eip155:84532']).toBe(uptoAccept.extra?.facilitatorAddress);
    expect(await (await fetch(`${sandbox.url}/mpp/supported`)).json()).toMatchObject({
      tempo: { chainId: 42431 },
      solana: null,
    });
  });
});
