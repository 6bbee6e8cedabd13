import type { SettlementId } from '../domain/ids.js';
import type { Delivery } from '../domain/settlements/settlement-status.js';
import type {
  AnswerName,
  ChangeOutcome,
  ChannelClose,
  ChannelTopUp,
  CloseTakenBack,
  EarlierUse,
  Lease,
  NamedAnswer,
  NewSession,
  OpenOutcome,
  ReleaseCause,
  SessionChange,
  SettledFacts,
  TakenAnswer,
  TopUpOutcome,
  VoucherCloseOutcome,
} from '../ledger/settlements/settlement-types.js';

export type {
  AnswerName,
  ChangeOutcome,
  CloseTakenBack,
  EarlierUse,
  Lease,
  NamedAnswer,
  NewSession,
  OpenOutcome,
  ReleaseCause,
  SessionChange,
  SettledFacts,
  TakenAnswer,
};

export interface DeliveryNote {
  readonly id: SettlementId;
  readonly delivery: Delivery;
}

export interface GivenUpSession {
  readonly id: SettlementId;
  readonly closeToken: string;
}

/** Nothing is opened, reserved or charged: the payer comes back with the same credential. */
export const NO_LEDGER = { kind: 'unavailable', why: 'this server cannot reach its ledger' } as const;

/** What paid sessions need of the ledger; the composition root hands it in. Every rejection means "it is not known". */
export interface SessionLedger {
  /** One commit. */
  openSession(session: NewSession): Promise<OpenOutcome>;
  closeVoucherChannel(close: ChannelClose): Promise<VoucherCloseOutcome>;
  beginTopUp(topUp: ChannelTopUp): Promise<TopUpOutcome>;
  answeredByVoucher(channel: string, challengeId: string): Promise<boolean>;
  /** One commit for all changes, one outcome per change in the order given; at most one change per session. */
  commitSessions(changes: readonly SessionChange[]): Promise<ChangeOutcome[]>;
  /** `lost`: a call may have been sent for it, or it is not our close; it stays billed as it is. */
  takeBackClose(close: CloseTakenBack): Promise<ChangeOutcome>;
  /** `ours`: the close with this token is in the ledger. `open`: no close yet. `lost`: the session is not ours any more. */
  closeState(id: SettlementId, closeToken: string): Promise<'ours' | 'open' | 'lost'>;
  /** The session or charge that this identity belongs to, unless it was released; it may not be used again. */
  findEarlierUse(identity: string): Promise<EarlierUse | undefined>;
  /** What was bought under a name that its payer gave it. */
  findNamedAnswer(nameSha256: string): Promise<NamedAnswer | undefined>;
  /** It is given once more, and its charge is not taken back any more. False: some of it was since it was found. */
  hadAgain(bought: Pick<NamedAnswer, 'id' | 'spent'>): Promise<boolean>;
  /** For one request alone, and for so long at most: the right to the answer that was paid for and held back. */
  takeAnswer(
    id: SettlementId,
    token: string,
    holdMs: number,
    releasedLimit: number,
  ): Promise<TakenAnswer | { readonly limitedForMs: number } | undefined>;
  /** In the very request it was held back in, by its own token. undefined: it is not due any more. */
  giveAnswer(id: SettlementId, token: string): Promise<SettledFacts | undefined>;
  /** False: the right to it went to somebody else. */
  answerGiven(id: SettlementId, token: string): Promise<boolean>;
  /** Nothing of it left, whoever holds the token was given it or not: it is due again. */
  answerNotGiven(id: SettlementId, token: string, releasedLimit?: number): Promise<void>;
  /** Leaves sessions whose close never became known to the sweep; what was closed after all stays closed. */
  giveUpSessions(sessions: readonly GivenUpSession[]): Promise<void>;
  recordDeliveries(deliveries: readonly DeliveryNote[]): Promise<void>;
  /** What proves the payment request ids of all servers; `first` where there is none yet. */
  requestIdSecret(first: string): Promise<string>;
  takeLease(holder: string, ttlMs: number): Promise<Lease>;
  /** False: the sweep ended this lease. */
  renewLease(lease: Lease, ttlMs: number): Promise<boolean>;
  endLease(lease: Lease): Promise<void>;
}
