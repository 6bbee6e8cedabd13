import { parseOrderId } from '../../domain/ids.js';
import type { MarketplaceFilter } from '../../ledger/marketplace/marketplace-types.js';
import { wanted } from '../schema-parts.js';
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
    before: query.cursor,
    // One more than asked for tells whether there is a next page.
    limit: limit + 1,
  };
  return { filter, limit };
}
