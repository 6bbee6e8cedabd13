import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createChangeFeed } from '../../../../src/http/reading/changes.js';

const QUIET = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const CHANGES = [{ seq: '1', kind: 'order', id: 'a', at: '2026-11-30T00:00:00.000Z' }];

/** The answer to somebody who reads nothing of it. */
const unread = () => new ServerResponse(new IncomingMessage(new Socket()));

function feedOf() {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const changesAfter = vi.fn<() => Promise<typeof CHANGES>>(() => Promise.resolve(CHANGES));
  const ledger = { newestSeq: () => Promise.resolve('0'), changesAfter };
  const feed = createChangeFeed({ ledger, logger: QUIET, pollMs: 100, heartbeatMs: 50, mostClients: 1 });
  onTestFinished(() => feed.stop());
  return { feed, changesAfter };
}

describe('who listens', () => {
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

  it('and went before he was let in keeps no place', async () => {
    const { feed, changesAfter } = feedOf();
    const res = unread();
    res.destroy();
    feed.join({ res, isLive: undefined }, '');
    await vi.advanceTimersByTimeAsync(1_000);
    expect([feed.isFull(), changesAfter.mock.calls.length]).toEqual([false, 0]);
  });
});
