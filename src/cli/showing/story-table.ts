import type { EventOfItem, ItemEvent } from '../../ledger/event-row.js';
import { table } from '../table.js';

/** Everything that happened, a line for each; with the item where a story is about several. */
export function storyTable(events: readonly (ItemEvent | EventOfItem)[]): readonly string[] {
  const items = new Set(events.map((event) => ('item' in event ? event.item : '')));
  const several = items.size > 1;
  return table(
    ['WHEN', ...(several ? ['ITEM'] : []), 'WHAT', 'MONEY', 'ANSWER', 'KEY', 'DETAIL'],
    events.map((event) => [
      event.at,
      ...(several ? ['item' in event ? event.item : ''] : []),
      event.kind,
      event.certainty ?? '',
      event.answerClass ?? '',
      event.idempotencyKey ?? '',
      JSON.stringify(event.detail),
    ]),
  );
}
