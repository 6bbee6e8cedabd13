import type { PaymentReadFacts } from '../calls/provider-answers.js';
import type { PaymentStatus } from './marketplace-status.js';

/** What was taken from a buyer, in the order's own currency. */
export interface Captured {
  /** So much at least; as much can be given back. */
  readonly surely: bigint;
  /** False: more may have been captured, or in another currency. */
  readonly known: boolean;
}

export interface Expected {
  readonly currency: string;
  readonly status: PaymentStatus;
  readonly captured: Captured;
}

/** What a reading leaves of what was known before. */
export function capturedOf({ currency, status, captured }: Expected, facts: PaymentReadFacts): Captured {
  const { amountReceived: received, capturedByWord: word } = facts;
  if (word === 'given_back') return status === 'succeeded' ? captured : { surely: 0n, known: true };
  const contradicts = received === 0n && (word === 'a_part' || word === 'the_whole');
  const isNothing = !contradicts && (received ?? (word === 'nothing' ? 0n : null)) === 0n;
  if (isNothing) return { surely: captured.surely, known: true };
  const amount = received ?? (word === 'the_whole' ? facts.amount : null);
  return contradicts || amount === null || facts.currency !== currency
    ? { surely: captured.surely, known: false }
    : { surely: amount, known: true };
}

export const isSameCaptured = (one: Captured, other: Captured): boolean =>
  one.surely === other.surely && one.known === other.known;

/** `400`, `unknown`, `at least 400` */
export const capturedInWords = ({ surely, known }: Captured): string =>
  known ? `${surely}` : surely === 0n ? 'unknown' : `at least ${surely}`;
