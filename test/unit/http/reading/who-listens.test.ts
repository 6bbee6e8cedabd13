import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ApiToken } from '../../../../src/domain/roles.js';
import { type Authenticate, createAuthenticate } from '../../../../src/http/auth.js';
import { type ChangeFeed, createChangeFeed } from '../../../../src/http/reading/changes.js';
import type { ReadingDependencies } from '../../../../src/http/reading/reading-dependencies.js';
import { readingRoutes } from '../../../../src/http/reading/reading-routes.js';

const QUIET = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const CHANGES = [{ seq: '1', kind: 'order', id: 'a', at: '2026-11-30T00:00:00.000Z' }];

/** The answer to somebody who reads nothing of it. */
const unread = () => Object.defineProperty(queued(), 'socket', { value: new Socket() });
/** One that is behind another answer of the same connection. */
const queued = () => new ServerResponse(new IncomingMessage(new Socket()));

function feedOf() {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const changesAfter = vi.fn<() => Promise<typeof CHANGES>>(() => Promise.resolve(CHANGES));
  const ledger = { newestSeq: () => Promise.resolve('0'), changesAfter };
  const feed = createChangeFeed({ ledger, logger: QUIET, pollMs: 100, heartbeatMs: 50, mostClients: 1 });
  onTestFinished(() => feed.stop());
  return { feed, changesAfter };
}

/** The route that tells of changes, to the holder of this token. */
async function listen(authorization: string, authenticate: Authenticate) {
  const join = vi.fn<ChangeFeed['join']>();
  const changes = { isFull: () => false, missed: () => Promise.resolve(''), join };
  const routes = readingRoutes({ changes, authenticate } as unknown as ReadingDependencies);
  const call = { headers: { authorization: [authorization] }, session: undefined };
  const reply = await routes.find(({ operation }) => operation.id === 'changes')?.run(call as never);
  reply?.stream?.(unread());
  return join.mock.calls[0]?.[0];
}

describe('who listens', () => {
  it("by a token is let go once that token is nobody's any more", async () => {
    const tokens: ApiToken[] = [{ name: 'ada', role: 'viewer', token: '0123456789abcdef' }];
    const client = await listen('Bearer 0123456789abcdef', createAuthenticate(tokens));
    expect(await client?.isLive()).toBe(true);
    tokens.length = 0;
    expect(await client?.isLive()).toBe(false);
  });

  it('and whose session ends while he reads nothing is told nothing more, and leaves his place', async () => {
    const { feed } = feedOf();
    const res = unread();
    const failed = vi.fn<(error: Error) => void>();
    res.on('error', failed);
    const write = vi.spyOn(res, 'write');
    feed.join({ res, isLive: () => Promise.resolve(false) }, '');
    await vi.advanceTimersByTimeAsync(1_000);
    expect([res.writableEnded, write.mock.calls.length, failed.mock.calls, feed.isFull()]).toEqual([
      true,
      1,
      [],
      false,
    ]);
  });

  it('is asked about once at a time, however long the ledger takes', async () => {
    const { feed } = feedOf();
    const isLive = vi.fn<() => Promise<boolean>>(() => new Promise<boolean>(() => undefined));
    feed.join({ res: unread(), isLive }, '');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(isLive.mock.calls.length).toBe(1);
  });

  it('and went before he was let in keeps no place', async () => {
    const { feed, changesAfter } = feedOf();
    const res = unread();
    res.destroy();
    feed.join({ res, isLive: () => Promise.resolve(true) }, '');
    await vi.advanceTimersByTimeAsync(1_000);
    expect([feed.isFull(), changesAfter.mock.calls.length]).toEqual([false, 0]);
  });

  it('behind another answer of the same connection takes no place, however many he asks for', () => {
    const { feed } = feedOf();
    const answers = [queued(), queued()];
    for (const res of answers) feed.join({ res, isLive: () => Promise.resolve(true) }, '');
    expect([feed.isFull(), ...answers.map(({ writableEnded }) => writableEnded)]).toEqual([false, true, true]);
  });
});
