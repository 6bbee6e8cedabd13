import type { MadeIntent } from '../../domain/calls/made-at-stripe.js';
import type { JsonObject } from '../../domain/json.js';
import { arrayAt, isObject, stringAt } from '../../protocols/wire-json.js';
import { idAt, intentFacts, metadataOf, timeAt } from './facts.js';
import { intentMeaning } from './statuses.js';

/** A PaymentIntent as far as it is one that is made from here; undefined: it is none. */
export function madeIntent(object: JsonObject): MadeIntent | undefined {
  const facts = intentFacts(object);
  const stripePaymentId = idAt(object, 'id');
  const createdAt = timeAt(object, 'created');
  if (facts === undefined || stripePaymentId === undefined || createdAt === undefined) return undefined;
  return {
    stripePaymentId,
    ...intentMeaning(facts.status),
    providerStatus: facts.status,
    amount: facts.amount,
    amountReceived: facts.received,
    currency: facts.currency,
    connector: 'stripe',
    connectorTransactionId: stripePaymentId,
    clientSecret: stringAt(object, 'client_secret') ?? null,
    mark: metadataOf(object)['payment_id'] ?? null,
    createdAt,
  };
}

/** What a search found, on its first page: of one mark there is never more. */
export function foundOf<Item>(
  object: JsonObject,
  read: (item: JsonObject) => Item | undefined,
): readonly Item[] | undefined {
  const data = object['object'] === 'search_result' ? arrayAt(object, 'data') : undefined;
  if (data === undefined || object['has_more'] !== false) return undefined;
  const items = data.map((item) => (isObject(item) ? read(item) : undefined)).filter((item) => item !== undefined);
  return items.length === data.length ? items : undefined;
}
