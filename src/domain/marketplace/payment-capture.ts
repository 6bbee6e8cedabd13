import type { Certainty } from '../calls/certainty.js';
import type { CaptureId } from '../ids.js';
import { type Given, spread } from './lines.js';

/** `manual`: captured once, by hand, in whole or in part; `manual_multiple`: in several parts. */
export const CAPTURE_METHODS = ['automatic', 'manual', 'manual_multiple'] as const;
export type CaptureMethod = (typeof CAPTURE_METHODS)[number];

/** Hyperswitch's words for money of a buyer that is held, and can be captured. */
const CAPTURABLE: ReadonlySet<string> = new Set(['requires_capture', 'partially_captured_and_capturable']);
export const isCapturable = (providerStatus: string | null): boolean =>
  providerStatus !== null && CAPTURABLE.has(providerStatus);

/** What a payment is made with, and passed on as it is. */
export interface PassedOn {
  readonly customer?: { readonly id: string; readonly name?: string; readonly email?: string };
  readonly returnUrl?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface PaymentTerms {
  readonly captureMethod: CaptureMethod;
  /** Of Hyperswitch's; null: the one that its key has. */
  readonly profileId: string | null;
  readonly passedOn: PassedOn;
}

/** How a payment is made where nobody says anything. */
export const PLAIN_TERMS: PaymentTerms = { captureMethod: 'automatic', profileId: null, passedOn: {} };

/** One part of a payment that is captured by hand. `refused`: it surely was not captured, and is not asked for again. */
export interface Capture {
  readonly id: CaptureId;
  readonly amount: bigint;
  readonly final: boolean;
  readonly status: 'open' | 'done' | 'refused';
  readonly certainty: Certainty;
  readonly detail: string | null;
  readonly createdAt: string;
}

interface PaidLine {
  readonly position: number;
  readonly amount: bigint;
  readonly fee: bigint;
}

/**
 * What each line of an order comes to of which only a part was captured: the same part of each, in whole steps, the largest remainders
 * first. Together never more than was captured; a fee is rounded down, in the seller's favour, and never above its line.
 */
export function partsOfLines(lines: readonly PaidLine[], captured: bigint, step: bigint): readonly PaidLine[] {
  const parts = new Map(
    spread(captured - (captured % step), lines as readonly Given[], step).map(({ position, amount }) => [
      position,
      amount,
    ]),
  );
  return lines.map(({ position, amount, fee }) => {
    const part = parts.get(position) ?? 0n;
    const scaled = (fee * part) / amount;
    return { position, amount: part, fee: scaled - (scaled % step) };
  });
}

/** `600 done, 400 refused (Hyperswitch …)`: the parts that were asked for, and what became of each. */
export const partsInWords = (parts: readonly Capture[]): string =>
  parts
    .map(({ amount, final, status, certainty, detail }) => {
      const is = status === 'open' ? `open, ${certainty.replace('_', ' ')}` : status;
      return `${amount} ${is}${final ? ', the last' : ''}${status === 'done' || detail === null ? '' : ` (${detail})`}`;
    })
    .join('; ');
