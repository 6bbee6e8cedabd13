import { describe, expect, it } from 'vitest';
import { API_TOKENS, startApi, summary, TOKENS } from '../../support/api.js';
import { consoleApiForFile, cookieOf } from '../../support/console-api.js';
import { consoleRoutes } from '../../support/console-routes.js';
import { aSettlement, atomic } from '../../support/ledger-fixtures.js';

const { api, as, clock, database, ledger, signIn } = await consoleApiForFile();
const HOUR_MS = 3_600_000;

const withCookie = (cookie: string, path = '/api/v1/settlements', headers = {}) =>
  api.send(path, { headers: { Cookie: cookie, ...headers } });

/** The same ledger behind a server with other tokens. */
async function startWithTokens(tokens: typeof API_TOKENS) {
  return await startApi({ ledger, tokens, console: consoleRoutes({ ledger }) });
}

describe('signing in', () => {
  it('turns the token of a person into a cookie that no script reads and no other site sends', async () => {
    const answer = await api.send('/console/session', { json: { token: TOKENS.operator } });
    expect([answer.status, answer.body]).toEqual([
      200,
      { name: 'olga', role: 'operator', csrf: expect.stringMatching(/^[\w-]{43}$/) },
    ]);
    expect(answer.headers.get('set-cookie')).toMatch(
      /^makegood_session=[\w-]{43}; Max-Age=43200; HttpOnly; SameSite=Strict; Path=\/$/,
    );
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const told = await withCookie(cookieOf(answer), '/console/session');
    expect([told.status, told.body]).toEqual([200, answer.body]);
    expect((await withCookie(cookieOf(answer))).status).toBe(200);
  });

  it('marks the cookie for https alone where PUBLIC_URL says that browsers come by it', async () => {
    const other = await startApi({
      ledger,
      console: consoleRoutes({ ledger, publicUrl: 'https://money.example.com/makegood' }),
    });
    const answer = await other.send('/console/session', {
      json: { token: TOKENS.viewer },
      headers: { Origin: 'https://money.example.com' },
    });
    await other.close();
    expect(answer.headers.get('set-cookie')).toMatch(/; SameSite=Strict; Path=\/; Secure$/);
  });

  it('keeps neither the secret of the cookie nor the token', async () => {
    const { cookie } = await signIn(TOKENS.approver);
    const [row] = await database.query<{ text: string }>(
      `SELECT string_agg(s::text || encode(secret_sha256, 'escape') || encode(token_proof, 'escape'), ' ') AS text FROM console_sessions s`,
    );
    expect(row?.text).toMatch(/anna/);
    expect(row?.text).not.toContain(cookie.split('=')[1]);
    expect(row?.text).not.toContain(TOKENS.approver);
  });

  it('is refused with a wrong token, with one of a service, and from a page of somebody else', async () => {
    const attempt = (token: unknown, headers = {}) => api.send('/console/session', { json: { token }, headers });
    expect(summary(await attempt('token-of-the-operator-0009'))).toEqual([401, 'unauthorized']);
    expect(summary(await attempt(TOKENS.service))).toEqual([403, 'forbidden']);
    expect(summary(await attempt(TOKENS.operator, { Origin: 'https://evil.example' }))).toEqual([
      403,
      'foreign_origin',
    ]);
    expect(summary(await attempt(TOKENS.operator, { 'Sec-Fetch-Site': 'cross-site' }))).toEqual([
      403,
      'foreign_origin',
    ]);
    expect(summary(await attempt(['x']))).toEqual([400, 'invalid_request']);
    for (const answer of [await attempt('nobody-has-this-token-0001'), await attempt(TOKENS.service)])
      expect(answer.headers.get('set-cookie')).toBeNull();
  });

  it('is refused after too many wrong tokens from one address, the right one too', async () => {
    const strict = await startApi({
      ledger,
      console: consoleRoutes({ ledger }),
      rateLimit: { windowMs: 60_000, max: 100, anonymousMax: 3 },
    });
    const attempt = (token: string) => strict.send('/console/session', { json: { token } });
    const statuses = [];
    for (const token of ['wrong-token-000001', 'wrong-token-000002', 'wrong-token-000003', TOKENS.operator])
      statuses.push((await attempt(token)).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
    await strict.close();
  });
});

describe('a session', () => {
  it('is over when its person signs out: a copy of the cookie lets nobody in', async () => {
    const person = await signIn(TOKENS.viewer);
    const out = await as(person, '/console/session', { method: 'DELETE' });
    expect([out.status, out.text, out.headers.get('set-cookie')]).toEqual([
      204,
      '',
      'makegood_session=; Max-Age=0; HttpOnly; SameSite=Strict; Path=/',
    ]);
    expect(summary(await withCookie(person.cookie))).toEqual([401, 'unauthorized']);
    expect(summary(await withCookie(person.cookie, '/console/session'))).toEqual([401, 'unauthorized']);
  });

  it('ends an hour after its last use', async () => {
    const person = await signIn(TOKENS.viewer);
    clock.advance(0.9 * HOUR_MS);
    expect((await withCookie(person.cookie)).status).toBe(200);
    clock.advance(0.9 * HOUR_MS);
    expect((await withCookie(person.cookie)).status).toBe(200);
    clock.advance(1.1 * HOUR_MS);
    expect((await withCookie(person.cookie)).status).toBe(401);
  });

  it('ends twelve hours after its begin, however it is used', async () => {
    const person = await signIn(TOKENS.viewer);
    for (let hour = 0; hour < 13; hour += 0.9) {
      clock.advance(0.9 * HOUR_MS);
      expect((await withCookie(person.cookie)).status).toBe(hour + 0.9 < 12 ? 200 : 401);
    }
  });

  it('ends with the token it was made with, and with the role that this had', async () => {
    const person = await signIn(TOKENS.operator);
    const others = API_TOKENS.filter(({ token }) => token !== TOKENS.operator);
    const olga = { name: 'olga', token: TOKENS.operator } as const;
    for (const tokens of [
      others,
      [...others, { ...olga, role: 'approver' as const }],
      [...others, { ...olga, name: 'oscar', role: 'operator' as const }],
      [...others, { ...olga, role: 'operator' as const, token: 'token-of-the-operator-0003' }],
    ]) {
      const other = await startWithTokens(tokens);
      const answer = await other.send('/api/v1/settlements', { headers: { Cookie: person.cookie } });
      await other.close();
      expect(summary(answer)).toEqual([401, 'unauthorized']);
    }
    expect((await withCookie(person.cookie)).status).toBe(200);
  });

  it('is nobody’s where the cookie is none of ours, cut short, or sent twice', async () => {
    const { cookie } = await signIn(TOKENS.viewer);
    for (const wrong of [
      'makegood_session=',
      cookie.slice(0, -1),
      `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`,
      `${cookie}; ${cookie}`,
      `${cookie}; makegood_session=x`,
      `other=1`,
    ])
      expect(summary(await withCookie(wrong))).toEqual([401, 'unauthorized']);
    expect((await withCookie(`theme=dark; ${cookie}; x=y`)).status).toBe(200);
  });

  it('never stands in for a token that was sent, and cannot be asked about by one', async () => {
    const { cookie } = await signIn(TOKENS.operator);
    const answer = await api.send('/api/v1/settlements', { token: 'wrong-token-000001', headers: { Cookie: cookie } });
    expect(summary(answer)).toEqual([401, 'unauthorized']);
    const asked = await api.send('/console/session', { token: TOKENS.operator });
    expect(summary(asked)).toEqual([401, 'unauthorized']);
  });

  it('may no more than the role of its person', async () => {
    const viewer = await signIn(TOKENS.viewer);
    const asked = await as(viewer, '/api/v1/providers/stripe/pause', { json: { note: 'because' } });
    expect(summary(asked)).toEqual([403, 'forbidden']);
    const operator = await signIn(TOKENS.operator);
    expect(summary(await as(operator, '/api/v1/orders', { json: {} }))).toEqual([403, 'forbidden']);
  });

  it('cannot be read of, and nobody is let in, while the ledger does not answer', async () => {
    const down = () => Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
    const other = await startApi({ ledger, console: consoleRoutes({ ledger: { ...ledger, consoleSession: down } }) });
    const { cookie } = await signIn(TOKENS.viewer);
    const answer = await other.send('/api/v1/settlements', { headers: { Cookie: cookie } });
    await other.close();
    expect(summary(answer)).toEqual([503, 'ledger_unavailable']);
  });
});

describe('a change that comes by a session', () => {
  const PAUSE = '/api/v1/providers/hyperswitch/pause';
  const RESUME = '/api/v1/providers/hyperswitch/resume';
  const note = { note: 'they asked for it' };

  it('needs its token and a page of ours, while a bearer of a token needs neither', async () => {
    const person = await signIn(TOKENS.operator);
    const other = await signIn(TOKENS.operator);
    const headersOf = (headers: Record<string, string>) => ({
      json: note,
      headers: { Cookie: person.cookie, ...headers },
    });
    const refused = async (headers: Record<string, string>) => summary(await api.send(PAUSE, headersOf(headers)));
    expect(await refused({})).toEqual([403, 'csrf_token_missing']);
    expect(await refused({ 'X-CSRF-Token': '' })).toEqual([403, 'csrf_token_missing']);
    expect(await refused({ 'X-CSRF-Token': 'x'.repeat(43) })).toEqual([403, 'csrf_token_missing']);
    expect(await refused({ 'X-CSRF-Token': other.csrf })).toEqual([403, 'csrf_token_missing']);
    const right = { 'X-CSRF-Token': person.csrf };
    for (const foreign of [
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      { Origin: `${api.url}.evil.example` },
      { Origin: `http://127.0.0.1:1` },
      { Origin: 'file://' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { Origin: api.url, 'Sec-Fetch-Site': 'cross-site' },
    ])
      expect(await refused({ ...right, ...(foreign as Record<string, string>) })).toEqual([403, 'foreign_origin']);
    expect(await ledger.pauses()).toEqual([]);

    const ours = await api.send(PAUSE, headersOf({ ...right, Origin: api.url, 'Sec-Fetch-Site': 'same-origin' }));
    expect([ours.status, ours.body.changed]).toEqual([200, true]);
    const bearer = await api.send(RESUME, {
      json: note,
      token: TOKENS.operator,
      headers: { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' },
    });
    expect([bearer.status, bearer.body.changed]).toEqual([200, true]);
  });

  it('is refused to a foreign page even where it only reads or signs out', async () => {
    const person = await signIn(TOKENS.viewer);
    const headers = { Cookie: person.cookie, Origin: 'https://evil.example' };
    expect(summary(await api.send('/api/v1/settlements', { headers }))).toEqual([403, 'foreign_origin']);
    expect(
      summary(await api.send('/console/session', { method: 'DELETE', headers: { Cookie: person.cookie } })),
    ).toEqual([403, 'csrf_token_missing']);
    expect((await withCookie(person.cookie)).status).toBe(200);
  });

  it('is approved by nobody who asked for it, whatever other token he signs in with', async () => {
    const settlement = aSettlement({
      undecodable: 'not a credential',
      body: null,
      spent: atomic(90_000_000_000n),
      cap: atomic(90_000_000_000n),
    });
    await ledger.createSettlement(settlement);
    const asking = await signIn(TOKENS.operator);
    const asked = await as(asking, `/api/v1/settlements/${settlement.id}/resolve`, {
      json: { action: 'write_off', note: 'it never was one' },
    });
    expect(summary(asked)).toEqual([202, 'pending_approval']);
    const approve = `/api/v1/decisions/${asked.body.decision_id}/approve`;
    const himself = await signIn(TOKENS.operatorAsApprover);
    expect(summary(await as(himself, approve, { json: { note: 'sure' } }))).toEqual([403, 'self_approval']);
    const another = await signIn(TOKENS.approver);
    expect(summary(await as(another, approve, { json: { note: 'seen' } }))).toEqual([200, 'written_off']);
    const [row] = await database.query('SELECT by, approved_by, authenticated FROM decisions WHERE id = $1', [
      asked.body.decision_id,
    ]);
    expect(row).toEqual({ by: 'olga', approved_by: 'anna', authenticated: true });
  });
});
