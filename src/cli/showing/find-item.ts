import type { FoundItem } from '../../ledger/find-items.js';
import { CommandRefused } from '../context.js';
import type { OperatorLedger } from '../operator-ledger.js';

/** Beside the first. */
const MOST_NAMED = 9;

/**
 * The one item that a person means, by our id or by the name it has at a provider.
 * @throws CommandRefused when there is none, or when a name stands for several
 */
export async function findItem(ledger: Pick<OperatorLedger, 'findItems'>, text: string): Promise<FoundItem> {
  const [found, ...others] = await ledger.findItems(text);
  if (!found && text.startsWith('po_'))
    throw new CommandRefused(
      `${text} is a payout's name: makegood explain ${text} tells of it, makegood payouts lists them`,
    );
  if (!found) throw new CommandRefused(`nothing has the id ${text}; makegood list shows what there is`);
  if (others.length > 0) {
    const all = [found, ...others.slice(0, MOST_NAMED)].map(({ kind, id }) => `${kind} ${id}`).join(', ');
    const more = others.length > MOST_NAMED ? ` and more (makegood explain ${text} lists them)` : '';
    throw new CommandRefused(`${text} stands for several items: ${all}${more}; name one of them by its own id`);
  }
  return found;
}
