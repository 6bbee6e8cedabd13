import type { Clock } from '../../../src/domain/clock.js';
import { addOne, createRecent } from '../../stand-in/call-counts.js';

/** One call of a method; raw transactions are kept in the ledger, not here. */
export interface LoggedCall {
  readonly at: number;
  readonly method: string;
  /** Null while it is at work, and where no answer was given. */
  readonly answered: 'result' | 'error' | null;
  readonly fault: string | null;
}

export interface CallsView {
  /** The newest, oldest of them first. */
  readonly calls: readonly LoggedCall[];
  /** How often each method was called. */
  readonly methods: Readonly<Record<string, number>>;
  readonly totals: { readonly calls: number };
}

export interface CallInProgress {
  note(outcome: Partial<Pick<LoggedCall, 'answered' | 'fault'>>): void;
}

export interface CallLog {
  begin(method: string): CallInProgress;
  view(): CallsView;
  clear(): void;
}

export function createCallLog(clock: Clock): CallLog {
  const calls = createRecent<LoggedCall>();
  const methods = new Map<string, number>();
  return {
    begin(method) {
      const call = { at: clock.nowMs(), method, answered: null, fault: null };
      calls.add(call);
      addOne(methods, method);
      return { note: (outcome) => void Object.assign(call, outcome) };
    },
    view: () => ({
      calls: calls.all(),
      methods: Object.fromEntries(methods),
      totals: { calls: Array.from(methods.values()).reduce((sum, count) => sum + count, 0) },
    }),
    clear() {
      calls.clear();
      methods.clear();
    },
  };
}
