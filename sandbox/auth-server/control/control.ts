import type { CommonControl } from '../../stand-in/control.js';
import type { SandboxProtocol } from '../claims/claim.js';
import type { FaultRule } from '../faults.js';
import type { Debit } from '../state/book.js';
import type { CallTotals, KeyCalls } from './call-log.js';

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
export interface AuthServerControl extends CommonControl<FaultRule, LedgerView, CallsView> {
  downProtocols(): readonly SandboxProtocol[];
  /** Answers 503 to everything (or to these protocols), and nothing is committed. */
  setDown(down: boolean, protocols?: readonly SandboxProtocol[]): void;
  /** `payer`: an ATXP account id, or a wallet address in lower case. */
  setBalance(payer: string, balance: bigint): Promise<void>;
}
