import { SessionPaymentError } from './errors.js';
import type { Exchange } from './exchange.js';
import type { Payer } from './payer.js';

/** One request of the caller while it is paid for. */
export interface PaidRequest {
  readonly payer: Payer;
  readonly exchange: Exchange;
  readonly trail: Trail;
}

/** What has happened to one request so far; it bounds what a server can make us sign by refusing. */
interface Trail {
  /** A voucher was refused, and no signature of ours explains it. */
  refusedOnce: boolean;
  refusals: number;
  why: string;
  toppedUp: boolean;
  reopened: boolean;
  /** Channels that the server does not know any more, lower case. */
  readonly gone: Set<string>;
}

/** How often other processes of the same payer may be faster than this request; each time one price more is signed. */
const MOST_REFUSALS = 5;

export const paidRequest = (payer: Payer, exchange: Exchange): PaidRequest => ({
  payer,
  exchange,
  trail: {
    refusedOnce: false,
    refusals: 0,
    why: '',
    toppedUp: false,
    reopened: false,
    gone: new Set(),
  },
});

/**
 * A refused voucher. If the server shows a voucher of ours that is as high or higher, another process of this payer was
 * faster, and the money of that voucher was signed before: one more price may be signed on top. If not, the next plan
 * refuses.
 * @param shown the highest voucher of ours that the server has proved to hold
 */
export function noteRefusal({ trail }: PaidRequest, signed: bigint, shown: bigint): void {
  trail.refusals += 1;
  trail.refusedOnce = shown < signed;
  if (trail.refusedOnce || trail.refusals < MOST_REFUSALS) return;
  throw new SessionPaymentError(
    'channel_busy',
    `other processes of this payer were faster ${trail.refusals} times; the last voucher was of ${signed}`,
  );
}
