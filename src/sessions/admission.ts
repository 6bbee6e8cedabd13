import type { ChannelRefusal } from '../domain/channels/channel-problems.js';
import type { Clock } from '../domain/clock.js';
import type { SettlementId } from '../domain/ids.js';
import type { SettleNowOutcome } from '../domain/settlements/settlement.js';
import type { Protocol } from '../domain/settlements/settlement-status.js';
import type { FoundCredential } from '../protocols/find-credential.js';
import type { Payer } from '../protocols/payer.js';
import type { KeptAnswer } from './gate/answer-record.js';
import type { CommitQueue } from './gate/commit-queue.js';
import type { HeldLease, LeaseKeeper } from './gate/lease-keeper.js';
import type { LiveSession } from './gate/live-session.js';
import type { SoldOffer } from './gate/payment-session.js';
import type { Match, MatchDependencies, Presented } from './offers/match-offer.js';
import type { Receipt } from './offers/payment-response.js';
import type { RouteTerms } from './offers/route-options.js';
import type { RequestBody } from './request-body.js';
import type { AnswerName, SessionLedger } from './session-ledger.js';
import type { SessionLog } from './session-log.js';

export interface Verifier {
  verify(
    protocol: Protocol,
    call: { readonly body: string; readonly timeoutMs: number },
  ): Promise<
    /** `payer`: the account that the auth server names; null: it names none. */
    | { readonly kind: 'valid'; readonly payer: string | null }
    | { readonly kind: 'invalid'; readonly detail: string }
    | { readonly kind: 'unreachable'; readonly detail: string }
  >;
}

export interface AdmitDependencies {
  readonly ledger: Pick<
    SessionLedger,
    | 'openSession'
    | 'findEarlierUse'
    | 'findNamedAnswer'
    | 'hadAgain'
    | 'takeAnswer'
    | 'answerGiven'
    | 'answerNotGiven'
    | 'giveAnswer'
    | 'closeVoucherChannel'
    | 'beginTopUp'
    | 'answeredByVoucher'
  >;
  readonly verifier: Verifier;
  readonly lease: Pick<LeaseKeeper, 'current'>;
  readonly commits: Pick<CommitQueue, 'submit'>;
  readonly match: MatchDependencies;
  readonly minRetryWindowMs: number;
  /** RELEASED_LIMIT. */
  readonly releasedLimit: number;
  readonly verifyTimeoutMs: number;
  /** One attempt, for what is answered by its outcome. */
  readonly settleNow: (id: SettlementId) => Promise<SettleNowOutcome>;
  /** Starts a settlement; never awaited. */
  readonly dispatch: (id: SettlementId) => unknown;
  readonly clock: Clock;
  readonly log: SessionLog;
}

export interface AdmissionRequest {
  readonly found: FoundCredential;
  readonly presented: Presented;
  readonly method: string;
  readonly terms: RouteTerms;
  /** Name of the route in the ledger. */
  readonly route: string;
  readonly body: RequestBody;
}

export type Admission =
  | {
      readonly kind: 'admitted';
      readonly session: LiveSession;
      /** What it is paid in; undefined: in something that is not offered any more. */
      readonly offer: SoldOffer | undefined;
      readonly held: HeldLease;
      readonly settle: RouteTerms['settle'];
      /** Of x402, as its payer speaks it. */
      readonly version: 1 | 2 | undefined;
      /** The money is in already: nothing is left to be started, and this is said of it. */
      readonly paidBefore?: Receipt;
      /** Its buyer has named the answer: it is kept if it has no more bytes than this. */
      readonly keepBytes?: number;
    }
  /** It was bought before and is given once more: no handler runs. */
  | { readonly kind: 'again'; readonly id: SettlementId; readonly answer: KeptAnswer; readonly receipt: Receipt }
  /** It is being made for an earlier request right now: 503, and the same credential has it in a moment. */
  | { readonly kind: 'under_way'; readonly id: SettlementId }
  /** Something else was bought under the name that the payer gives: 409. */
  | { readonly kind: 'name_used' }
  /** Its channel was managed: 204, and no handler runs. */
  | { readonly kind: 'managed'; readonly id: SettlementId }
  /** Pay (again): 402. `givenTo`: the channel whose payer this is, so that the challenge says so. */
  | { readonly kind: 'challenge'; readonly why: string; readonly givenTo?: string }
  /** The channel does not do, in the words of its protocol. */
  | { readonly kind: 'refused'; readonly refusal: ChannelRefusal }
  /** Nothing was decided: 503, the same credential may be sent again. */
  | { readonly kind: 'unavailable'; readonly why: string }
  /** `id`: of its charge; undefined: it is not this credential that was used, but the payment request that it answers. */
  | { readonly kind: 'used'; readonly id: SettlementId | undefined; readonly receipt?: Receipt }
  /** It was accepted before, and nothing is decided yet: 503, and the same credential has the answer later. */
  | { readonly kind: 'undecided'; readonly id: SettlementId }
  | { readonly kind: 'exposed' }
  /** Too many answers cost this payer nothing; there is room again after so long. */
  | { readonly kind: 'limited'; readonly forMs: number };

export type Matched = Extract<Match, { kind: 'match' }>;
/** `named`: the payer has given the answer a name, and what was asked for is known to the last byte. */
export type Verified = Matched & { readonly payer: Payer; readonly named?: AnswerName };
