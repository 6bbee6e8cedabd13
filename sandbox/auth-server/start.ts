import { systemClock } from '../../src/domain/clock.js';
import { troubleControl } from '../stand-in/control.js';
import { type Journal, openJournal } from '../stand-in/journal.js';
import type { Listener, StandIn, StandInOptions } from '../stand-in/listener.js';
import { startStandIn } from '../stand-in/start.js';
import { type CallLog, createCallLog } from './control/call-log.js';
import type { AuthServerControl, LedgerView } from './control/control.js';
import { controlRoutes } from './control/control-routes.js';
import { createFaults, type Faults } from './faults.js';
import { providerRoutes } from './http/provider-routes.js';
import { type Book, createBook, type Debit } from './state/book.js';

export interface AuthServerSandboxOptions extends StandInOptions {
  /** Recover the signer of every EIP-3009 authorization (about a millisecond each); default false. */
  readonly checkSignatures?: boolean;
}

export type AuthServerSandbox = AuthServerControl & StandIn;

/**
 * Starts a stateful auth server on the loopback interface.
 * @throws Error when the port is taken or the journal cannot be read
 */
export async function startAuthServerSandbox(options: AuthServerSandboxOptions = {}): Promise<AuthServerSandbox> {
  const parts = await assemble(options);
  const { port, checkSignatures = false } = options;
  return await startStandIn({ port, journal: parts.journal, switchesAt: '/_sandbox' }, (listener) => {
    const control = controlOf(parts, listener);
    const provider = [providerRoutes({ ...parts, checkSignatures, closing: listener.closing })];
    return { control, switches: controlRoutes(control), provider, errorBody };
  });
}

interface Parts {
  readonly book: Book;
  readonly calls: CallLog;
  readonly faults: Faults;
  readonly journal: Journal;
}

async function assemble({ stateDir, seed, clock = systemClock }: AuthServerSandboxOptions): Promise<Parts> {
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

function controlOf(parts: Parts, listener: Listener): AuthServerControl {
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
