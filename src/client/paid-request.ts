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

/** A second voucher is signed for a request where our own signature explains the refusal of the first; a third never is. */
const MOST_VOUCHERS = 2;

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
 * A refused voucher. If a voucher of ours that is as high or higher is provably in the payee's hands, another process of this
 * payer was faster, and the money of that voucher was signed before: one price may be signed on top of it, once. If not, the
 * next plan refuses.
 * @param proven the highest amount of ours that the server has proved to hold, or has captured on chain
 */
export function noteRefusal({ trail }: PaidRequest, signed: bigint, proven: bigint): void {
  trail.refusals += 1;
  trail.refusedOnce = proven < signed;
  if (trail.refusals < MOST_VOUCHERS) return;
  throw new SessionPaymentError(
    'hint_unprovable',
    `the server refused ${trail.refusals} vouchers for one request, the last of ${signed}${trail.why}`,
  );
}
