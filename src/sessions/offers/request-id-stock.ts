import { canonicalJson } from '../../protocols/wire-json.js';
import { createCallBreaker } from './call-breaker.js';
import type { Patience } from './patience.js';
import type { PaymentRequestOutcome, PaymentRequests, PaymentRequestTerms } from './payment-requests.js';
import { createShelf, type RequestCall, type Shelf } from './request-id-shelf.js';

export interface RequestIdStock {
  /** An id of the auth server's that nobody else is given. @returns undefined: none came while it was worth waiting */
  take(terms: PaymentRequestTerms, patience: Patience): Promise<string | undefined>;
  /** Nothing is asked for any more, and what is being asked for is given up. */
  stop(): void;
}

/** In the background: an auth server that is slow is waited for all the same. */
const CALL_TIMEOUT_MS = 10_000;
/** Calls under way, for all terms together. */
const MOST_IN_FLIGHT = 32;
/** Calls a second: those who only ask for prices must not become a flood at the auth server. */
const MOST_A_SECOND = 200;
/** Kinds of terms that are remembered; a server that makes up its prices has ever new ones. */
const MOST_SHELVES = 256;

/**
 * Payment request ids of the auth server, fetched ahead, so that no 402 pays for its slowness. Each is handed out once. Nothing is
 * asked for but after somebody has asked here: an idle server makes no call, and there is no timer.
 *
 * @param onOutage told once when the calls for some terms begin to fail
 */
export function createRequestIdStock(
  paymentRequests: PaymentRequests,
  onOutage: (detail: string) => void,
  monotonicMs: () => number = () => performance.now(),
): RequestIdStock {
  /** The least recently asked for comes first. */
  const shelves = new Map<string, Shelf>();
  /** Those that lack ids take turns. */
  const lacking = new Set<Shelf>();
  const calls = new Set<RequestCall>();
  const allowance = createAllowance(monotonicMs);
  let stopped = false;

  function shelfFor(terms: PaymentRequestTerms): Shelf {
    const key = canonicalJson({ ...terms });
    const shelf = shelves.get(key) ?? createShelf(terms, createCallBreaker(monotonicMs, onOutage));
    shelves.delete(key);
    shelves.set(key, shelf);
    const [oldest] = shelves;
    if (shelves.size > MOST_SHELVES && oldest !== undefined) forget(...oldest);
    return shelf;
  }

  function forget(key: string, shelf: Shelf): void {
    shelves.delete(key);
    lacking.delete(shelf);
    if (shelf.calls.size === 0) shelf.dismiss();
  }

  function refill(wanted: Shelf | undefined): void {
    if (stopped) return;
    if (wanted?.lacks()) lacking.add(wanted);
    while (calls.size < MOST_IN_FLIGHT) {
      const [shelf] = lacking;
      if (shelf === undefined) return;
      lacking.delete(shelf);
      const ended = allowance.left() ? shelf.breaker.begin() : undefined;
      if (ended !== undefined) {
        allowance.spend();
        void fetchId(shelf, ended);
        if (shelf.lacks()) lacking.add(shelf);
      } else if (shelf.calls.size === 0) shelf.dismiss();
    }
  }

  async function fetchId(shelf: Shelf, ended: (failure: string | undefined) => void): Promise<void> {
    const controller = new AbortController();
    const call: RequestCall = { since: monotonicMs(), abort: () => controller.abort() };
    calls.add(call);
    shelf.calls.add(call);
    const made = await create(shelf.terms, controller.signal);
    calls.delete(call);
    shelf.calls.delete(call);
    if (stopped) return;
    if (made.kind === 'created') {
      ended(undefined);
      shelf.put(made.id, call.since);
    } else ended(made.detail);
    // After a failure it is tried again for those who wait, and ahead for nobody.
    refill(made.kind === 'created' || shelf.waiting() ? shelf : undefined);
  }

  async function create(terms: PaymentRequestTerms, signal: AbortSignal): Promise<PaymentRequestOutcome> {
    try {
      return await paymentRequests.createPaymentRequest({ ...terms, timeoutMs: CALL_TIMEOUT_MS, signal });
    } catch {
      return { kind: 'unavailable', detail: 'the call could not be made' };
    }
  }

  return {
    async take(terms, patience) {
      if (stopped) return undefined;
      const shelf = shelfFor(terms);
      const kept = shelf.newest(monotonicMs());
      if (kept !== undefined) {
        refill(shelf);
        return kept;
      }
      const waiter = shelf.wait();
      refill(shelf);
      const [oldest] = shelf.calls.size > 0 ? shelf.calls : calls;
      // That an answer takes longer than that is found out once, and not by everybody who comes meanwhile.
      if (oldest !== undefined && monotonicMs() - oldest.since < patience.ms) await patience.outlast(waiter.told);
      return waiter.leave();
    },
    stop() {
      stopped = true;
      lacking.clear();
      for (const shelf of shelves.values()) shelf.dismiss();
      shelves.clear();
      for (const call of calls) call.abort();
    },
  };
}

/** So many calls at once, and as many each second. */
function createAllowance(monotonicMs: () => number): { left(): boolean; spend(): void } {
  let calls = MOST_A_SECOND;
  let countedAt = monotonicMs();
  return {
    left() {
      const nowMs = monotonicMs();
      calls = Math.min(calls + ((nowMs - countedAt) * MOST_A_SECOND) / 1_000, MOST_A_SECOND);
      countedAt = nowMs;
      return calls >= 1;
    },
    spend() {
      calls -= 1;
    },
  };
}
