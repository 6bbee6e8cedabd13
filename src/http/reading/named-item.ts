import type { FoundItem } from '../../ledger/find-items.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem } from '../problem.js';
import { type ExplainedKind, isExplained } from './kinds.js';
import type { ReadingDependencies } from './reading-dependencies.js';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** On chain. */
const CHANNEL = /^0x[0-9a-f]{64}$/;

export type Named = { readonly kind: 'channel'; readonly id: string } | FoundItem;

/** The item that a path names by its kind and its own id. @throws HttpProblem 404 */
export async function namedBy(
  { kind = '', item = '' }: Readonly<Record<string, string>>,
  { ledger }: Pick<ReadingDependencies, 'ledger'>,
): Promise<Named> {
  if (!isExplained(kind)) throw new HttpProblem('not_found', 'there is no such kind of item');
  if (kind === 'channel') {
    if (!CHANNEL.test(item)) throw noItem(kind);
    return { kind, id: item };
  }
  if (!UUID.test(item)) throw noItem(kind);
  const found = (await fromLedger(ledger.findItems(item))).find((one) => one.kind === kind && one.id === item);
  if (!found) throw noItem(kind);
  return found;
}

export const noItem = (kind: ExplainedKind) => new HttpProblem('not_found', `there is no ${kind} with this id`);
