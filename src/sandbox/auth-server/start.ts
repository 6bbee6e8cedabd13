import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import express, { type ErrorRequestHandler } from 'express';
import { type Clock, systemClock } from '../../domain/clock.js';
import { type Journal, memoryJournal, openJournal } from '../journal.js';
import { type Listener, listen } from '../listener.js';
import { type Book, createBook, type Debit } from './book.js';
import { type CallLog, type CallTotals, createCallLog, type KeyCalls } from './call-log.js';
import type { SandboxProtocol } from './claim.js';
import { controlRoutes } from './control-routes.js';
import { createFaults, type FaultRule, type Faults } from './faults.js';
import { providerRoutes } from './provider-routes.js';

export interface SandboxOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Where the journal lives; absent: nothing outlives the process. */
  readonly stateDir?: string;
  readonly clock?: Clock;
  /** Draws of the fault rules; the same calls in the same order meet the same faults. */
  readonly seed?: number;
  /** Recover the signer of every EIP-3009 authorization (about a millisecond each); default false. */
  readonly checkSignatures?: boolean;
}

/** Amounts are atomic USDC as digits. */
export interface LedgerView {
  readonly debits: readonly (Omit<Debit, 'amount'> & { readonly amount: string })[];
  readonly payers: Readonly<Record<string, { debits: number; debited: string; balance: string }>>;
  readonly totals: { readonly debits: number; readonly debited: string };
}
export interface CallsView {
  readonly keys: readonly KeyCalls[];
  readonly totals: CallTotals;
}

/** The same switches as under /_sandbox, for tests in this process. */
export interface SandboxControl {
  ledger(): LedgerView;
  calls(): CallsView;
  faults(): readonly FaultRule[];
  downProtocols(): readonly SandboxProtocol[];
  /** Replaces all fault rules. @throws ZodError when a rule does not read */
  setFaults(rules: readonly FaultRule[], seed?: number): void;
  /** Answers 503 to everything (or to these protocols), and nothing is committed. */
  setDown(down: boolean, protocols?: readonly SandboxProtocol[]): void;
  /** Closes the listening socket and every connection; comes back on the same port after `forMs`, or with `revive`. */
  die(forMs?: number): Promise<void>;
  revive(): Promise<void>;
  /** `payer`: an ATXP account id, or a wallet address in lower case. */
  setBalance(payer: string, balance: bigint): Promise<void>;
  /** Forgets money, calls and faults, on disk too. */
  reset(): Promise<void>;
}

export interface Sandbox extends SandboxControl {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Starts a stateful auth server on the loopback interface.
 * @throws Error when the port is taken or the journal cannot be read
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const parts = await assemble(options);
  const closing = new AbortController();
  // Every slow call waits on it, and any number of calls may be slow at once.
  setMaxListeners(0, closing.signal);
  const app = express().disable('x-powered-by').disable('etag');
  const listener = await listen(options.port ?? 0, app);
  const control = controlOf(parts, listener, options.seed ?? 1);
  app.use('/_sandbox', controlRoutes(control));
  app.use(
    providerRoutes({
      book: parts.book,
      calls: parts.calls,
      faults: parts.faults,
      checkSignatures: options.checkSignatures ?? false,
      closing: closing.signal,
    }),
  );
  app.use(answerError);
  return {
    ...control,
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
  readonly book: Book;
  readonly calls: CallLog;
  readonly faults: Faults;
  readonly journal: Journal;
}

async function assemble({ stateDir, seed, clock = systemClock }: SandboxOptions): Promise<Parts> {
  const opened =
    stateDir === undefined
      ? { journal: memoryJournal, entries: [] }
      : await openJournal(join(stateDir, 'auth-server.jsonl'));
  const { journal } = opened;
  const parts = {
    journal,
    book: createBook(clock, journal),
    calls: createCallLog(clock, journal),
    faults: createFaults(seed),
  };
  for (const entry of opened.entries as Readonly<Record<string, unknown>>[]) {
    if (entry.t === 'reset') forget(parts);
    else if (!parts.book.replay(entry)) parts.calls.replay(entry);
  }
  return parts;
}

function forget({ book, calls }: Parts): void {
  book.clear();
  calls.clear();
}

function controlOf(parts: Parts, listener: Listener, seed: number): SandboxControl {
  const { book, calls, faults, journal } = parts;
  return {
    ledger: () => ledgerView(book.debits(), (payer) => book.balanceOf(payer)),
    calls: () => ({ keys: calls.keys(), totals: calls.totals() }),
    faults: () => faults.rules(),
    downProtocols: () => faults.downProtocols(),
    setFaults: (rules, newSeed) => faults.set(rules, newSeed),
    setDown: (down, protocols) => faults.setDown(down, protocols),
    die: (forMs) => listener.silence(forMs),
    revive: () => listener.revive(),
    setBalance: (payer, balance) => book.setBalance(payer, balance),
    async reset() {
      faults.set([], seed);
      faults.setDown(false);
      forget(parts);
      await journal.append({ t: 'reset' });
    },
  };
}

/** Bad control bodies and calls cut short by the end of the sandbox; express would print them to the console. */
const answerError: ErrorRequestHandler = (error: { status?: number }, _req, res, _next) => {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const status = error.status ?? 500;
  res
    .status(status)
    .json({ error: { code: status < 500 ? 'invalid_request' : 'internal_error', message: 'not read' } });
};

function ledgerView(debits: readonly Debit[], balanceOf: (payer: string) => bigint): LedgerView {
  const payers: Record<string, { debits: number; debited: string; balance: string }> = {};
  let total = 0n;
  for (const { payer, amount } of debits) {
    const before = payers[payer] ?? { debits: 0, debited: '0', balance: balanceOf(payer).toString() };
    payers[payer] = { ...before, debits: before.debits + 1, debited: (BigInt(before.debited) + amount).toString() };
    total += amount;
  }
  return {
    debits: debits.map((debit) => ({ ...debit, amount: debit.amount.toString() })),
    payers,
    totals: { debits: debits.length, debited: total.toString() },
  };
}
