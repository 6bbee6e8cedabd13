import type { ServerResponse } from 'node:http';
import type { Change } from '../../ledger/reading/changes.js';
import type { Logger } from '../../observability/logger.js';

export interface ChangeFeedDependencies {
  readonly ledger: {
    newestSeq(): Promise<string>;
    changesAfter(seq: string, limit: number): Promise<readonly Change[]>;
  };
  readonly logger: Logger;
  /** More are refused; each holds a connection. */
  readonly mostClients?: number | undefined;
  readonly pollMs?: number | undefined;
  readonly heartbeatMs?: number | undefined;
}

interface Client {
  readonly res: ServerResponse;
  /** Whether it would be let in now. */
  readonly isLive: () => Promise<boolean>;
}

const MOST_CLIENTS = 100;
const POLL_MS = 1_000;
const HEARTBEAT_MS = 15_000;
/** Of more at once nobody reads each: everything is read anew. */
const MOST_TOLD = 500;
/** Of all that may have been late. */
const MOST_READ = 5_000;
/** Everything is not read anew every second. */
const POLLS_AFTER_RESET = 5;
/** A number may be given out long before its row is seen: transactions take no longer than this. */
const LATE_MS = 15_000;
/** As many before the last that a client has seen may have been late. */
const LATE_SEQS = 200n;
/** A client that does not read is let go. */
const MOST_UNREAD_BYTES = 256 * 1024;

/** Tells whoever listens what happens in the ledger: one look a second for all of them, and none while nobody listens. */
export function createChangeFeed(dependencies: ChangeFeedDependencies) {
  const { ledger, logger, mostClients = MOST_CLIENTS, pollMs = POLL_MS, heartbeatMs = HEARTBEAT_MS } = dependencies;
  const clients = new Set<Client>();
  const window = createWindow();
  let isStopped = false;
  let isBeating = false;
  let polling: NodeJS.Timeout | undefined;
  let beating: NodeJS.Timeout | undefined;

  function write(client: Client, text: string): void {
    if (client.res.writableEnded) return;
    client.res.write(text);
    if (client.res.writableLength > MOST_UNREAD_BYTES) client.res.destroy();
  }

  async function poll(): Promise<void> {
    let afterMs = pollMs;
    try {
      const found = await ledger.changesAfter(window.floor(), MOST_READ);
      const fresh = window.fresh(found, Date.now());
      const isTooMuch = found.length === MOST_READ || fresh.length > MOST_TOLD;
      if (isTooMuch) window.reset(await ledger.newestSeq());
      const text = isTooMuch ? RESET : told(fresh);
      if (text !== '') for (const client of clients) write(client, text);
      if (isTooMuch) afterMs = pollMs * POLLS_AFTER_RESET;
    } catch (error) {
      // Whoever listens hears of it a little later: nothing is passed over.
      logger.debug({ err: error }, 'changes could not be read; they are read again');
    }
    if (clients.size > 0 && !isStopped) polling = setTimeout(() => void poll(), afterMs).unref();
    else polling = undefined;
  }

  /** The next one waits: a ledger that hangs is not asked more and more. */
  async function beat(): Promise<void> {
    if (isBeating) return;
    isBeating = true;
    await Promise.all([...clients].map(beatOf));
    isBeating = false;
  }

  async function beatOf(client: Client): Promise<void> {
    // While the ledger does not answer there is nothing to tell either.
    const isLive = await client.isLive().catch(() => true);
    if (isLive) write(client, ': still here\n\n');
    else end(client);
  }

  /** Nothing is written to it from now on: until it has read all that there was it stays open, and an end is an end. */
  function end(client: Client): void {
    leave(client);
    client.res.end();
  }

  function leave(client: Client): void {
    clients.delete(client);
    if (clients.size > 0) return;
    clearInterval(beating);
    beating = undefined;
  }

  return {
    /** Nobody else is let in. */
    isFull: (): boolean => isStopped || clients.size >= mostClients,

    /** To be called before {@link join}. @param lastSeen the number of the last change that this client has been told */
    async missed(lastSeen: string | undefined): Promise<string> {
      if (clients.size === 0) window.reset(await ledger.newestSeq());
      if (lastSeen === undefined) return '';
      const from = BigInt(lastSeen) - LATE_SEQS;
      const found = await ledger.changesAfter((from < 0n ? 0n : from).toString(), MOST_TOLD);
      return found.length === MOST_TOLD ? RESET : told(found);
    },

    /** Tells this client from now on. */
    join(client: Client, missed: string): void {
      // Who went while he was looked up tells it no more, and would keep a place for ever. An answer without a connection of its
      // own stands behind another one of the same connection: one may have many of those, and none of them tells when he goes.
      if (isStopped || clients.size >= mostClients || client.res.destroyed || client.res.socket === null) {
        client.res.end();
        return;
      }
      clients.add(client);
      client.res.on('close', () => leave(client));
      client.res.write(`retry: 2000\n\n${missed}`);
      polling ??= setTimeout(() => void poll(), pollMs).unref();
      beating ??= setInterval(() => void beat(), heartbeatMs).unref();
    },

    /** Ends all of them: a server that stops waits for its connections. */
    stop(): void {
      isStopped = true;
      clearTimeout(polling);
      clearInterval(beating);
      for (const { res } of clients) res.end();
      clients.clear();
    },
  };
}

export type ChangeFeed = ReturnType<typeof createChangeFeed>;

const RESET = 'event: reset\ndata: {}\n\n';

/** The last change of each item: it is a word to read anew, and not the news itself. */
function told(changes: readonly Change[]): string {
  const last = new Map(changes.map((change) => [`${change.kind}/${change.id}`, change]));
  return changes
    .filter((change) => last.get(`${change.kind}/${change.id}`) === change)
    .map(({ seq, kind, id, at }) => `id: ${seq}\nevent: change\ndata: ${JSON.stringify({ kind, id, at })}\n\n`)
    .join('');
}

/** What has been told of the newest changes, so that a late one is told too, and none twice. */
function createWindow() {
  let floor = 0n;
  const seen = new Map<string, number>();
  return {
    floor: (): string => floor.toString(),
    reset(seq: string): void {
      floor = BigInt(seq);
      seen.clear();
    },
    fresh(found: readonly Change[], nowMs: number): readonly Change[] {
      const fresh = found.filter(({ seq }) => !seen.has(seq));
      for (const { seq } of fresh) seen.set(seq, nowMs);
      for (const [seq, sinceMs] of seen) {
        if (nowMs - sinceMs < LATE_MS) continue;
        seen.delete(seq);
        if (BigInt(seq) > floor) floor = BigInt(seq);
      }
      return fresh;
    },
  };
}
