import { describe, expect, it, onTestFinished } from 'vitest';
import { createResolution } from '../../../src/calls/decisions/decide.js';
import type { DecisionRequest } from '../../../src/ledger/decisions/decision-types.js';
import type { NewWebhookEvent } from '../../../src/ledger/marketplace/marketplace-types.js';
import { createMetrics } from '../../../src/observability/metrics.js';
import { API_TOKENS, startApi, summary, TOKENS } from '../../support/api.js';
import { consoleApiForFile, cookieOf } from '../../support/console-api.js';
import { consoleRoutes } from '../../support/console-routes.js';
import { aSettlement, atomic } from '../../support/ledger-fixtures.js';
import { finishEvent } from '../../support/marketplace/finish-event.js';
import { putOrder } from '../../support/marketplace/fixtures.js';
import { STUCK } from '../../support/marketplace/stuck-reversals.js';

const replayed: NewWebhookEvent[] = [];
const test = await consoleApiForFile({
  processWebhook: (event) => void replayed.push(event),
});
const { act, api, database, ledger } = test;
const note = { note: 'the inbox stood still' };

const decisionsOf = async (id: string) =>
  (await database.query<{ action: string }>('SELECT action FROM decisions WHERE item_id = $1', [id])).map(
    ({ action }) => action,
  );
/** Every row of the ledger that a preview might have touched. */
const ledgerNow = async () =>
  await database.query(
    `SELECT (SELECT json_agg(r ORDER BY id) FROM reversals r)::text AS reversals, (SELECT json_agg(s ORDER BY id) FROM settlements s)::text AS settlements,
       (SELECT count(*)::int FROM decisions) AS decisions, (SELECT count(*)::int FROM operation_events) AS events`,
  );

async function stuck(many: number): Promise<string[]> {
  const ids: string[] = [];
  for (let one = 0; one < many; one += 1) ids.push((await putOrder(test, STUCK)).reversals[1]?.id ?? '');
  return ids;
}

/** Something happens after the provider was asked and before the ledger decides, about each. */
async function meanwhile(
  happens: (request: DecisionRequest) => Promise<unknown>,
  given: { readonly tokens?: typeof API_TOKENS; readonly metrics?: Parameters<typeof startApi>[0]['metrics'] } = {},
) {
  const decide = async (request: DecisionRequest) => {
    await happens(request);
    return await ledger.decide(request);
  };
  const slow = await startApi({
    ledger,
    console: consoleRoutes({ ledger }),
    resolution: createResolution({ ledger: { ...ledger, decide }, stripe: undefined, chain: undefined }),
    ...given,
  });
  onTestFinished(() => slow.close());
  return slow;
}
const asks = (id: string, reason: string, detail: string) =>
  database.query('UPDATE reversals SET attention_reason = $2, attention_detail = $3 WHERE id = $1', [
    id,
    reason,
    detail,
  ]);

describe('an event that is acted on again', () => {
  const event = {
    provider: 'stripe',
    eventId: 'evt_again',
    type: 'transfer.reversed',
    objectId: 'tr_again',
    parentId: null,
    account: null,
    bodySha256: 'x',
  } as const;

  it('is due at once, stands in its story with who asked and why, and is handed to whoever acts on new ones', async () => {
    await ledger.storeWebhook(event);
    await finishEvent(ledger, event, 'done before');
    const answer = await act('webhooks/stripe:evt_again/replay', note);
    expect([answer.status, answer.body]).toEqual([202, { id: 'stripe:evt_again', status: 'waiting' }]);
    expect(replayed.map(({ eventId }) => eventId)).toEqual(['evt_again']);
    expect(replayed[0]).toMatchObject(event);
    const [row] = await database.query('SELECT processed_at, outcome, deliveries FROM webhook_events');
    expect(row).toEqual({ processed_at: null, outcome: null, deliveries: 1 });
    const [told] = await database.query<{ detail: object }>(
      `SELECT detail FROM operation_events WHERE item_kind = 'webhook' AND kind = 'replayed'`,
    );
    expect(told?.detail).toEqual({ by: 'olga', ...note });
    const due = await ledger.dueWebhooks('stripe-read', 10);
    expect(due.map(({ eventId }) => eventId)).toEqual(['evt_again']);
  });

  it('is not finished by whoever had read the provider before that', async () => {
    await ledger.storeWebhook({ ...event, eventId: 'evt_read' });
    const read = { ...event, eventId: 'evt_read' };
    const round = await ledger.webhookRound(read);
    test.clock.advance(1);
    await act('webhooks/stripe:evt_read/replay', note);
    await ledger.finishWebhook({ ...read, round }, 'missing');
    const stands = () =>
      database.query(`SELECT outcome, next_check_at IS NULL AS done FROM webhook_events WHERE event_id = 'evt_read'`);
    expect(await stands()).toEqual([{ outcome: null, done: false }]);
    await finishEvent(ledger, read, 'found');
    expect(await stands()).toEqual([{ outcome: 'found', done: true }]);
  });

  it('moves nothing itself: however often it is asked for, the ledger of money stays as it is', async () => {
    await stuck(1);
    const before = await ledgerNow();
    for (const time of ['once', 'twice', 'again'])
      expect((await act('webhooks/stripe:evt_again/replay', { note: time })).status).toBe(202);
    const [{ reversals, settlements, decisions }] = (await ledgerNow()) as [Record<string, unknown>];
    expect(before[0]).toMatchObject({ reversals, settlements, decisions });
  });

  it.each(['stripe:evt_unknown', 'stripe:', 'paypal:evt_again', 'evt_again', 'stripe:a%00b', 'stripe:%2e%2e%2f', 'x'])(
    'is not found by %s',
    async (id) => {
      expect(summary(await act(`webhooks/${id}/replay`, note))).toEqual([404, 'not_found']);
    },
  );

  it('is asked for with a note, and by nobody who may only look', async () => {
    expect(summary(await act('webhooks/stripe:evt_again/replay', { note: ' ' }))).toEqual([400, 'invalid_request']);
    expect(summary(await act('webhooks/stripe:evt_again/replay', note, TOKENS.viewer))).toEqual([403, 'forbidden']);
  });
});

describe('a provider', () => {
  it('is paused and resumed under the name of the token, once', async () => {
    const paused = await act('providers/auth-server/pause', { note: 'they asked' });
    expect([paused.status, paused.body]).toMatchObject([
      200,
      { provider: 'auth-server', changed: true, paused: { provider: 'auth-server', by: 'olga', note: 'they asked' } },
    ]);
    const again = await act('providers/auth-server/pause', { note: 'me too' }, TOKENS.approver);
    expect(again.body).toMatchObject({ changed: false, paused: { by: 'olga', note: 'they asked' } });
    const resumed = await act('providers/auth-server/resume', { note: 'they are back' }, TOKENS.approver);
    expect(resumed.body).toEqual({ provider: 'auth-server', changed: true, paused: null });
    expect((await act('providers/auth-server/resume', { note: 'again' })).body).toMatchObject({ changed: false });
    const told = await database.query<{ detail: object }>(
      `SELECT DISTINCT detail FROM operation_events WHERE item_kind = 'provider' AND kind = 'resumed'`,
    );
    expect(told).toEqual([{ detail: { by: 'anna', authenticated: true, note: 'they are back' } }]);
  });

  it('that nobody can pause is not found', async () => {
    for (const name of ['paypal', 'stripe:acct_1', 'constructor'])
      expect(summary(await act(`providers/${name}/pause`, note))).toEqual([404, 'not_found']);
  });
});

describe('many decisions at once', () => {
  const bulk = (json: object, token?: string) => act('decisions/bulk', json, token);
  const RETRY = { kind: 'reversal', reason: 'retries_exhausted', action: 'retry', note: 'Stripe is back' };
  const outcomes = (body: { items: { id: string; outcome: string }[] }) =>
    new Map(body.items.map(({ id, outcome }) => [id, outcome]));

  it('change nothing while they are tried, and name what they would decide', async () => {
    const ids = await stuck(3);
    const before = await ledgerNow();
    const { status, body } = await bulk({ ...RETRY, dry_run: true });
    expect(status).toBe(200);
    expect(body).toMatchObject({ dry_run: true, effect: expect.stringContaining("Stripe's records"), more: false });
    for (const id of ids) expect(outcomes(body).get(id)).toBe('would_decide');
    expect(body.amounts).toEqual([{ unit: 'USD', amount: `${body.items.length * 200} USD (minor units)` }]);
    expect(await ledgerNow()).toEqual(before);
    expect(api.woken).toEqual([]);
  });

  it('decide exactly what was named, and pass over what waits for something else by then', async () => {
    const [first = '', second = '', third = '', other = ''] = await stuck(4);
    const settled = aSettlement().id;
    const preview = await bulk({ ...RETRY, ids: [first, second, third], dry_run: true });
    expect([...outcomes(preview.body).keys()]).toEqual([first, second, third]);
    await act(`reversals/${second}/resolve`, { action: 'retry', note: 'by myself' });
    const { body } = await bulk({ ...RETRY, ids: [first, second, third, third, settled] });
    expect([...outcomes(body)]).toEqual([
      [first, 'decided'],
      [second, 'skipped'],
      [third, 'decided'],
      [settled, 'skipped'],
    ]);
    expect(await decisionsOf(first)).toEqual(['retry']);
    expect(await decisionsOf(second)).toEqual(['retry']);
    expect(await decisionsOf(other)).toEqual([]);
    expect(body.amounts).toEqual([{ unit: 'USD', amount: '400 USD (minor units)' }]);
    const [row] = await database.query('SELECT by, authenticated, note FROM decisions WHERE item_id = $1', [first]);
    expect(row).toEqual({ by: 'olga', authenticated: true, note: 'Stripe is back' });
    const again = await bulk({ ...RETRY, ids: [first, third] });
    expect([...outcomes(again.body).values()]).toEqual(['skipped', 'skipped']);
    expect(await decisionsOf(first)).toEqual(['retry']);
  });

  it('pass over what comes to wait for something else while the provider is asked', async () => {
    const [id = ''] = await stuck(1);
    const slow = await meanwhile(() => asks(id, 'conflict', 'Stripe shows two of it'));
    const { body } = await slow.send('/api/v1/decisions/bulk', {
      token: TOKENS.operator,
      json: { ...RETRY, ids: [id] },
    });
    expect(body.items).toMatchObject([{ id, outcome: 'skipped', decision_id: null }]);
    expect(await decisionsOf(id)).toEqual([]);
  });

  it('stop once the token of whoever asked is taken out: the rest is not decided', async () => {
    const ids = await stuck(3);
    const tokens = [...API_TOKENS];
    const slow = await meanwhile(
      () =>
        Promise.resolve(tokens.splice(0, tokens.length, ...tokens.filter(({ token }) => token !== TOKENS.operator))),
      { tokens },
    );
    const { status, body } = await slow.send('/api/v1/decisions/bulk', {
      token: TOKENS.operator,
      json: { ...RETRY, ids },
    });
    expect([status, ids.map((id) => outcomes(body).get(id))]).toEqual([200, ['decided', 'skipped', 'skipped']]);
    expect(body.items[1].detail).toContain('not let in any more');
    expect(await Promise.all(ids.map(decisionsOf))).toEqual([['retry'], [], []]);
  });

  it('stop once a session has ended', async () => {
    const ids = await stuck(2);
    const slow = await meanwhile(() => database.query('DELETE FROM console_sessions'));
    const signed = await slow.send('/console/session', { json: { token: TOKENS.operator } });
    const { body } = await slow.send('/api/v1/decisions/bulk', {
      json: { ...RETRY, ids },
      headers: { Cookie: cookieOf(signed), 'X-CSRF-Token': signed.body.csrf },
    });
    expect(ids.map((id) => outcomes(body).get(id))).toEqual(['decided', 'skipped']);
  });

  it('stop once nobody waits for the answer', async () => {
    const ids = await stuck(3);
    const client = new AbortController();
    let leave = () => {};
    const gone = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const metrics = createMetrics({ figures: () => ledger.figures() });
    const slow = await meanwhile(
      () => {
        client.abort();
        return gone;
      },
      { metrics: { ...metrics, observeRequest: () => leave() } },
    );
    const sent = fetch(`${slow.url}/api/v1/decisions/bulk`, {
      method: 'POST',
      signal: client.signal,
      headers: { Authorization: `Bearer ${TOKENS.operator}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...RETRY, ids }),
    });
    await expect(sent).rejects.toThrow('abort');
    await expect.poll(() => decisionsOf(ids[0]!)).toEqual(['retry']);
    // As many again by somebody who waits: until they are answered, the others would have been decided.
    const json = { ...RETRY, ids: await stuck(3) };
    const { body } = await slow.send('/api/v1/decisions/bulk', { token: TOKENS.operator, json });
    expect(new Set(outcomes(body).values())).toEqual(new Set(['decided']));
    expect(await Promise.all(ids.slice(1).map(decisionsOf))).toEqual([[], []]);
  });

  it('count what one person gives up together: what goes above the threshold waits for another', async () => {
    const ids: string[] = [];
    for (const spent of [60_000_000n, 60_000_000n]) {
      const one = aSettlement({ undecodable: 'no', body: null, spent: atomic(spent), cap: atomic(spent) });
      await ledger.createSettlement(one);
      ids.push(one.id);
    }
    const GONE = {
      kind: 'settlement',
      reason: 'credential_undecodable',
      action: 'write_off',
      note: 'none was one',
      ids,
    };
    const { body } = await bulk(GONE);
    expect(ids.map((id) => outcomes(body).get(id))).toEqual(['decided', 'pending_approval']);
    const [pending] = body.items.slice(1);
    const approved = await act(`decisions/${pending.decision_id}/approve`, { note: 'seen' }, TOKENS.approver);
    expect(summary(approved)).toEqual([200, 'written_off']);
  });

  it('are refused where nothing is named, nothing is decided so, or too much is named', async () => {
    expect(summary(await bulk(RETRY))).toEqual([400, 'invalid_request']);
    expect(summary(await bulk({ ...RETRY, ids: [] }))).toEqual([400, 'invalid_request']);
    expect(summary(await bulk({ ...RETRY, ids: Array.from({ length: 201 }, () => aSettlement().id) }))).toEqual([
      400,
      'invalid_request',
    ]);
    expect(summary(await bulk({ ...RETRY, action: 'settled', dry_run: true }))).toEqual([422, 'wrong_action']);
    expect(summary(await bulk({ ...RETRY, action: 'take_all', dry_run: true }))).toEqual([422, 'wrong_action']);
    expect(summary(await bulk({ ...RETRY, action: 'constructor', dry_run: true }))).toEqual([422, 'wrong_action']);
    expect(summary(await bulk({ ...RETRY, note: '', dry_run: true }))).toEqual([400, 'invalid_request']);
    expect(summary(await bulk({ ...RETRY, dry_run: true }, TOKENS.viewer))).toEqual([403, 'forbidden']);
  });

  it('tell of each that the provider did not confirm, and go on with the others', async () => {
    const [one = '', two = ''] = await stuck(2);
    const { status, body } = await bulk({ ...RETRY, action: 'write_off', ids: [one, two] });
    expect(status).toBe(200);
    for (const id of [one, two]) expect(['refused', 'unanswered']).toContain(outcomes(body).get(id));
    expect(body.items[0].detail).toMatch(/\S/);
    expect(await decisionsOf(one)).toEqual([]);
  });
});

describe('one decision', () => {
  const resolve = (id: string, seen?: object) =>
    act(`reversals/${id}/resolve`, { action: 'retry', note: 'Stripe is back', ...(seen && { seen }) });
  const seenOf = async (id: string) =>
    (await test.read(`explanations/reversal/${id}`)).body.attention as { reason: string; detail: string };

  it('about what asks as it was seen is made', async () => {
    const [id = ''] = await stuck(1);
    const { reason, detail } = await seenOf(id);
    expect(summary(await resolve(id, { reason, detail }))).toEqual([200, 'pending']);
  });

  it.each([
    ['reason', 'conflict', 'no luck'],
    ['detail', 'retries_exhausted', 'Stripe said something else'],
  ])('is not made where the %s is another than the person saw', async (_what, reason, detail) => {
    const [id = ''] = await stuck(1);
    const seen = await seenOf(id);
    await asks(id, reason, detail);
    const answer = await resolve(id, { reason: seen.reason, detail: seen.detail });
    expect(summary(answer)).toEqual([409, 'changed_since']);
    expect(answer.body.detail).toContain(reason);
    expect(summary(await resolve(id, { reason: null }))).toEqual([409, 'changed_since']);
    expect(await decisionsOf(id)).toEqual([]);
    // Who does not say what he saw decides as before.
    expect((await resolve(id)).status).toBe(200);
  });

  it('that comes to be about something else while the provider is asked is not made', async () => {
    const [id = ''] = await stuck(1);
    const slow = await meanwhile(() => asks(id, 'conflict', 'Stripe shows two of it'));
    const answer = await slow.send(`/api/v1/reversals/${id}/resolve`, {
      token: TOKENS.operator,
      json: { action: 'retry', note: 'Stripe is back', seen: { reason: 'retries_exhausted' } },
    });
    expect(summary(answer)).toEqual([409, 'changed_since']);
    expect(await decisionsOf(id)).toEqual([]);
  });
});
