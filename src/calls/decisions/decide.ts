import { type DecidableKind, ruleOf } from '../../domain/decisions/decisions.js';
import type { Look } from '../../domain/explanations/live-reading.js';
import type { SettlementId } from '../../domain/ids.js';
import type {
  Approval,
  ApproveOutcome,
  DecideOutcome,
  DecisionRequest,
  Verification,
} from '../../ledger/decisions/decision-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import { type ChainVerifierDependencies, settlementVerifier } from './ask-chain.js';
import { type DisputeVerifierDependencies, disputeVerifier } from './ask-dispute.js';
import { type HyperswitchVerifierDependencies, paymentVerifier } from './ask-hyperswitch.js';
import { reversalVerifier, type StripeVerifierDependencies, transferVerifier } from './ask-stripe.js';
import { lookNow } from './look-now.js';
import type { SightDependencies } from './sights.js';
import { NOT_NEEDED, type Statement, type Verifier } from './verification.js';

type VerifyingLedger = StripeVerifierDependencies['ledger'] &
  ChainVerifierDependencies['ledger'] &
  HyperswitchVerifierDependencies['ledger'] &
  DisputeVerifierDependencies['ledger'];

export interface ResolutionDependencies
  extends StripeVerifierDependencies,
    ChainVerifierDependencies,
    Omit<HyperswitchVerifierDependencies, 'hyperswitch'>,
    DisputeVerifierDependencies,
    SightDependencies {
  readonly ledger: VerifyingLedger & SightDependencies['ledger'] & Pick<Ledger, 'decide' | 'approve' | 'decisionItem'>;
  /**
   * Looks again at a session that could not be read, and says what it has become. Left out: no key is at hand here, and the
   * sweep looks.
   */
  readonly reread?: (id: SettlementId) => Promise<string | undefined>;
}

/** The provider did not say what is true now, so nothing was decided; ask again later. */
export interface Unanswered {
  readonly kind: 'unanswered';
  readonly detail: string;
}

export type UnverifiedDecision = Omit<DecisionRequest, 'verified'>;

/**
 * The way of every decision, whether it came by signal, update, command or API: first the provider is asked what is true
 * now, then the ledger decides with that answer in hand.
 */
export function createResolution(dependencies: ResolutionDependencies) {
  const { ledger } = dependencies;
  const verifiers = verifiersOf(dependencies);
  const verify = async (statement: Statement): Promise<Verification> =>
    ruleOf(statement.kind, statement.action)?.asks ? await verifiers[statement.kind](statement) : NOT_NEEDED;

  /** A retry that leaves a settlement as it is was for one that could not be read: it is read now. */
  async function lookAgain({ kind, action, itemId }: UnverifiedDecision, outcome: DecideOutcome | Unanswered) {
    const isRead = kind === 'settlement' && action === 'retry';
    if (!isRead || outcome.kind !== 'applied' || outcome.status !== 'needs_attention') return outcome;
    const status = await dependencies.reread?.(itemId as SettlementId);
    return status === undefined ? outcome : { ...outcome, status };
  }

  return {
    async decide(decision: UnverifiedDecision): Promise<DecideOutcome | Unanswered> {
      const verified = await verify(decision);
      return lookAgain(decision, orUnanswered(await ledger.decide({ ...decision, verified }), verified));
    },

    /** Absence is proved, or evidence verified, again at the moment of the approval. */
    async approve(approval: Omit<Approval, 'verified'>): Promise<ApproveOutcome | Unanswered> {
      const item = await ledger.decisionItem(approval.decisionId);
      if (!item) return { kind: 'not_found' };
      const verified = await verify(item);
      return orUnanswered(await ledger.approve({ ...approval, verified }), verified);
    },

    /** What a person sees before he decides: the provider as it is now, and what each statement would meet there. Changes nothing. */
    look: (...[item]: Parameters<Look>): ReturnType<Look> => lookNow(item, dependencies, verifiersOf),
  };
}

const verifiersOf = (
  dependencies: Omit<ResolutionDependencies, 'reread'>,
): { readonly [Kind in DecidableKind]: Verifier } => ({
  settlement: settlementVerifier(dependencies),
  transfer: transferVerifier(dependencies),
  reversal: reversalVerifier(dependencies),
  payment: paymentVerifier(dependencies),
  refund: () => Promise.resolve(NOT_NEEDED),
  dispute: disputeVerifier(dependencies),
});

export type Resolution = ReturnType<typeof createResolution>;

/** Only what the ledger refused for want of an answer: an item that waits for no decision says so first. */
const orUnanswered = <Outcome extends { readonly kind: string }>(
  outcome: Outcome,
  verified: Verification,
): Outcome | Unanswered =>
  outcome.kind === 'refused' && verified.kind === 'unanswered'
    ? { kind: 'unanswered', detail: verified.detail }
    : outcome;
