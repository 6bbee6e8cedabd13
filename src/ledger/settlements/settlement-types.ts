import type { Answer } from '../../domain/calls/answers.js';
import type { Certainty } from '../../domain/calls/certainty.js';
import type { NeverWaiting } from '../../domain/calls/next.js';
import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { LeaseId, SettlementId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import type { AtomicAmount } from '../../domain/money.js';
import type { Settlement } from '../../domain/settlements/settlement.js';
import type { SettlementProvider } from '../../domain/settlements/settlement-providers.js';
import type { Delivery, Protocol, SettlementStatus } from '../../domain/settlements/settlement-status.js';

/** A lease on sessions, held by one server process and judged by Postgres' clock. */
export interface Lease {
  readonly id: LeaseId;
  readonly epoch: bigint;
}

/** Cumulative: it allows what all charges on its channel take together. */
export interface VoucherFacts {
  readonly channel: string;
  readonly cumulative: AtomicAmount;
}

/** Facts common to a settlement however it enters: by a paid session or by POST /api/v1/settlements. */
export interface SettlementFacts {
  readonly id: SettlementId;
  readonly key: string;
  /** Canonical identity of the credential; unique among everything that was not released. */
  readonly identity: string;
  /** Tells "the same request again" from "another request under the same key". */
  readonly contentSha256: string;
  readonly protocol: Protocol;
  readonly asset: string;
  readonly decimals: number;
  /** Who pays, as verify or the credential itself proves it (`payerOf`); null: nobody that could be told from others. */
  readonly payer: string | null;
  /** The voucher of a channel that the auth server settles. */
  readonly voucher: VoucherFacts | null;
  readonly lookup: Readonly<Record<string, string>>;
  /** What the body is built from beside the credential; no secret. */
  readonly context: JsonObject;
  readonly expiresAtMs: number | null;
}

export interface NewSession extends SettlementFacts {
  /** By what the ledger sums credit: a route's name, and beside it the currency where the route takes several. */
  readonly route: string;
  readonly cap: AtomicAmount;
  /** Raw credential as it came in the header; the ledger encrypts it. */
  readonly credential: string;
  readonly lease: Lease;
  /** Random per session: proves, after a lost acknowledgement, that the close found in the ledger is ours. */
  readonly closeToken: string;
  /** The challenge that a voucher answers; null: it carries none. */
  readonly voucherChallenge: string | null;
  /** The longest this route may serve. */
  readonly longestMs: number;
  readonly exposure: { readonly perPayer?: AtomicAmount; readonly total?: AtomicAmount };
  /** Sessions that may cost this payer nothing although they were answered, in an hour. */
  readonly releasedLimit: number;
  /** The payer has named the answer, to have it again if it is lost. */
  readonly named?: AnswerName;
}

/** An answer as its buyer names it, by digests alone: whoever knows the name may have the answer. */
export interface AnswerName {
  /** Of the payer and the name. */
  readonly nameSha256: string;
  /** Of everything that was asked for, and with which payment. */
  readonly requestSha256: string;
  /** How long the answer is kept once it is charged. */
  readonly keepMs: number;
}

/** Where the money of a charge went, as its payer is told. */
export interface SettledFacts {
  /** null: it had settled before we asked, and nobody said by which transaction. */
  readonly txHash: string | null;
  readonly payer: string | null;
  /** CAIP-2; null: its protocol names none. */
  readonly network: string | null;
}

/** An answer that is due, and the right to it. */
export interface TakenAnswer extends SettledFacts {
  /** What it was paid with, in atomic units. */
  readonly spent: AtomicAmount;
}

/** What was bought under a name. */
export interface NamedAnswer extends SettledFacts {
  readonly id: SettlementId;
  readonly requestSha256: string;
  readonly status: SettlementStatus;
  /** Of one that is held back until the money is in: whether it is still due. */
  readonly answer: 'due' | 'serving' | 'given' | null;
  readonly spent: AtomicAmount;
  /** The whole answer, as it was kept; null: not charged yet, too large, a stream, or erased. */
  readonly kept: string | null;
}

export type OpenOutcome =
  | 'opened'
  | 'identity_used'
  /** Another payment of this payer has the same name. */
  | 'name_used'
  | 'payer_uncollectable'
  /** The voucher does not cover what its channel owes already and this session. */
  | 'voucher_spent'
  /** Its payer closes the channel. */
  | 'channel_closes'
  | 'exposure_payer'
  | 'exposure_total'
  | 'lease_lost'
  /** Too many sessions of this payer were answered for nothing within an hour; there is room again after so long. */
  | { readonly limitedForMs: number };

/** Why a served answer costs nothing: its status was 400 to 499, or 304. Such answers are free work. */
export type ReleaseCause = 'failed_answer' | 'not_modified' | 'client_left';

/** What a session asks the ledger to make durable; many of them share one commit. */
export type SessionChange =
  | {
      readonly kind: 'checkpoint';
      readonly id: SettlementId;
      readonly lease: Lease;
      readonly closeToken: string;
      /** Everything charged so far, not the increment. */
      readonly spent: AtomicAmount;
    }
  | {
      readonly kind: 'close';
      readonly id: SettlementId;
      readonly lease: Lease;
      readonly closeToken: string;
      readonly by: 'end' | 'abort' | 'error';
      readonly spent: AtomicAmount;
      /** The exact bytes every settle call will send; null releases the session: nothing was charged. */
      readonly body: string | null;
      /** `unknown` until the server saw the last byte leave (see recordDeliveries); null for a release. */
      readonly delivery: Delivery | null;
      /** The answer was held back until the money is in, and is due once it is. */
      readonly withheld?: boolean;
      /** Only where nothing was spent, and the payer's request was answered all the same; a 5xx is our own failure. */
      readonly releasedBy?: ReleaseCause;
      /** A checkpoint may be in the ledger of what was charged for bytes that never left: it is not billed. */
      readonly takesBack?: boolean;
      /** The whole answer of a session that was opened with a name; the ledger encrypts it. */
      readonly answer?: string;
    };

/** A close that is in the ledger, and the part of it that is billed: the bytes that the rest was charged for never left. */
export interface CloseTakenBack {
  readonly kind: 'take_back';
  readonly id: SettlementId;
  readonly closeToken: string;
  readonly spent: AtomicAmount;
  /** As in a close. */
  readonly body: string | null;
  readonly releasedBy?: ReleaseCause;
}

/** What became of the charge that a credential paid for before. */
export interface EarlierUse {
  readonly id: SettlementId;
  readonly status: SettlementStatus;
  readonly certainty: Certainty;
  /** Of a session that was settled before anything was released: whether its answer is still due. */
  readonly answer: 'due' | 'serving' | 'given' | null;
  readonly topsUp: boolean;
  readonly asset: string;
  readonly decimals: number;
  /** What was asked for with it, in which content, where and how. */
  readonly contentSha256: string;
}

/** `lost`: the session is no longer ours (the sweep closed it, or another close of ours came first). */
export type ChangeOutcome = 'committed' | 'lost';

export interface NewSettlement extends SettlementFacts {
  readonly spent: AtomicAmount;
  readonly cap: AtomicAmount | null;
  /** The exact bytes to send; null with `undecodable` set. */
  readonly body: string | null;
  /** Why no body could be built; the settlement starts in needs_attention, `credential_undecodable`. */
  readonly undecodable: string | null;
  /** Kept encrypted when no body could be built, so that nothing is lost. */
  readonly credential: string;
}

export type CreateOutcome =
  | { readonly kind: 'created' | 'same'; readonly settlement: Settlement }
  /** `key`: the key was used for something else. `identity`: the credential was used under another key. */
  | { readonly kind: 'conflict'; readonly on: 'key' | 'identity' }
  /** Its voucher does not cover what its channel owes already and this charge. */
  | { readonly kind: 'voucher_spent' };

export interface SettlementFilter {
  readonly status?: SettlementStatus;
  readonly needsAttention?: boolean;
  readonly protocol?: Protocol;
  readonly key?: string;
  readonly reason?: AttentionReason | undefined;
  readonly asset?: string | undefined;
  readonly payer?: string | undefined;
  /** Left out: not archived, or whatever bears the key that is asked for. */
  readonly archived?: boolean | undefined;
  /** ISO 8601: made at this moment or later, and before that one. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Rows older than this id; ids are UUIDv7, so newest first is id descending. */
  readonly before?: SettlementId;
  readonly limit: number;
}

/** A settlement that this process has claimed and may send now. */
export interface ClaimedSettlement {
  readonly id: SettlementId;
  readonly protocol: Protocol;
  readonly provider: SettlementProvider;
  /** The frozen bytes to send. */
  readonly body: string;
  /** The idempotency key sent with them. */
  readonly key: string;
  readonly spent: AtomicAmount;
  readonly decimals: number;
  readonly certainty: Certainty;
  /** Attempts including the one this claim allows. */
  readonly attempts: number;
  /** Time to the credential's expiry by the ledger's clock; ≤ 0: expired, null: it names none. */
  readonly keyLeftMs: number | null;
  readonly failedBefore: boolean;
  /** It is collected with a voucher, of which a higher one may have taken what this one covers. */
  readonly byVoucher: boolean;
}

/** Why a settlement may not be sent now. */
export type ClaimRefusal =
  | { readonly id: SettlementId; readonly kind: 'final' | 'attention'; readonly settlement: Settlement }
  /** Another runner holds it, or an unanswered call may still be at work. */
  | { readonly id: SettlementId; readonly kind: 'held'; readonly forMs: number }
  /** The breaker is open, or a charge of the same payer must be dealt with first: it waits in the ledger. */
  | { readonly id: SettlementId; readonly kind: 'waiting'; readonly why: 'breaker' | 'blocked' };

export interface AttemptOutcome {
  readonly id: SettlementId;
  readonly runner: string;
  readonly answer: Answer;
  readonly decision: NeverWaiting;
  /** The provider had the whole answer window; a first, short attempt that got no answer has not failed yet. */
  readonly patient: boolean;
}

/** What a payer asks for about a channel that the auth server settles: it takes nothing and serves nothing. */
export interface ChannelManagement extends Omit<SettlementFacts, 'payer' | 'voucher'> {
  readonly route: string;
  /** The exact bytes to send. */
  readonly body: string;
}

export interface ChannelTopUp extends ChannelManagement {
  /** Whose deposit it adds to. */
  readonly channel: string;
}

export interface ChannelClose extends ChannelManagement {
  readonly voucher: { readonly channel: string; readonly cumulative: AtomicAmount };
  readonly challengeId: string;
  /** The challenge was given to nobody but the payer. */
  readonly givenToPayer: boolean;
}

export type VoucherCloseOutcome =
  | { readonly kind: 'closing'; readonly id: SettlementId }
  | { readonly kind: 'channel_closes' | 'refused_before' | 'unknown_channel' | 'unproven' | 'voucher_spent' };

export type TopUpOutcome = 'begun' | 'came_before' | 'channel_closes';
