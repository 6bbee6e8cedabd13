import type { Protocol } from '../../domain/settlements/settlement-status.js';
import { MPP_METHOD, type Offer, type SupportedSchemes } from './offers.js';
import { createPatience, type Patience } from './patience.js';

export interface SupportedSchemesKeeper {
  /**
   * What the auth server last said about how its schemes are settled. It waits for the auth server only while something
   * that these offers need was never heard, and no longer than `patience` where it can do without; afterwards an outage leaves
   * the last answer in place.
   */
  knownFor(offers: readonly Offer[], asked?: AskedFor): Promise<SupportedSchemes>;
}

export interface AskedFor {
  /** The protocol of the credential that was presented: it is not decided without what its offer needs. */
  readonly paidBy?: Protocol | undefined;
  /** True: the route sells by something else too. */
  readonly sellsOtherwise?: boolean;
  readonly patience?: Patience;
}

/** Schemes do not change from one minute to the next; a credential signed on the old facts gets a fresh 402. */
const REFRESH_MS = 5 * 60_000;
/** After a failure a paid request must not wait for the same outage again and again. */
const RETRY_MS = 5_000;

/** @param ask never rejects for an outage: what cannot be read is not there */
export function createSupportedSchemes(
  ask: () => Promise<SupportedSchemes>,
  monotonicMs: () => number = () => performance.now(),
): SupportedSchemesKeeper {
  let last: SupportedSchemes = { x402: {}, mpp: {} };
  let nextAskAt = 0;
  let asking: { readonly since: number; readonly done: Promise<void> } | undefined;

  async function refresh(): Promise<void> {
    try {
      const heard = await ask();
      const whole = Object.keys(heard.x402).length > 0 && Object.keys(heard.mpp).length > 0;
      last = { x402: { ...last.x402, ...heard.x402 }, mpp: { ...last.mpp, ...heard.mpp } };
      nextAskAt = monotonicMs() + (whole ? REFRESH_MS : RETRY_MS);
    } catch {
      nextAskAt = monotonicMs() + RETRY_MS;
    } finally {
      asking = undefined;
    }
  }

  return {
    async knownFor(offers, { paidBy, sellsOtherwise = false, patience = createPatience() } = {}) {
      if (!offers.some((offer) => offer.scheme === 'upto' || offer.scheme === 'session')) return last;
      const nowMs = monotonicMs();
      if (nowMs >= nextAskAt) asking ??= { since: nowMs, done: refresh() };
      const unknown = offers.filter((offer) => !isKnown(offer, last));
      if (asking === undefined || unknown.length === 0) return last;
      const nothingElse = unknown.length === offers.length && !sellsOtherwise;
      const decides = paidBy === undefined ? nothingElse : unknown.some((offer) => offer.protocol === paidBy);
      if (decides) await asking.done;
      else if (nowMs - asking.since < patience.ms) await patience.outlast(asking.done);
      return last;
    },
  };
}

/** An answer that names other networks is an answer: nobody waits for one that the auth server does not settle on. */
function isKnown(offer: Offer, supportedSchemes: SupportedSchemes): boolean {
  if (offer.scheme === 'upto') return Object.keys(supportedSchemes.x402).length > 0;
  return offer.scheme !== 'session' || supportedSchemes.mpp[MPP_METHOD] !== undefined;
}
