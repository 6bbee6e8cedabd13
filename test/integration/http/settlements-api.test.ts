import { describe, expect, it } from 'vitest';
import { type Answered, startApi, summary, TOKENS } from '../../support/api.js';
import { openTestLedger } from '../../support/ledger-fixtures.js';
import {
  ATXP_TOKEN,
  atxp,
  base64,
  mppCharge,
  mppSession,
  NONCE,
  x402upto,
  x402v2,
} from '../../support/sessions/credentials.js';
import { settlementsApiForFile } from '../../support/settlements/settlements-api.js';

const { api, ledger, nonce, post, read, request } = await settlementsApiForFile();

describe('taking a settlement over', () => {
  it('answers 202 with all that the contract names, durable and on its way', async () => {
    const { status, body } = await post(request({ key: 'order-a' }));
    expect(status).toBe(202);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      key: 'order-a',
      status: 'pending',
      certainty: 'not_sent',
      protocol: 'x402',
      spent: { amount: '3000', asset: '0xusdc', decimals: 6 },
      cap: '10000',
      attempts: 0,
      next_retry_at: null,
      delivery: null,
      answer: null,
      attention: null,
      workflow_id: `settlement/${body.id}`,
      tx_hash: null,
      already_settled: false,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      settled_at: null,
    });
    expect(api.dispatched).toEqual([body.id]);
    expect((await read(`/${body.id}`)).body).toEqual(body);
  });

  it('sends the amount that was spent, byte for byte as it is frozen', async () => {
    const { body } = await post(request());
    const { claimed } = await ledger.claimSettlements([body.id], 'test', 60_000);
    expect(JSON.parse(claimed[0]?.body ?? '')).toMatchObject({ settlementOverrides: { amount: '3000' } });
  });

  it('books a credential that cannot be metered as a whole, as it will be collected', async () => {
    const { body } = await post(request({ credential: x402v2({ nonce: nonce(), validBefore: '1990000000' }) }));
    expect([body.spent.amount, body.cap]).toEqual(['10000', '10000']);
  });

  it('takes our account where an ATXP request names none, and the one it names otherwise', async () => {
    for (const [given, expected] of [
      [undefined, 'atxp_acct_ours'],
      ['atxp_acct_theirs', 'atxp_acct_theirs'],
    ]) {
      const { body } = await post(
        request({
          protocol: 'atxp',
          credential: atxp(),
          context: { paymentRequestId: `${nonce()}-${given}`, destinationAccountId: given },
        }),
      );
      const { claimed } = await ledger.claimSettlements([body.id], 'test', 60_000);
      expect(JSON.parse(claimed[0]?.body ?? '')).toMatchObject({ destinationAccountId: expected });
    }
  });

  it('takes an expired credential: one last attempt is made with it', async () => {
    const { status, body } = await post(request({ credential: x402upto({ nonce: nonce(), deadline: '1740672154' }) }));
    expect([status, body.status]).toEqual([202, 'pending']);
  });

  it.each([
    ['no JSON at all', 'x402', 'garbage!!'],
    ['another protocol’s', 'mpp', base64(x402v2())],
    ['an object without anything', 'x402', { hello: 'world' }],
    ['longer than any real one', 'x402', 'A'.repeat(100_000)],
  ])('keeps an undecodable credential (%s) for a person', async (_what, protocol, credential) => {
    const json = request({ protocol, credential });
    const { status, body } = await post(json);
    expect([status, body.status, body.attention?.reason]).toEqual([202, 'needs_attention', 'credential_undecodable']);
    expect(body.key).toMatch(/^undecodable:[0-9a-f]{64}$/);
    expect((await post(json)).body.id).toBe(body.id);
  });

  it('answers 422 where a voucher does not cover what its channel owes already as well, and stores nothing of it', async () => {
    const voucher = (channelId: string, cumulativeAmount: string, amount = '10000') =>
      post(
        request({
          protocol: 'mpp',
          credential: mppSession({ channelId, cumulativeAmount }),
          spent: { amount, asset: '0xusdc', decimals: 6 },
        }),
      );
    const [owing, other] = [nonce('1'), nonce('2')];
    expect((await voucher(owing, '10000')).status).toBe(202);
    // It covers its own charge, and not what is owed beside it.
    const short = await voucher(owing, '19999');
    expect(summary(short)).toEqual([422, 'spent_over_cap']);
    expect(short.body.detail).toContain('ask the payer for a higher voucher');
    expect(api.dispatched).toHaveLength(1);
    expect((await voucher(other, '10000')).status).toBe(202);
    // Nothing of the refusal is kept: the same voucher for less, and a higher one, are taken.
    expect((await voucher(owing, '19999', '9999')).status).toBe(202);
    expect((await voucher(owing, '29999')).status).toBe(202);
    expect(summary(await voucher(owing, '30000', '2'))).toEqual([422, 'spent_over_cap']);
    expect(api.dispatched).toHaveLength(4);
  });

  it.each([
    ['a top-up', mppSession({ action: 'topUp', cumulativeAmount: undefined, transaction: '0x76ab' })],
    ['a top-up without its transaction', mppSession({ action: 'topUp' })],
    ['a close', mppSession({ action: 'close' })],
    ['a close that calls itself a charge', { ...mppCharge(), payload: { action: 'close', cumulativeAmount: '30000' } }],
    ['an action that nobody knows', mppSession({ action: 'borrow' })],
    ['an action that is no word', mppSession({ action: 7 })],
  ])('refuses %s, which pays for nothing, and says what to post instead', async (_what, credential) => {
    const before = (await read('?protocol=mpp&limit=200')).text;
    for (const amount of ['0', '3000'])
      for (const wire of [credential, base64(credential), `Payment ${base64(credential)}`]) {
        const json = request({ protocol: 'mpp', credential: wire, spent: { amount, asset: '0xusdc', decimals: 6 } });
        const refused = await post(json);
        expect(summary(refused)).toEqual([400, 'invalid_request']);
        expect(refused.body.errors).toMatchObject([{ pointer: '/credential' }]);
        expect(refused.body.detail).toContain('Post the credential of the open or voucher');
      }
    expect(api.dispatched).toEqual([]);
    expect((await read('?protocol=mpp&limit=200')).text).toBe(before);
  });

  it('counts what several vouchers of a channel owe also when they come at once', async () => {
    const channelId = nonce('3');
    const answers = await Promise.all(
      [0, 1, 2, 3, 4].map((more) =>
        post(
          request({
            protocol: 'mpp',
            credential: mppSession({ channelId, cumulativeAmount: `${10_000 + more}` }),
            spent: { amount: '10000', asset: '0xusdc', decimals: 6 },
          }),
        ),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 422, 422, 422, 422]);
  });

  it('never shows the credential again, neither in an answer nor in the log', async () => {
    const { body } = await post(
      request({ protocol: 'atxp', credential: atxp(), context: { paymentRequestId: nonce() } }),
    );
    const answers = [await read(`/${body.id}`), await read('?limit=200')].map(({ text }) => text);
    expect([...answers, ...api.logged].join('\n')).not.toContain(ATXP_TOKEN);
  });

  it('needs AUTH_SERVER_URL: without it 503, and nothing is stored; reading goes on', async () => {
    const bare = await startApi({ ledger: ledger, authServer: undefined });
    try {
      const before = (await read('?limit=200')).body.items.length;
      const refused = await bare.send('/api/v1/settlements', { token: TOKENS.service, json: request() });
      expect(summary(refused)).toEqual([503, 'not_configured']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      const after = await bare.send('/api/v1/settlements?limit=200', { token: TOKENS.viewer });
      expect([after.status, after.body.items.length]).toEqual([200, before]);
    } finally {
      await bare.close();
    }
  });
});

describe('the same request again', () => {
  it('is answered with what became of the first, and started once', async () => {
    const json = request({ key: nonce() });
    const [first, again] = [await post(json), await post(json)];
    expect([again.status, again.body]).toEqual([202, first.body]);
    expect(api.dispatched).toEqual([first.body.id]);
  });

  it('is the same with its members in another order, other spaces and leading zeros', async () => {
    const { credential, context } = request();
    const key = nonce();
    const first = await post({
      key,
      protocol: 'x402',
      credential,
      context,
      spent: { amount: '3000', asset: 'a', decimals: 6 },
    });
    const again = await api.send('/api/v1/settlements', {
      token: TOKENS.service,
      body: JSON.stringify(
        { spent: { decimals: 6, asset: 'a', amount: '0003000' }, context, credential, protocol: 'x402', key },
        null,
        3,
      ),
    });
    expect([again.status, again.body.id]).toEqual([202, first.body.id]);
  });

  it('at the same moment, twenty times, is stored once', async () => {
    const json = request({ key: nonce() });
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(json)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
    expect(api.dispatched).toHaveLength(1);
  });

  it.each([
    ['another amount', { spent: { amount: '3001', asset: '0xusdc', decimals: 6 } }],
    ['another credential', { credential: x402upto({ nonce: `0x${'b'.repeat(64)}` }) }],
    ['another context', { context: { sourceAccountId: 'somebody' } }],
  ])('with %s under the same key is a conflict', async (_what, change) => {
    const json = request({ key: nonce() });
    await post(json);
    expect(summary(await post({ ...json, ...change }))).toEqual([409, 'key_conflict']);
  });

  it.each([
    ['as it was', (c: object) => c],
    ['with its members in another order', (c: object) => Object.fromEntries(Object.entries(c).reverse())],
    ['as base64', (c: object) => base64(c)],
    ['with spaces', (c: object) => JSON.stringify(c, null, 2)],
  ])('with the credential %s under another key is a conflict: it is charged once', async (_how, bend) => {
    const json = request({ key: nonce('c') });
    await post(json);
    const again = await post({ ...json, key: nonce('d'), credential: bend(json.credential) });
    expect(summary(again)).toEqual([409, 'credential_already_used']);
    expect(api.dispatched).toHaveLength(1);
  });

  it('has the payment request id as its key where none is given, else the identity of the credential', async () => {
    const id = nonce('e');
    expect((await post(request({ context: { paymentRequestId: id } }))).body.key).toBe(id);
    const { body } = await post(request({ credential: x402upto({ nonce: nonce('f') }) }));
    expect(body.key).toContain('x402');
    expect((await post(request({ credential: x402upto({ nonce: nonce('f') }) }))).body.id).toBe(body.id);
  });
});

describe('lists', () => {
  it('go through everything page by page, newest first, each item once', async () => {
    for (let index = 0; index < 7; index += 1) {
      await post(request({ key: `page-${index}`, credential: x402upto({ nonce: nonce(String(index)) }) }));
    }
    const ids: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Answered = await read(`?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
      ids.push(...page.body.items.map(({ id }: { id: string }) => id));
      cursor = page.body.next_cursor;
    }
    const all = (await read('?limit=200')).body;
    expect(ids).toEqual(all.items.map(({ id }: { id: string }) => id));
    expect(ids).toEqual([...new Set(ids)].sort().reverse());
    expect(all.next_cursor).toBeNull();
  });

  it('filter by status, protocol, key and need of attention', async () => {
    const { body } = await post(request({ protocol: 'mpp', credential: `nonsense-${nonce()}`, key: nonce() }));
    const found = async (query: string) => (await read(`?limit=200&${query}`)).body.items;
    expect((await found(`key=${body.key}`)).map(({ id }: { id: string }) => id)).toEqual([body.id]);
    for (const [query, member, value] of [
      ['status=needs_attention', 'status', 'needs_attention'],
      ['status=pending', 'status', 'pending'],
      ['protocol=mpp', 'protocol', 'mpp'],
    ] as const) {
      const items = await found(query);
      expect(items.length).toBeGreaterThan(0);
      expect(new Set(items.map((item: Record<string, unknown>) => item[member]))).toEqual(new Set([value]));
    }
    const [waiting, calm] = [await found('needs_attention=true'), await found('needs_attention=false')];
    const asks = (items: readonly { attention: unknown }[]) =>
      new Set(items.map(({ attention }) => attention !== null));
    expect([asks(waiting), asks(calm)]).toEqual([new Set([true]), new Set([false])]);
    expect(await found('order_id=any')).toEqual([]);
  });
});

describe('without Postgres', () => {
  it('everything says 503 and when to come back, and nothing of the inside', { timeout: 30_000 }, async () => {
    const lost = await openTestLedger();
    const cut = await startApi({ ledger: lost.ledger });
    try {
      await lost.dispose();
      for (const answer of [
        await cut.send('/api/v1/settlements', { token: TOKENS.service, json: request() }),
        await cut.send('/api/v1/settlements', { token: TOKENS.viewer }),
        await cut.send('/readyz'),
      ]) {
        expect(answer.status).toBe(503);
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(answer.text).not.toMatch(/postgres:\/\/|pool|ECONN|at .*\.[jt]s/);
      }
      expect((await cut.send('/healthz')).status).toBe(200);
      expect((await cut.send('/metrics', { token: TOKENS.viewer })).text).toContain(
        'makegood_up{component="postgres"} 0',
      );
    } finally {
      await cut.close();
    }
  });
});

it('credentials of different kinds do not collide', async () => {
  const identities = [x402upto({ nonce: NONCE }), mppCharge()].map((credential, index) =>
    post(
      request({
        protocol: index === 0 ? 'x402' : 'mpp',
        credential,
        spent: { amount: '10000', asset: 'a', decimals: 6 },
      }),
    ),
  );
  const keys = (await Promise.all(identities)).map(({ body }) => body.key);
  expect(new Set(keys).size).toBe(2);
});
