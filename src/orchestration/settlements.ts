import type { Client } from '@temporalio/client';
import type { CloseTimeSettlementInput, SettleBatchInput } from '../../activities/contract.js';
import { rereadSignal } from '../../workflows/messages.js';
import {
  AmountMinor,
  Currency,
  MoneyKind,
  MoneyState,
  Protocol as ProtocolAttribute,
} from '../../workflows/search-attributes.js';
import type { SettlementTimings } from '../calls/steps.js';
import type { SettlementId } from '../domain/ids.js';
import { type AtomicAmount, toHundredths } from '../domain/money.js';
import type { SettlementProvider } from '../domain/settlements/settlement-providers.js';
import type { Protocol } from '../domain/settlements/settlement-status.js';
import { settlementBatchWorkflowId, settlementWorkflowId } from '../domain/workflow-ids.js';
import { itemDetails, summaryOf } from '../domain/workflow-texts.js';
import { start, withoutAttributesIfNeeded } from './start.js';

/** What a start needs to know of a settlement; the amount is only for people who look into the Temporal Web UI. */
export interface Startable {
  readonly id: SettlementId;
  readonly protocol: Protocol;
  readonly provider: SettlementProvider;
  readonly spent: AtomicAmount;
  readonly asset: string;
  readonly decimals: number;
}

export interface SettlementOrchestration {
  startSettlement(settlement: Startable): Promise<void>;
  startBatch(settlements: readonly Startable[]): Promise<string>;
  /** Nudges the workflow after a decision in the ledger; starts it where there is none. */
  wake(settlement: Startable): Promise<void>;
}

/**
 * Starts workflows; "already running" is success, and a finished one may be started again, because the first thing it
 * does is to look into the ledger.
 */
export function createSettlementOrchestration(
  client: Client,
  taskQueue: string,
  settings: SettlementTimings,
): SettlementOrchestration {
  const common = {
    taskQueue,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
  } as const;
  const single = (settlement: Startable) => ({
    ...common,
    workflowId: settlementWorkflowId(settlement.id),
    args: [{ ...workOf(settlement), settings }] as [CloseTimeSettlementInput],
    typedSearchAttributes: attributesOf(settlement),
    staticSummary: summaryOf(
      `${settlement.protocol} settlement of ${settlement.spent} (${settlement.decimals} decimals) ${settlement.asset}`,
    ),
    staticDetails: itemDetails('Collects one charge, exactly once.', settlement.id),
  });

  return {
    startSettlement: (settlement) => start(client, 'closeTimeSettlement', single(settlement)),

    async startBatch(settlements) {
      const [oldest] = settlements;
      if (!oldest) throw new Error('a batch without settlements');
      const workflowId = settlementBatchWorkflowId(oldest.id);
      const input: SettleBatchInput = {
        settlements: settlements.map(workOf),
        settings,
      };
      await start(client, 'settleBatch', {
        ...common,
        workflowId,
        args: [input],
        typedSearchAttributes: [
          { key: MoneyKind, value: 'settlement_batch' },
          { key: ProtocolAttribute, value: oldest.protocol },
        ],
        staticSummary: `${settlements.length} settlements in one workflow`,
        staticDetails:
          'One attempt at each of many charges, where a backlog makes a workflow for each too dear. What is not settled by it goes on in a workflow of its own.',
      });
      return workflowId;
    },

    wake: (settlement) =>
      withoutAttributesIfNeeded(client, single(settlement), (options) =>
        client.workflow.signalWithStart('closeTimeSettlement', { ...options, signal: rereadSignal, signalArgs: [] }),
      ),
  };
}

const workOf = ({ id, protocol, provider }: Startable) => ({ settlementId: id, protocol, provider });

function attributesOf({ protocol, spent, asset, decimals }: Startable) {
  return [
    { key: MoneyKind, value: 'settlement' },
    { key: MoneyState, value: 'pending' },
    { key: ProtocolAttribute, value: protocol },
    { key: AmountMinor, value: toHundredths(spent, decimals).toString() },
    { key: Currency, value: asset },
  ];
}
