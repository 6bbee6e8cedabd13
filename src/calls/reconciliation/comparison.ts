import type { ReadAnswer } from '../../domain/calls/provider-answers.js';
import { type Suspicion } from '../../domain/reconciliation/drift.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { PartPlace, ReconciledPage } from '../../ledger/reconciliation/reconciliations.js';
import type { RunningItem } from '../../ledger/reconciliation/running-workflows.js';
import type { AuthorizationReader } from '../../providers/evm/authorizations.js';
import type { Hyperswitch } from '../../providers/hyperswitch/client.js';
import type { StripeCalls } from '../../providers/stripe/client.js';
import type { HyperswitchAccount } from '../marketplace/hyperswitch-account.js';
import type { StripeAccountCheck } from '../marketplace/stripe-call-types.js';

export interface ComparisonDependencies {
  readonly ledger: Pick<
    Ledger,
    | 'heldTransfers'
    | 'heldReversals'
    | 'heldForeign'
    | 'heldDisputes'
    | 'paymentsAtStripe'
    | 'heldPayments'
    | 'heldRefunds'
    | 'unnamedTransfers'
    | 'unnamedReversals'
    | 'unnamedDisputes'
    | 'unnamedPayments'
    | 'unnamedRefunds'
    | 'heldAuthorizations'
    | 'heldAuthorization'
    | 'unfinishedItems'
    | 'isUnfinished'
    | 'driftRepaired'
    | 'sellerPaidOut'
    | 'heldPayouts'
    | 'payoutNamesOf'
    | 'unnamedPayouts'
    | 'savePayout'
  >;
  /** Undefined: not configured, and nothing is compared with it. */
  readonly stripe: { readonly calls: StripeCalls; readonly account: Pick<StripeAccountCheck, 'verify'> } | undefined;
  readonly hyperswitch:
    | {
        readonly calls: Pick<Hyperswitch, 'paymentsSince' | 'refundsSince' | 'readPayment' | 'readRefund'>;
        readonly account: HyperswitchAccount;
      }
    | undefined;
  readonly chain: AuthorizationReader | undefined;
  readonly workflows: WorkflowReader;
  readonly clock: { nowMs(): number };
  /** What is younger is on its way into the ledger. */
  readonly youngMs: number;
}

/** What Temporal has of an unfinished item's workflow. */
export interface WorkflowReader {
  /** `ended`: from outside, or by a failure; `absent`: Temporal knows none of this name. @throws when Temporal does not answer */
  stateOf(
    workflowId: string,
  ): Promise<{ readonly kind: 'well' | 'absent' } | { readonly kind: 'ended'; readonly as: string }>;
  /** Starts the item's own workflow, or wakes the one that runs. @returns false: its kind is switched off */
  restart(item: RunningItem): Promise<boolean>;
}

/** What came of one page of a part, or of one look: nothing is concluded from what was not read. */
export type Unread =
  | { readonly kind: 'busy'; readonly afterMs: number; readonly why: string }
  /** Not in this run. */
  | { readonly kind: 'left'; readonly why: string }
  | { readonly kind: 'unclear'; readonly why: string };

export type Page =
  | (Pick<ReconciledPage, 'cursor' | 'named' | 'lookedAt' | 'suspicions' | 'uncompared' | 'last'> & {
      readonly kind: 'page';
    })
  | Unread;

export type Place = PartPlace & { readonly runId: ReconciledPage['runId'] };

export type Look = { readonly kind: 'stands'; readonly seen: Suspicion } | { readonly kind: 'agrees' } | Unread;

const BUSY_MS = 2_000;

export function unread(answer: Exclude<ReadAnswer<never>, { kind: 'found' }>, what: string): Unread {
  switch (answer.kind) {
    case 'busy':
      return { kind: 'busy', afterMs: answer.retryAfterMs ?? BUSY_MS, why: answer.detail };
    case 'unclear':
      return { kind: 'unclear', why: answer.detail };
    case 'missing':
    case 'misdirected':
      return { kind: 'left', why: `${what}: ${answer.detail}` };
  }
}

export const youngSince = ({ clock, youngMs }: Pick<ComparisonDependencies, 'clock' | 'youngMs'>) => ({
  tooYoungSince: new Date(clock.nowMs() - youngMs),
});

export const isFound = <T>(item: T | undefined): item is T => item !== undefined;
