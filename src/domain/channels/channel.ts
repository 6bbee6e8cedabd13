import type { Brand } from '../brand.js';
import type { SettlementId } from '../ids.js';
import type { JsonObject } from '../json.js';

/** Lower-case `0x` and 64 hex digits. */
export type ChannelId = Brand<string, 'ChannelId'>;

export const parseChannelId = (text: unknown): ChannelId | undefined =>
  typeof text === 'string' && /^0x[0-9a-fA-F]{64}$/.test(text) ? (text.toLowerCase() as ChannelId) : undefined;

/** What makes two channels interchangeable for a payer: a request on one could be paid from the other. */
export interface ChannelTerms {
  readonly chainId: number;
  readonly escrow: string;
  readonly payee: string;
  readonly token: string;
}

/** A payment channel as the ledger has it. Amounts are atomic units; addresses are lower-case hex. */
export interface Channel extends ChannelTerms {
  readonly id: ChannelId;
  readonly payer: string;
  readonly operator: string;
  /** Who the payer is to the application, where it authenticates its clients. */
  readonly identity: string | null;
  readonly deposit: bigint;
  /** Cumulative amount of the highest voucher. */
  readonly accepted: bigint;
  /** Earned, plus what requests under way have reserved. */
  readonly spent: bigint;
  /** Charged by responses that were served. */
  readonly earned: bigint;
  /** Cumulative amount captured on chain. */
  readonly settled: bigint;
  /** Of the highest voucher that was ever sent for capture; null: none was. */
  readonly revealed: bigint | null;
  readonly finalized: boolean;
  readonly closing: boolean;
  /** Its payer closed it at this server, which is for good; on chain a close may be taken back. */
  readonly closedHere: boolean;
  readonly highestVoucher: { readonly cumulative: bigint; readonly signature: string } | null;
  /** The seven fields that its id is made of, as the payer signed them. */
  readonly descriptor: JsonObject;
  readonly units: number;
  /** How long ago the chain was last asked about it, by the clock of Postgres. */
  readonly chainAgeMs: number;
}

/**
 * Whether anybody can have read the voucher of this amount from the transaction that captured it. One above everything
 * captured or sent for capture is known to its payer and to us alone, so whoever shows it is the payer.
 */
export const isPublic = (cumulative: bigint, { settled, revealed }: Pick<Channel, 'settled' | 'revealed'>): boolean =>
  (settled > 0n && cumulative <= settled) || (revealed !== null && cumulative <= revealed);

/** Which channel a request means: by its id, by the payer that a credential names, or by who the application says it is. */
export interface ChannelHints {
  readonly channelId?: ChannelId;
  readonly payer?: string;
  readonly identity?: string;
}

export interface FoundChannel {
  readonly channel: Channel;
  /** True when the highest voucher has paid for a response: the next one must be higher. */
  readonly voucherUsed: boolean;
}

/** A channel as a voucher with a valid signature finds it, before anything is locked or changed. */
export interface VoucherStanding {
  readonly channel: Channel;
  /** It has paid for a response, so it never will again. */
  readonly used: boolean;
  /** The challenge it answers is one that a voucher of this channel was accepted with: only its payer knows it. */
  readonly answersOwnChallenge: boolean;
}

/** Reading and writing one key at a time: what npm mppx asks of a store (`Store.AtomicStore`). */
export interface AtomicStore {
  get(key: string): Promise<unknown>;
  put(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** `change` is synchronous and may run more than once; nobody else changes the key in between. */
  update<Result>(key: string, change: (current: unknown) => AtomicChange<Result>): Promise<Result>;
  /** Records the first use of a key until `expiresAtMs` (Unix). @returns false when it is recorded already */
  tryClaim(key: string, expiresAtMs: number): Promise<boolean>;
}

export type AtomicChange<Result> =
  | { readonly op: 'noop'; readonly result: Result }
  | { readonly op: 'set'; readonly value: unknown; readonly result: Result }
  | { readonly op: 'delete'; readonly result: Result };

/** A voucher as it came: the payer's signature under a cumulative amount of one channel. */
export interface Voucher {
  readonly channelId: ChannelId;
  readonly cumulative: bigint;
  readonly signature: string;
}

/** What can be captured on chain, frozen before the first transaction. */
export interface Capture {
  /** `settle` leaves the channel open; `close` ends it and gives the rest of the deposit back. */
  readonly kind: 'settle' | 'close';
  readonly channel: Pick<Channel, 'id' | 'chainId' | 'escrow' | 'payer' | 'token' | 'descriptor'>;
  /** What the voucher allows at most. */
  readonly cumulative: bigint;
  /** What is taken of it, cumulative too; never more than was earned. */
  readonly capture: bigint;
  readonly signature: string;
  /** Of `capture`, what was not captured before. */
  readonly newly: bigint;
}

export interface CaptureFacts {
  readonly channel: Channel;
  /** Requests that still hold a reservation. */
  readonly reservedRequests: number;
  /** The highest voucher that promises no more than was earned. */
  readonly coveredVoucher: { readonly cumulative: bigint; readonly signature: string } | null;
  /** The voucher that the payer signed for the close. */
  readonly closeVoucher: { readonly cumulative: bigint; readonly signature: string } | null;
  /** How long ago the payer asked the chain to close; null: not, or he took it back. */
  readonly chainCloseForMs: number | null;
  /** How long something earned has waited; null: nothing waits. */
  readonly unsettledForMs: number | null;
}

export interface CapturePolicy {
  /** TEMPO_SETTLE_THRESHOLD: so much uncaptured is captured at once. */
  readonly threshold: bigint;
  /** TEMPO_SETTLE_INTERVAL: nothing earned waits longer. */
  readonly intervalMs: number;
}

/**
 * Whether money of a channel is to be captured now. A settle takes the whole of its voucher, so only a voucher within what
 * was earned may be sent while the channel lives; a close names its amount and takes exactly what was earned.
 */
export function captureDue(facts: CaptureFacts, policy: CapturePolicy): Capture | undefined {
  const { channel, coveredVoucher, closeVoucher, reservedRequests, unsettledForMs, chainCloseForMs } = facts;
  if (channel.finalized) return undefined;
  if (channel.closing && reservedRequests > 0) {
    // A request under way may still earn: the close waits for it, and its lease ends it. What is earned already does not
    // wait where the payer could take it back.
    return chainCloseForMs === null ? undefined : settleOf(channel, coveredVoucher);
  }
  if (channel.closing) {
    const voucher = closeVoucher ?? channel.highestVoucher;
    if (voucher === null) return undefined;
    const capture = channel.earned > channel.settled ? channel.earned : channel.settled;
    if (capture > voucher.cumulative) return undefined;
    return { kind: 'close', channel, ...voucher, capture, newly: capture - channel.settled };
  }
  const capture = settleOf(channel, coveredVoucher);
  const waitedLongEnough = unsettledForMs !== null && unsettledForMs >= policy.intervalMs;
  return capture && (capture.newly >= policy.threshold || waitedLongEnough) ? capture : undefined;
}

function settleOf(channel: Channel, covered: CaptureFacts['coveredVoucher']): Capture | undefined {
  if (covered === null || covered.cumulative <= channel.settled) return undefined;
  const newly = covered.cumulative - channel.settled;
  return { kind: 'settle', channel, ...covered, capture: covered.cumulative, newly };
}

/**
 * A payer who asked the chain to close can take the deposit back 15 minutes later (TIP-1034). What is still being served then
 * is ended in time for its charge to be captured: a third of the grace is left for that.
 */
const REQUESTS_END_AFTER_MS = 10 * 60_000;

/** Whether requests under way must end now, because what they have earned could be taken back before it is captured. */
export const mustEndRequests = ({ reservedRequests, chainCloseForMs }: CaptureFacts): boolean =>
  reservedRequests > 0 && chainCloseForMs !== null && chainCloseForMs >= REQUESTS_END_AFTER_MS;

/** One paid exchange on a channel, as it is reserved. */
export interface ChannelReservation {
  readonly id: SettlementId;
  readonly route: string;
  readonly amount: bigint;
  readonly closeToken: string;
  readonly longestMs: number;
  /** Answers that may cost this payer nothing, in an hour. */
  readonly releasedLimit: number;
}
