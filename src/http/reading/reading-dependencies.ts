import type { Clock } from '../../domain/clock.js';
import type { ApprovalThreshold } from '../../domain/decisions/approval-threshold.js';
import type { Look } from '../../domain/explanations/live-reading.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { ExplainingLedger } from '../../reading/explanations.js';
import type { Authenticate } from '../auth.js';
import type { ChangeFeed } from './changes.js';

/** What the routes that persons read from are given. */
export interface ReadingDependencies {
  readonly ledger: ReadingLedger;
  readonly clock: Clock;
  readonly approvalThreshold: ApprovalThreshold;
  /** Undefined: no link to a workflow can be made. */
  readonly temporalUi: { readonly url: string; readonly namespace: string } | undefined;
  /** Requests a second to all endpoints of Stripe, by the settings as they are now; undefined: Stripe is not configured. */
  readonly stripePerSecond: () => number | undefined;
  /** RECONCILE_INTERVAL. */
  readonly reconcileEveryMs: number;
  readonly changes: ChangeFeed;
  readonly authenticate: Authenticate;
  /** Asks providers what they show now. */
  readonly look: Look;
}

export type ReadingLedger = ExplainingLedger &
  Pick<
    Ledger,
    | 'figures'
    | 'overviewFacts'
    | 'stripeRate'
    | 'listChannels'
    | 'listWebhooks'
    | 'listDecisions'
    | 'findItems'
    | 'findNamedItems'
    | 'explainedChannel'
    | 'itemSummaries'
    | 'lastWord'
    | 'settlementLinks'
    | 'settlementLookup'
    | 'settlementEvents'
    | 'storyOf'
    | 'decisionItem'
  >;
