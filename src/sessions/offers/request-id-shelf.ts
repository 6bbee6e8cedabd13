import type { CallBreaker } from './call-breaker.js';
import type { PaymentRequestTerms } from './payment-requests.js';

/** A call that is under way. */
export interface RequestCall {
  readonly since: number;
  readonly abort: () => void;
}

/** The ids of one kind of terms: those that are kept, those that are on their way, and who waits for one. */
export interface Shelf {
  readonly terms: PaymentRequestTerms;
  readonly breaker: CallBreaker;
  /** The oldest first. */
  readonly calls: Set<RequestCall>;
  /** True while it can do with one more call. */
  lacks(): boolean;
  /** Somebody asks: the newest id, if there is one. */
  newest(nowMs: number): string | undefined;
  /** Ends the wait of one, or is kept. */
  put(id: string, since: number): void;
  wait(): Waiter;
  readonly waiting: () => boolean;
  /** Nothing comes for those who wait. */
  dismiss(): void;
}

export interface Waiter {
  readonly told: Promise<void>;
  /** @returns what came meanwhile; from now on nothing does */
  leave(): string | undefined;
}

/** Calls under way for one kind of terms. */
const EACH_IN_FLIGHT = 8;
/** Ids kept ahead of those who ask: one at first, more where they are taken faster than they come. */
const MOST_AHEAD = 16;
/**
 * How long the auth server remembers a payment request is not documented. Its client knows that one can expire, and asks for
 * a new one then (npm @atxp/client, `PaymentExpiredError`); its server may state one again that it has kept
 * (npm @atxp/server, `getExistingPaymentId`).
 */
const MAX_AGE_MS = 10 * 60_000;

export function createShelf(terms: PaymentRequestTerms, breaker: CallBreaker): Shelf {
  const calls = new Set<RequestCall>();
  const waiters = new Set<(id: string | undefined) => void>();
  let kept: { readonly id: string; readonly since: number }[] = [];
  let ahead = 1;
  return {
    terms,
    breaker,
    calls,
    lacks: () => calls.size < EACH_IN_FLIGHT && kept.length + calls.size < ahead + waiters.size,
    newest(nowMs) {
      const fresh = kept.filter(({ since }) => nowMs - since < MAX_AGE_MS);
      if (fresh.length < kept.length) ahead = Math.max(Math.floor(ahead / 2), 1);
      kept = fresh;
      // Should the auth server forget sooner than we think, whoever asks again has one that it knows.
      const taken = kept.pop();
      if (taken === undefined && calls.size > 0) ahead = Math.min(ahead * 2, MOST_AHEAD);
      return taken?.id;
    },
    put(id, since) {
      const [tell] = waiters;
      if (tell === undefined) kept.push({ id, since });
      else tell(id);
    },
    wait() {
      let came: string | undefined;
      let tell: (id: string | undefined) => void = () => undefined;
      const told = new Promise<void>((resolve) => {
        tell = (id) => {
          waiters.delete(tell);
          came = id;
          resolve();
        };
      });
      waiters.add(tell);
      return {
        told,
        leave() {
          waiters.delete(tell);
          return came;
        },
      };
    },
    waiting: () => waiters.size > 0,
    dismiss() {
      for (const tell of waiters) tell(undefined);
    },
  };
}
