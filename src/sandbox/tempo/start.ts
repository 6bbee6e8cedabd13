import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import express, { type ErrorRequestHandler } from 'express';
import type { Address } from 'viem';
import { type Clock, systemClock } from '../../domain/clock.js';
import { type Journal, memoryJournal, openJournal } from '../journal.js';
import { type Listener, listen } from '../listener.js';
import { type CallLog, type CallsView, createCallLog } from './call-log.js';
import { type Chain, createChain } from './chain.js';
import { controlRoutes } from './control-routes.js';
import { SANDBOX_CHAIN_ID, SANDBOX_CURRENCY } from './defaults.js';
import { createFaults, type FaultRule, type Faults } from './faults.js';
import { type LedgerView, ledgerView } from './ledger-view.js';
import { rpcRoutes } from './rpc-routes.js';

export interface TempoSandboxOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Where the journal lives; absent: nothing outlives the process. */
  readonly stateDir?: string;
  readonly clock?: Clock;
  /** Draws of the fault rules; the same calls in the same order meet the same faults. */
  readonly seed?: number;
  readonly chainId?: number;
}

/** The same switches as under /control, for tests in this process. */
export interface TempoControl {
  ledger(): LedgerView;
  calls(): CallsView;
  faults(): readonly FaultRule[];
  isDown(): boolean;
  /** Replaces all fault rules. @throws ZodError when a rule does not read */
  setFaults(rules: readonly FaultRule[], seed?: number): void;
  /** Answers 503 to every RPC call, and nothing is carried out. */
  setDown(down: boolean): void;
  /** Closes the listening socket and every connection; comes back on the same port after `forMs`, or with `revive`. */
  die(forMs?: number): Promise<void>;
  revive(): Promise<void>;
  /** Atomic units; of the default token unless another is named. */
  setBalance(owner: string, balance: bigint, token?: string): Promise<void>;
  /** Carries out what the fault `stay_pending` left in the pool, unless it has expired there. */
  mine(): Promise<void>;
  /** Forgets the chain, calls and faults, on disk too. */
  reset(): Promise<void>;
}

export interface TempoSandbox extends TempoControl {
  /** What `TEMPO_RPC_URL` is set to. */
  readonly url: string;
  readonly port: number;
  readonly chainId: number;
  close(): Promise<void>;
}

/**
 * Starts a Tempo node with a channel reserve (TIP-1034) on the loopback interface.
 * @throws Error when the port is taken or the journal cannot be read
 */
export async function startTempoSandbox(options: TempoSandboxOptions = {}): Promise<TempoSandbox> {
  const parts = await assemble(options);
  const closing = new AbortController();
  // Every slow call waits on it, and any number of calls may be slow at once.
  setMaxListeners(0, closing.signal);
  const app = express().disable('x-powered-by').disable('etag');
  const listener = await listen(options.port ?? 0, app);
  const control = controlOf(parts, listener, options.seed ?? 1);
  app.use('/control', controlRoutes(control));
  app.use(rpcRoutes({ ...parts, closing: closing.signal }));
  app.use(answerError);
  return {
    ...control,
    chainId: parts.chain.chainId,
    port: listener.port,
    url: `http://127.0.0.1:${listener.port}`,
    async close() {
      closing.abort();
      await listener.silence();
      await parts.journal.close();
    },
  };
}

interface Parts {
  readonly chain: Chain;
  readonly calls: CallLog;
  readonly faults: Faults;
  readonly journal: Journal;
}

async function assemble({ stateDir, seed, clock = systemClock, chainId }: TempoSandboxOptions): Promise<Parts> {
  const { journal, entries } =
    stateDir === undefined ? { journal: memoryJournal, entries: [] } : await openJournal(join(stateDir, 'tempo.jsonl'));
  const chain = createChain({ chainId: chainId ?? SANDBOX_CHAIN_ID, clock, journal });
  for (const entry of entries as Readonly<Record<string, unknown>>[]) {
    if (entry.t === 'reset') chain.clear();
    else await chain.replay(entry);
  }
  return { chain, journal, calls: createCallLog(clock), faults: createFaults(seed) };
}

function controlOf({ chain, calls, faults, journal }: Parts, listener: Listener, seed: number): TempoControl {
  return {
    ledger: () => ledgerView(chain),
    calls: () => calls.view(),
    faults: () => faults.rules(),
    isDown: () => faults.isDown(),
    setFaults: (rules, newSeed) => faults.set(rules, newSeed),
    setDown: (down) => faults.setDown(down),
    die: (forMs) => listener.silence(forMs),
    revive: () => listener.revive(),
    setBalance(owner, balance, token = SANDBOX_CURRENCY) {
      chain.setBalance(token as Address, owner as Address, balance);
      return chain.durable();
    },
    mine() {
      chain.minePool();
      return chain.durable();
    },
    async reset() {
      faults.set([], seed);
      faults.setDown(false);
      chain.clear();
      calls.clear();
      await journal.append({ t: 'reset' });
    },
  };
}

/** Bad bodies and calls cut short by the end of the stand-in; express would print them to the console. */
const answerError: ErrorRequestHandler = (error: { status?: number }, _req, res, _next) => {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const status = error.status ?? 500;
  res.status(status).json({
    jsonrpc: '2.0',
    id: null,
    error: { code: status < 500 ? -32_700 : -32_603, message: status < 500 ? 'not read' : 'internal error' },
  });
};
