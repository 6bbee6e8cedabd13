import { systemClock } from '../../src/domain/clock.js';
import { type CommonControl, troubleControl } from '../control.js';
import { type Journal, openJournal } from '../journal.js';
import { answerErrors, type Listener, listen, type StandIn, type StandInOptions } from '../listener.js';
import { type Book, createBook, type Debit } from './book.js';
import { type CallLog, type CallTotals, createCallLog, type KeyCalls } from './call-log.js';
import type { SandboxProtocol } from './claim.js';
import { controlRoutes } from './control-routes.js';
import { createFaults, type FaultRule, type Faults } from './faults.js';
import { providerRoutes } from './provider-routes.js';

export interface SandboxOptions extends StandInOptions {
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
export interface SandboxControl extends CommonControl<FaultRule, LedgerView, CallsView> {
  downProtocols(): readonly SandboxProtocol[];
  /** Answers 503 to everything (or to these protocols), and nothing is committed. */
  setDown(down: boolean, protocols?: readonly SandboxProtocol[]): void;
  /** `payer`: an ATXP account id, or a wallet address in lower case. */
  setBalance(payer: string, balance: bigint): Promise<void>;
}

export type Sandbox = SandboxControl & StandIn;

/**
 * Starts a stateful auth server on the loopback interface.
 * @throws Error when the port is taken or the journal cannot be read
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const parts = await assemble(options);
  const listener = await listen(options.port);
  const { app, port, url, closing } = listener;
  const control = controlOf(parts, listener);
  const { checkSignatures = false } = options;
  app.use('/_sandbox', controlRoutes(control));
  app.use(providerRoutes({ ...parts, checkSignatures, closing }));
  app.use(answerErrors(errorBody));
  return {
    ...control,
    port,
    url,
    async close() {
      await listener.close();
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
  const { journal, entries } = await openJournal(stateDir, 'auth-server.jsonl');
  const parts = {
    journal,
    book: createBook(clock, journal),
    calls: createCallLog(clock, journal),
    faults: createFaults(seed),
  };
  for (const entry of entries) {
    if (entry.t === 'reset') forget(parts);
    else if (!parts.book.replay(entry)) parts.calls.replay(entry);
  }
  return parts;
}

function forget({ book, calls }: Parts): void {
  book.clear();
  calls.clear();
}

function controlOf(parts: Parts, listener: Listener): SandboxControl {
  const { book, calls, faults, journal } = parts;
  return {
    ...troubleControl(faults, listener),
    ledger: () => ledgerView(book.debits(), (payer) => book.balanceOf(payer)),
    calls: () => ({ keys: calls.keys(), totals: calls.totals() }),
    downProtocols: () => faults.downProtocols(),
    setDown: (down, protocols) => faults.setDown(down, protocols),
    setBalance: (payer, balance) => book.setBalance(payer, balance),
    async reset() {
      faults.clear();
      forget(parts);
      await journal.append({ t: 'reset' });
    },
  };
}

const errorBody = (status: number) => ({
  error: { code: status < 500 ? 'invalid_request' : 'internal_error', message: 'not read' },
});

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
