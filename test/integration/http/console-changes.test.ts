import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createChangeFeed } from '../../../src/http/reading/changes.js';
import { startApi, summary, TOKENS } from '../../support/api.js';
import { consoleApiForFile } from '../../support/console-api.js';
import { consoleRoutes } from '../../support/console-routes.js';
import { aSettlement } from '../../support/ledger-fixtures.js';

const test = await consoleApiForFile();
const { api, database, ledger, signIn } = test;
const QUIET = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** One who listens; what he was told so far is in `text`. */
async function listen(url: string, headers: Record<string, string> = { Authorization: `Bearer ${TOKENS.viewer}` }) {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const response = await fetch(`${url}/api/v1/events`, { headers, signal: abort.signal });
  const heard = { text: '', ended: false, status: response.status, headers: response.headers };
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) heard.text += decoder.decode(chunk, { stream: true });
  };
  void read()
    .catch(() => undefined)
    .finally(() => {
      heard.ended = true;
    });
  return { heard, leave: () => abort.abort() };
}

const happen = async () => {
  const settlement = aSettlement();
  await ledger.createSettlement(settlement);
  await database.query(`INSERT INTO operation_events (item_kind, item_id, kind) VALUES ('settlement', $1, 'looked')`, [
    settlement.id,
  ]);
  return settlement.id;
};

describe('changes', () => {
  it('are told to whoever listens, as events with the item and no more', async () => {
    const { heard, leave } = await listen(api.url);
    expect([heard.status, heard.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(heard.headers.get('cache-control')).toBe('no-store');
    const id = await happen();
    await expect.poll(() => heard.text).toContain(`"id":"${id}"`);
    const event = /id: (\d+)\nevent: change\ndata: (\{.*\})\n\n/.exec(heard.text);
    expect(JSON.parse(event?.[2] ?? '')).toEqual({ kind: 'settlement', id, at: expect.any(String) });
    await expect.poll(() => heard.text).toContain(': still here');
    leave();
    await expect.poll(() => test.feed.isFull()).toBe(false);
  });

  it('are told once a connection: who asks for them many times over one takes one place', async () => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const get = `GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKENS.viewer}\r\n\r\n`;
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString();
    });
    socket.write(get.repeat(3));
    await expect.poll(() => heard).toContain('retry: 2000');
    await expect.poll(() => heard).toContain(': still here');
    const other = await listen(api.url);
    expect([other.heard.status, test.feed.isFull()]).toEqual([200, false]);
    other.leave();
    socket.destroy();
    await expect.poll(() => test.feed.isFull()).toBe(false);
  });

  it('that were missed are told to whoever comes back', async () => {
    const { heard, leave } = await listen(api.url);
    const first = await happen();
    await expect.poll(() => heard.text).toContain(first);
    const last = [...heard.text.matchAll(/id: (\d+)/g)].at(-1)?.[1] ?? '';
    leave();
    const missed = await happen();
    const again = await listen(api.url, { Authorization: `Bearer ${TOKENS.viewer}`, 'Last-Event-ID': last });
    await expect.poll(() => again.heard.text).toContain(missed);
    const wrong = await listen(api.url, { Authorization: `Bearer ${TOKENS.viewer}`, 'Last-Event-ID': '-1; DROP' });
    expect(wrong.heard.status).toBe(200);
    again.leave();
    wrong.leave();
  });

  it('that were written late are told too, and none twice', async () => {
    const { heard, leave } = await listen(api.url);
    const [late, early] = [aSettlement().id, aSettlement().id];
    const event = `INSERT INTO operation_events (item_kind, item_id, kind) VALUES ('settlement', $1, 'looked')`;
    await database.transaction(async (query) => {
      await query(event, [late]);
      await database.query(event, [early]);
      await expect.poll(() => heard.text).toContain(early);
      expect(heard.text).not.toContain(late);
    });
    await expect.poll(() => heard.text).toContain(late);
    expect(heard.text.split(early).length).toBe(2);
    leave();
  });

  it('are more than can be told: everything is to be read anew', async () => {
    const { heard, leave } = await listen(api.url);
    await database.query(
      `INSERT INTO operation_events (item_kind, item_id, kind) SELECT 'order', gen_random_uuid()::text, 'looked' FROM generate_series(1, 600)`,
    );
    await expect.poll(() => heard.text).toContain('event: reset\ndata: {}\n\n');
    expect(heard.text).not.toContain('"kind":"order"');
    leave();
  });
});

describe('who listens', () => {
  it('is bounded: one more is told to come back later, and takes the place of who has left', async () => {
    const own = createChangeFeed({ ledger, logger: QUIET, pollMs: 20, mostClients: 2 });
    const other = await startApi({ ledger, console: consoleRoutes({ ledger, changes: own }) });
    const [one] = [await listen(other.url), await listen(other.url)];
    const answer = await other.send('/api/v1/events', { token: TOKENS.viewer });
    expect([summary(answer), answer.headers.get('retry-after')]).toEqual([[429, 'rate_limited'], '10']);
    one.leave();
    await expect.poll(() => own.isFull()).toBe(false);
    expect((await listen(other.url)).heard.status).toBe(200);
    own.stop();
    await other.close();
  });

  it('is let go when the server stops, and nobody is let in any more', async () => {
    const own = createChangeFeed({ ledger, logger: QUIET, pollMs: 20 });
    const other = await startApi({ ledger, console: consoleRoutes({ ledger, changes: own }) });
    const { heard } = await listen(other.url);
    own.stop();
    await expect.poll(() => heard.ended).toBe(true);
    expect(summary(await other.send('/api/v1/events', { token: TOKENS.viewer }))).toEqual([429, 'rate_limited']);
    await other.close();
  });

  it('is let go when the session ends', async () => {
    const person = await signIn(TOKENS.viewer);
    const { heard } = await listen(api.url, { Cookie: person.cookie });
    await expect.poll(() => heard.text).toContain(': still here');
    await test.as(person, '/console/session', { method: 'DELETE' });
    await expect.poll(() => heard.ended).toBe(true);
  });

  it('asks nothing of the ledger for himself: one look serves all, and none is made while nobody listens', async () => {
    let looks = 0;
    const counting = {
      newestSeq: () => ledger.newestSeq(),
      changesAfter: (seq: string, limit: number) => {
        looks += 1;
        return ledger.changesAfter(seq, limit);
      },
    };
    const own = createChangeFeed({ ledger: counting, logger: QUIET, pollMs: 20 });
    const other = await startApi({ ledger, console: consoleRoutes({ ledger, changes: own }) });
    const all = [await listen(other.url), await listen(other.url), await listen(other.url)];
    const id = await happen();
    for (const { heard } of all) await expect.poll(() => heard.text).toContain(id);
    for (const { leave } of all) leave();
    await expect
      .poll(async () => {
        const before = looks;
        await new Promise((resolve) => setImmediate(resolve));
        await ledger.newestSeq();
        return looks - before;
      })
      .toBe(0);
    own.stop();
    await other.close();
  });
});
