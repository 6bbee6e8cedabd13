import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FaultKind } from '../../../sandbox/auth-server/faults.js';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { atxpBody, challenge, mppBody, post } from '../../support/sandbox-bodies.js';

let sandbox: AuthServerSandbox;
beforeEach(async () => {
  sandbox = await startAuthServerSandbox();
});
afterEach(() => sandbox.close());

const settle = (body: unknown = atxpBody(), init: RequestInit = {}) => post(`${sandbox.url}/settle/atxp`, body, init);
const control = (method: string, path: string, body?: unknown) =>
  post(`${sandbox.url}/_sandbox/${path}`, body ?? {}, { method });

describe('a fault that answers instead of the auth server', () => {
  it.each([
    ['server_error', (status: number) => [500, 502, 503, 504].includes(status), /"error"/],
    ['refused', (status: number) => status === 400, /"code":"invalid_credential"/],
    ['refused_unrecognised', (status: number) => status === 400, /^no$/],
    ['http_401', (status: number) => status === 401, /"error"/],
    ['http_403', (status: number) => status === 403, /"error"/],
    ['http_404', (status: number) => status === 404, /"error"/],
    ['html_200', (status: number) => status === 200, /<html>/],
    ['html_404', (status: number) => status === 404, /<html>/],
    ['redirect', (status: number) => status === 307, /Redirect/],
    ['rate_limited', (status: number) => status === 429, /"rate_limited"/],
  ] as const)('%s strikes as often as it was asked to, and moves nothing', async (kind, expected, text) => {
    sandbox.setFaults([{ kinds: [kind], times: 2 }]);
    const body = atxpBody();
    for (let times = 0; times < 2; times += 1) {
      const answer = await settle(body);
      expect(answer.status).toSatisfy(expected);
      expect(answer.text).toMatch(text);
    }
    expect(sandbox.ledger().totals.debits).toBe(0);
    expect((await settle(body)).json).toMatchObject({ txHash: expect.any(String) });
    expect(sandbox.faults()).toEqual([]);
  });

  it('429 says when to come back', async () => {
    sandbox.setFaults([{ kinds: ['rate_limited'], retryAfterSeconds: 7 }]);
    expect((await settle()).headers.get('retry-after')).toBe('7');
  });
});

describe('a fault that hides what happened', () => {
  const silent: readonly (readonly [FaultKind, number])[] = [
    ['reset_before_commit', 0],
    ['reset_after_commit', 1],
    ['hang_before_commit', 0],
    ['hang_after_commit', 1],
  ];
  it.each(silent)('%s gives no answer and leaves %d debit', async (kind, debits) => {
    sandbox.setFaults([{ kinds: [kind], times: 1, ms: 20 }]);
    const body = atxpBody();
    await expect(settle(body)).rejects.toThrow(/fetch failed|terminated/);
    expect(sandbox.ledger().totals.debits).toBe(debits);
    expect((await settle(body)).json.alreadySettled).toBe(debits === 1 ? true : undefined);
    expect(sandbox.ledger().totals.debits).toBe(1);
  });

  it('a hang ends when the caller gives up, and is not at work any longer', async () => {
    sandbox.setFaults([{ kinds: ['hang_after_commit'], times: 1 }]);
    const body = atxpBody();
    await expect(settle(body, { signal: AbortSignal.timeout(50) })).rejects.toThrow('aborted');
    await expect.poll(() => sandbox.calls().totals.inProgress).toBe(0);
    await settle(body);
    expect(sandbox.calls().totals.overlaps).toBe(0);
  });

  it('server_error_after_commit and invalid_json hide a debit behind an answer', async () => {
    sandbox.setFaults([{ kinds: ['server_error_after_commit'], times: 1 }]);
    expect((await settle()).status).toBeGreaterThanOrEqual(500);
    sandbox.setFaults([{ kinds: ['invalid_json'], times: 1 }]);
    const cut = await settle();
    expect(cut.status).toBe(200);
    expect(() => JSON.parse(cut.text) as unknown).toThrow(SyntaxError);
    expect(sandbox.ledger().totals.debits).toBe(2);
  });

  it('slow answers late, and settles even when the caller has gone; meanwhile another call overlaps', async () => {
    sandbox.setFaults([{ kinds: ['slow'], times: 1, ms: 150 }]);
    const body = atxpBody();
    await expect(settle(body, { signal: AbortSignal.timeout(30) })).rejects.toThrow('aborted');
    expect(sandbox.ledger().totals.debits).toBe(0);
    await expect.poll(() => sandbox.ledger().totals.debits).toBe(1);
    expect((await settle(body)).json.alreadySettled).toBe(true);
  });

  it('a sandbox that closes does not commit behind its back', async () => {
    sandbox.setFaults([{ kinds: ['slow'], ms: 3_600_000 }]);
    const call = settle();
    await expect.poll(() => sandbox.calls().totals.inProgress).toBe(1);
    await Promise.all([expect(call).rejects.toThrow('fetch failed'), sandbox.close()]);
    expect(sandbox.ledger().totals.debits).toBe(0);
  });
});

describe('whom a rule strikes', () => {
  it('only the protocols and calls it names', async () => {
    sandbox.setFaults([{ kinds: ['server_error'], protocols: ['mpp'], on: ['verify'] }]);
    expect((await settle()).status).toBe(200);
    expect((await post(`${sandbox.url}/verify/mpp`, await mppBody())).status).toBeGreaterThanOrEqual(500);
    expect((await post(`${sandbox.url}/verify/atxp`, atxpBody())).json.valid).toBe(true);
  });

  it('the same calls in the same order meet the same faults again under the same seed', async () => {
    const rules = [{ kinds: ['server_error', 'html_404', 'rate_limited'] as FaultKind[], probability: 0.3 }];
    const run = async (seed: number) => {
      sandbox.setFaults(rules, seed);
      const statuses: number[] = [];
      for (let call = 0; call < 60; call += 1) statuses.push((await settle()).status);
      return statuses;
    };
    const first = await run(7);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
    const failed = first.filter((status) => status !== 200).length;
    expect(failed).toBeGreaterThan(6);
    expect(failed).toBeLessThan(30);
  });

  it('down refuses everything of a protocol with 503, and nothing else', async () => {
    await control('PUT', 'down', { down: true, protocols: ['atxp'] });
    expect((await settle()).status).toBe(503);
    expect((await post(`${sandbox.url}/verify/atxp`, atxpBody())).status).toBe(503);
    expect((await post(`${sandbox.url}/settle/mpp`, await mppBody({ challenge: stillOpen() }))).status).toBe(200);
    await control('PUT', 'down', { down: true });
    expect((await fetch(`${sandbox.url}/x402/supported`)).status).toBe(503);
    await control('DELETE', 'faults');
    expect((await settle()).status).toBe(200);
  });
});

const stillOpen = () => challenge('charge', new Date(Date.now() + 60_000).toISOString());

describe('the control API', () => {
  it('sets, shows and clears faults, balances and the ledger', async () => {
    await control('PUT', 'faults', { rules: [{ kinds: ['refused'], times: 3 }], seed: 5 });
    const shown = await (await fetch(`${sandbox.url}/_sandbox/faults`)).json();
    expect(shown).toMatchObject({ rules: [{ kinds: ['refused'], times: 3 }], down: [] });
    await control('DELETE', 'faults');
    await control('PUT', 'accounts', { payer: 'atxp_acct_alice', balance: '10000' });
    expect((await settle()).status).toBe(200);
    expect((await settle()).status).toBe(402);
    const ledger = await (await fetch(`${sandbox.url}/_sandbox/ledger`)).json();
    expect(ledger).toMatchObject({
      debits: [{ amount: '10000', payer: 'atxp_acct_alice' }],
      payers: { atxp_acct_alice: { debits: 1, debited: '10000', balance: '0' } },
      totals: { debits: 1, debited: '10000' },
    });
    const calls = await (await fetch(`${sandbox.url}/_sandbox/calls`)).json();
    expect(calls).toMatchObject({ totals: { settleCalls: 2 } });
    await control('POST', 'reset');
    expect(sandbox.ledger().debits).toEqual([]);
    expect((await settle()).status).toBe(200);
  });

  it.each([
    ['faults', { rules: [{ kinds: ['explode'] }] }],
    ['faults', { rules: [{ kinds: ['slow'], probabilty: 1 }] }],
    ['down', { down: 'yes' }],
    ['dead', {}],
    ['accounts', { payer: 'a', balance: '-1' }],
    ['accounts', '{'],
  ])('refuses a misspelt switch of %s instead of ignoring it', async (path, body) => {
    const answer = await control('PUT', path, body);
    expect([answer.status, (answer.json.error as { code: string }).code]).toEqual([400, 'invalid_request']);
  });

  it('dead closes the socket and comes back with the same ledger on the same port', async () => {
    await settle();
    expect((await control('PUT', 'dead', { forMs: 150 })).status).toBe(200);
    await expect
      .poll(() =>
        settle().then(
          () => 'answered',
          (error: Error) => (error.cause as NodeJS.ErrnoException)?.code,
        ),
      )
      .toBe('ECONNREFUSED');
    await expect
      .poll(
        () =>
          settle().then(
            () => 'answered',
            () => 'refused',
          ),
        { timeout: 3000 },
      )
      .toBe('answered');
    expect(sandbox.ledger().totals.debits).toBe(2);
  });
});
