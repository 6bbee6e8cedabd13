import type { Clock } from '../../domain/clock.js';
import { newOrderId, parseOrderId } from '../../domain/ids.js';
import { orderAnswer } from '../../domain/marketplace/marketplace-answer.js';
import { termsAnswer } from '../../domain/marketplace/releases.js';
import { fromLedger } from '../from-ledger.js';
import { type Call, type Reply, type Route, route } from '../route.js';
import { once, requestKeyOf } from './idempotency.js';
import type { MarketplaceRouteDependencies } from './marketplace-dependencies.js';
import { listPage, namedItem } from './marketplace-list.js';
import { createOrderOperation, getOrderOperation, listOrdersOperation } from './marketplace-operations.js';
import type { MarketplaceListQuery, NewOrderRequest } from './marketplace-schemas.js';

type Dependencies = Pick<MarketplaceRouteDependencies, 'ledger'> & { readonly clock: Clock };

export function orderRoutes(dependencies: Dependencies): readonly Route[] {
  return [
    route(createOrderOperation, (call) => create(call, dependencies)),
    route(listOrdersOperation, (call) => list(call, dependencies)),
    route(getOrderOperation, (call) => get(call, dependencies)),
  ];
}

async function create(call: Call<NewOrderRequest, unknown>, { ledger, clock }: Dependencies): Promise<Reply> {
  const { currency, items } = call.body;
  // As it was before there were kinds, fees and releases, where a line has none: a key of then still finds its answer.
  const content = {
    currency,
    items: items.map(({ kind, fee, amount, release, ...item }) => ({
      ...item,
      amount: amount.toString(),
      ...(kind === 'item' ? {} : { kind }),
      ...(fee === 0n ? {} : { fee: fee.toString() }),
      ...(release.kind === 'immediately' ? {} : { release: termsAnswer(release) }),
    })),
  };
  const request = requestKeyOf(call, 'orders', content);
  const { status, answer } = await once(ledger, request, async () => {
    const order = await fromLedger(
      ledger.createOrder(
        {
          id: newOrderId(clock.nowMs()),
          currency,
          items: items.map(({ seller_account: sellerAccount = null, ...item }) => ({ ...item, sellerAccount })),
        },
        request,
      ),
    );
    return { status: 201, answer: orderAnswer(order) };
  });
  return { status, body: answer };
}

async function list({ query }: Call<unknown, MarketplaceListQuery>, { ledger }: Dependencies): Promise<Reply> {
  return await listPage(query, (filter) => ledger.listOrders(filter), orderAnswer);
}

async function get({ params }: Call<unknown, unknown>, { ledger }: Dependencies): Promise<Reply> {
  const order = await namedItem('order', parseOrderId(params.id ?? ''), (id) => ledger.findOrder(id));
  return { status: 200, body: orderAnswer(order) };
}
