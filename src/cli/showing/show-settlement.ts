import { explainNextOfSettlement } from '../../domain/decisions/explain-next.js';
import { type SettlementId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import { formatDecimal } from '../../domain/money.js';
import type { Settlement } from '../../domain/settlements/settlement.js';
import { settlementAnswer } from '../../domain/settlements/settlement-answer.js';
import type { OperatorLedger } from '../operator-ledger.js';
import { table } from '../table.js';
import type { ItemView } from './item-view.js';
import { storyTable } from './story-table.js';

/** One settlement and everything that happened to it. */
export async function showSettlement(ledger: OperatorLedger, id: SettlementId, nowMs: number): Promise<ItemView> {
  const settlement = await ledger.findSettlement(id);
  if (!settlement) throw new Error(`settlement ${id} is gone from the ledger`);
  const [lookup = {}, events, call] = await Promise.all([
    ledger.settlementLookup(id),
    ledger.settlementEvents(id),
    ledger.settlementCall(id),
  ]);
  const next = explainNextOfSettlement(settlement, call, nowMs);
  return {
    answer: { ...settlementAnswer(settlement), lookup, next, events },
    workflowId: settlement.workflowId,
    lines: [...facts(settlement, lookup), '', ...storyTable(events), '', `next: ${next}`],
  };
}

function facts(settlement: Settlement, lookup: JsonObject): readonly string[] {
  const { attention, decimals, asset, cap } = settlement;
  const money = (digits: Settlement['spent']) => `${formatDecimal(digits, decimals)} ${asset}`;
  return table(
    ['settlement', settlement.id],
    [
      ['status', `${settlement.status} (money: ${settlement.certainty})`],
      ['spent', `${money(settlement.spent)}${cap === null ? '' : ` of at most ${money(cap)}`}`],
      ['protocol', settlement.protocol],
      ['key', settlement.key],
      [
        'attempts',
        `${settlement.attempts}${settlement.nextRetryAt === null ? '' : `, next at ${settlement.nextRetryAt}`}`,
      ],
      ['expires', settlement.expiresAt ?? 'not stated'],
      ['delivery', settlement.delivery ?? 'not of a paid route'],
      ...(settlement.answer === null
        ? []
        : [['answer', `${settlement.answer} (held back until it was paid for)`] as const]),
      ['attention', attention ? `${attention.reason} since ${attention.since}: ${attention.detail}` : 'none'],
      ['transaction', settlement.txHash ?? 'none known'],
      [
        'look up by',
        Object.entries(lookup)
          .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
          .join(', '),
      ],
      ['workflow', settlement.workflowId ?? 'none yet'],
      ['created', settlement.createdAt],
      ['settled', settlement.settledAt ?? 'not yet'],
    ],
  );
}
