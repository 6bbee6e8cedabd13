import type { Database } from '../database.js';
import { Conditions, inArchive, waitsForAPerson } from '../list-conditions.js';
import type { MarketplaceFilter } from './marketplace-types.js';

/** What the lists of the marketplace have in common, where the table has such columns. @param key the condition of what is called so */
export const conditionsOf = (
  { status, needsAttention, reason, orderId, key, currency, seller, archived }: MarketplaceFilter,
  {
    key: called,
    seller: of = (account) => `seller_account = ${account}`,
  }: { readonly key: (parameter: string) => string; readonly seller?: (parameter: string) => string },
): Conditions =>
  new Conditions()
    .where(status, (value) => `status = ${value}`)
    .whether(needsAttention, waitsForAPerson)
    .where(reason, (value) => `attention_reason = ${value}`)
    .where(orderId, (value) => `order_id = ${value}`)
    .whether(inArchive(archived, orderId !== undefined || key !== undefined), (condition) => condition)
    .where(key, called)
    .where(currency, (value) => `currency = ${value}`)
    .where(seller, of);

/** By its own name, or by the key of our client's request that made it. @param key a parameter */
export const calledBy = (table: string, name: string, key: string): string =>
  `id IN (SELECT id FROM ${table} WHERE ${name} = ${key}
     UNION SELECT item_id FROM request_keys WHERE operation = '${table}' AND key = ${key})`;

/** Looked up one by one, these cost no more than a page that is walked to. */
const MOST_LOOKED_UP = 10_000;

/**
 * Of what belongs to an order and has no seller itself: whether the seller has a share of it. The orders of one who has few are looked up one
 * by one, because Postgres would walk through all that is newer than the last of them; those of one who has many are met soon.
 * @returns the condition, of the parameter that stands for the seller
 */
export async function sharedBy(database: Database, seller: string | undefined): Promise<(account: string) => string> {
  const own = (account: string) => `SELECT order_id FROM seller_transfers WHERE seller_account = ${account}`;
  const most = MOST_LOOKED_UP + 1;
  const some = seller === undefined ? [] : await database.query(`${own('$1')} LIMIT ${most}`, [seller]);
  return some.length < most
    ? (account) => `order_id = ANY (ARRAY(${own(account)}))`
    : (account) => `order_id IN (${own(account)})`;
}
