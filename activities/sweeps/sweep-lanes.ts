import { PROVIDER_OF_LANE, type SettlementLane, type SweepIntervals } from '../../src/domain/sweep-lanes.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { Logger } from '../../src/observability/logger.js';
import type { SweepActivities } from '../sweep-contract.js';
import { createArchiving } from './archive-finished.js';
import { type CaptureDependencies, createCaptureSweep } from './capture-channels.js';
import { createLanePasses, type LaneWork } from './lane-pass.js';
import { createDisputeSweep, type DisputeSweepDependencies } from './sweep-disputes.js';
import { createInboxSweep, type InboxSweepDependencies } from './sweep-inbox.js';
import { createMarketplaceSweep, type MarketplaceSweepDependencies } from './sweep-marketplace.js';
import { createPayoutSweep, type PayoutSweepDependencies } from './sweep-payouts.js';
import { createSellerSideSweep, type SellerSideDependencies } from './sweep-seller-sides.js';
import { createSessionSweep } from './sweep-sessions.js';
import { createSettlementSweep, type SettlementStarter, type SettlementSweepSettings } from './sweep-settlements.js';
import { createUpkeep } from './sweep-upkeep.js';
import { createTelling, type TellingDependencies } from './tell-people.js';
import { createChannelWatch, type WatchDependencies } from './watch-channels.js';
import { type AnchorDependencies, createAnchoring } from './write-anchors.js';

export interface SweepDependencies {
  readonly ledger: Ledger;
  readonly settlements: { readonly starter: SettlementStarter; readonly sweep: SettlementSweepSettings };
  readonly money: Pick<MarketplaceSweepDependencies, 'starter'>;
  readonly processWebhook: InboxSweepDependencies['processWebhook'];
  /** Undefined: Hyperswitch is not configured here, and nobody looks for disputes. */
  readonly searchPayment?: DisputeSweepDependencies['searchPayment'] | undefined;
  /** Undefined: Stripe is not configured here, and no payout is read. */
  readonly readPayout?: PayoutSweepDependencies['readPayout'] | undefined;
  /** Undefined: Stripe is not configured here, and nobody reads what reversals were for their sellers. */
  readonly readSellerSide?: SellerSideDependencies['readSellerSide'] | undefined;
  /** Undefined: no chain is configured, and what channels have earned waits in the ledger. */
  readonly chain: (Pick<CaptureDependencies, 'policy'> & Pick<WatchDependencies, 'readChain'>) | undefined;
  /** Undefined: the heads of the event chains are kept in Postgres alone. */
  readonly anchors?: AnchorDependencies['store'] | undefined;
  /** Undefined: nobody is told of what needs a person. */
  readonly telling?: Pick<TellingDependencies, 'starter' | 'destinations' | 'rules'> | undefined;
  /** Undefined: nothing is put aside. */
  readonly retentionAfterMs?: number | undefined;
  readonly intervals: SweepIntervals;
  readonly logger: Logger;
}

const nothingToDo: LaneWork = () => Promise.resolve({});

/** What each lane does. */
export function createSweeps(dependencies: SweepDependencies): SweepActivities {
  const {
    ledger,
    settlements,
    money,
    processWebhook,
    searchPayment,
    readPayout,
    readSellerSide,
    chain,
    anchors,
    telling,
    retentionAfterMs,
    intervals,
    logger,
  } = dependencies;
  const settlement = (lane: SettlementLane) =>
    createSettlementSweep(PROVIDER_OF_LANE[lane], { ledger, logger, ...settlements });
  return createLanePasses({
    ledger,
    intervals,
    logger,
    work: {
      session: createSessionSweep({ ledger, logger }),
      'settlement-atxp': settlement('settlement-atxp'),
      'settlement-x402': settlement('settlement-x402'),
      'settlement-mpp': settlement('settlement-mpp'),
      'settlement-tempo': settlement('settlement-tempo'),
      capture: chain ? createCaptureSweep({ ledger, logger, policy: chain.policy }) : nothingToDo,
      chain: chain ? createChannelWatch({ ledger, logger, readChain: chain.readChain }) : nothingToDo,
      payment: createMarketplaceSweep('payment', { ledger, logger, ...money }),
      refund: createMarketplaceSweep('refund', { ledger, logger, ...money }),
      transfer: createMarketplaceSweep('transfer', { ledger, logger, ...money }),
      reversal: createMarketplaceSweep('reversal', { ledger, logger, ...money }),
      dispute: createMarketplaceSweep('dispute', { ledger, logger, ...money }),
      'dispute-search': searchPayment ? createDisputeSweep({ ledger, logger, searchPayment }) : nothingToDo,
      payout: readPayout ? createPayoutSweep({ ledger, logger, readPayout }) : nothingToDo,
      'seller-side': readSellerSide ? createSellerSideSweep({ ledger, logger, readSellerSide }) : nothingToDo,
      'hyperswitch-event': createInboxSweep('hyperswitch-event', { ledger, logger, processWebhook }),
      'stripe-event': createInboxSweep('stripe-event', { ledger, logger, processWebhook }),
      'stripe-read': createInboxSweep('stripe-read', { ledger, logger, processWebhook }),
      anchor: anchors ? createAnchoring({ ledger, store: anchors, logger }) : nothingToDo,
      notify: telling ? createTelling({ ledger, logger, ...telling }) : nothingToDo,
      retention: retentionAfterMs === undefined ? nothingToDo : createArchiving({ ledger, quietMs: retentionAfterMs }),
      upkeep: createUpkeep(ledger),
    },
  });
}
