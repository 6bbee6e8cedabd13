import { parseOrderId } from '../../domain/ids.js';
import type { MarketplaceFilter } from '../../ledger/marketplace/marketplace-types.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem } from '../problem.js';
import type { Reply } from '../route.js';
import { pageOf, wanted } from '../schema-parts.js';
import type { MarketplaceListQuery } from './marketplace-schemas.js';

/** `filter` is undefined where nothing can be found: no order has such an id. */
export function filterOf(query: MarketplaceListQuery): {
  readonly filter: MarketplaceFilter | undefined;
  readonly limit: number;
} {
  const limit = Number(query.limit);
  const orderId = query.order_id === undefined ? undefined : parseOrderId(query.order_id);
  if (query.order_id !== undefined && orderId === undefined) return { filter: undefined, limit };
  const filter = {
    status: query.status,
    needsAttention: wanted(query.needs_attention),
    orderId,
    key: query.key,
    reason: query.reason,
    currency: query.currency,
    seller: query.seller,
    archived: wanted(query.archived),
    since: query.since,
    until: query.until,
    before: query.cursor,
    // One more than asked for tells whether there is a next page.
    limit: limit + 1,
  };
  return { filter, limit };
}

/** One page of what is found, as it is answered. */
export async function listPage<Item>(
  query: MarketplaceListQuery,
  find: (filter: MarketplaceFilter) => Promise<readonly Item[]>,
  answer: (item: Item) => { readonly id: string },
): Promise<Reply> {
  const { filter, limit } = filterOf(query);
  const found = filter ? await fromLedger(find(filter)) : [];
  return { status: 200, body: pageOf(found.map(answer), limit) };
}

/** The item that a path names. @throws HttpProblem 404, also for what is no id */
export async function namedItem<Id, Item>(
  kind: string,
  id: Id | undefined,
  find: (id: Id) => Promise<Item | undefined>,
): Promise<Item> {
  const item = id === undefined ? undefined : await fromLedger(find(id));
  if (item === undefined) throw new HttpProblem('not_found', `there is no ${kind} with this id`);
  return item;
}
