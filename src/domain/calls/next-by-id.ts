import { assertNever } from '../assert-never.js';
import { type Certainty, certaintyAtSend, joinCertainty } from './certainty.js';
import { HYPERSWITCH_ABSENCE } from './key-age.js';
import type { Decision } from './next.js';

/** A money call whose key is the id of what it makes (payments and refunds at Hyperswitch), before this attempt. */
export interface KnownById {
  readonly certainty: Certainty;
  /** An earlier attempt was refused while the outcome of another was unknown. */
  readonly refused: boolean;
}

/** What an attempt has shown, when that is not the thing itself. */
export type SeenById =
  /** It was looked for, and nobody knows: the read failed, or the read beside it that tells whose records these are. */
  | { readonly kind: 'unread'; readonly retryAfterMs: number | null }
  /** What answered is not our account. */
  | { readonly kind: 'not_ours'; readonly sent: boolean }
  /**
   * It is not there. `beside`: whether a payment that must be there was found by the same key. `proofs`: looks since the last
   * send that found nothing, far enough apart, each beside one that found what must be there.
   */
  | { readonly kind: 'missing'; readonly beside: 'ours' | 'none_known'; readonly proofs: number }
  /** Sent, and refused. `records`: what a look after the refusal found. */
  | { readonly kind: 'refused'; readonly records: 'missing' | 'unread' }
  | { readonly kind: 'busy'; readonly retryAfterMs: number | null; readonly executed?: 'no' | 'perhaps' }
  | { readonly kind: 'unclear' }
  | { readonly kind: 'misdirected' };

/** `close`: it has not happened and will not. */
export type DecisionById =
  | Extract<Decision, { do: 'ask' }>
  | Omit<Extract<Decision, { do: 'retry' }>, 'counts'>
  | { readonly do: 'close'; readonly certainty: 'absent' };

export const ASK_AGAIN_MS = 5_000;
const UNCLEAR_PAUSE_MS = 1_000;
const MISDIRECTED_PAUSE_MS = 30_000;
const CLOSED = { do: 'close', certainty: 'absent' } as const;

/** Known to have existed, or refused: only a look can tell more. Otherwise its id is its key, and it is sent again. */
export const isOnlyLookedFor = ({ certainty, refused }: KnownById): boolean => certainty === 'done' || refused;

/** What follows an attempt that did not show the thing itself; {@link next} decides about keys that are no ids. */
export function nextById({ certainty }: KnownById, seen: SeenById): DecisionById {
  const again = (knows: Certainty, afterMs: number) => ({ do: 'retry', certainty: knows, afterMs }) as const;
  switch (seen.kind) {
    case 'unread':
      return again(certainty, seen.retryAfterMs ?? ASK_AGAIN_MS);
    case 'not_ours':
      return { do: 'ask', certainty: seen.sent ? 'unknown' : certainty, reason: 'provider_mismatch' };
    case 'missing':
      // It had it, and nothing is known that would tell whether this key sees anything of ours.
      if (certainty === 'done' && seen.beside === 'none_known')
        return { do: 'ask', certainty, reason: 'provider_mismatch' };
      if (seen.proofs < HYPERSWITCH_ABSENCE.proofs) return again(certainty, HYPERSWITCH_ABSENCE.apartMs);
      return certainty === 'done' ? { do: 'ask', certainty, reason: 'resource_missing' } : CLOSED;
    case 'refused':
      if (seen.records === 'unread') return again('unknown', ASK_AGAIN_MS);
      // A first no is believed when the records hold nothing of ours either; after an unknown it proves nothing.
      return joinCertainty(certaintyAtSend(certainty), 'absent') === 'absent'
        ? CLOSED
        : again('unknown', HYPERSWITCH_ABSENCE.apartMs);
    case 'busy':
      return again(seen.executed === 'no' ? certainty : 'unknown', seen.retryAfterMs ?? ASK_AGAIN_MS);
    case 'unclear':
      return again('unknown', UNCLEAR_PAUSE_MS);
    case 'misdirected':
      return again(certainty, MISDIRECTED_PAUSE_MS);
    default:
      return assertNever(seen);
  }
}
