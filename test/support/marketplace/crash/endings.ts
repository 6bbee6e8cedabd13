import type { MarketplaceRow } from '../ledger-comparison.js';
import type { Ending } from './story.js';

/** Whether an order is where its story ends, whoever died. */
export function isOver(rows: readonly MarketplaceRow[], order: string, ending: Ending): boolean {
  const own = rows.filter((row) => row.order_id === order);
  const of = (kind: MarketplaceRow['kind']) => own.filter((row) => row.kind === kind).map(({ status }) => status);
  const all = (kind: MarketplaceRow['kind'], ...wanted: string[]) =>
    of(kind).every((status) => wanted.includes(status));
  const are = (kind: MarketplaceRow['kind'], ...wanted: string[]) => of(kind).sort().join() === wanted.join();
  const takenBack = () => are('reversal', 'reversed', 'reversed');
  switch (ending) {
    case 'unpaid':
      return own.length === 0;
    case 'paid':
      return of('transfer').length === 2 && all('payment', 'succeeded') && all('transfer', 'completed');
    case 'called off':
      return of('payment').join() === 'cancelled' && of('transfer').length === 0;
    case 'refunded':
      return of('refund').join() === 'succeeded' && takenBack() && all('transfer', 'partially_reversed');
    case 'any':
      return (
        all('payment', 'succeeded', 'failed') &&
        all('refund', 'succeeded', 'failed') &&
        all('transfer', 'completed', 'partially_reversed') &&
        all('reversal', 'reversed')
      );
    case 'disputed':
      return are('dispute', 'open') && takenBack() && are('transfer', 'partially_reversed', 'partially_reversed');
    case 'lost':
      return are('dispute', 'lost') && takenBack() && are('transfer', 'partially_reversed', 'partially_reversed');
    case 'withheld':
      return are('dispute', 'open') && are('reversal') && are('transfer', 'completed', 'completed');
    case 'restored':
      return (
        are('dispute', 'won') &&
        takenBack() &&
        are('transfer', 'completed', 'completed', 'partially_reversed', 'partially_reversed')
      );
    case 'spared':
      return (
        are('dispute', 'won') &&
        are('reversal', 'written_off', 'written_off') &&
        are('transfer', 'completed', 'completed')
      );
    case 'inquiry':
      return are('dispute', 'inquiry') && are('reversal') && are('transfer', 'completed', 'completed');
    default:
      return ending satisfies never;
  }
}
