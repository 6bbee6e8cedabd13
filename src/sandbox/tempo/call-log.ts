import type { Clock } from '../../domain/clock.js';

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

/** A stand-in that runs for weeks must not grow for ever; counts stay complete. */
const KEPT = 10_000;

export function createCallLog(clock: Clock): CallLog {
  let calls: LoggedCall[] = [];
  const methods = new Map<string, number>();
  return {
    begin(method) {
      const call = { at: clock.nowMs(), method, answered: null, fault: null };
      calls.push(call);
      if (calls.length > 2 * KEPT) calls = calls.slice(-KEPT);
      methods.set(method, (methods.get(method) ?? 0) + 1);
      return { note: (outcome) => void Object.assign(call, outcome) };
    },
    view: () => ({
      calls: calls.slice(-KEPT),
      methods: Object.fromEntries(methods),
      totals: { calls: Array.from(methods.values()).reduce((sum, count) => sum + count, 0) },
    }),
    clear() {
      calls = [];
      methods.clear();
    },
  };
}
