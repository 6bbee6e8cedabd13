import type { Clock } from '../../domain/clock.js';
import { newOrderId, parseOrderId } from '../../domain/ids.js';
import { orderAnswer } from '../../domain/marketplace/marketplace-answer.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem } from '../problem.js';
import { type Call, type Reply, type Route, route } from '../route.js';
import { pageOf } from '../schema-parts.js';
import { once, requestKeyOf } from './idempotency.js';
import type { MarketplaceRouteDependencies } from './marketplace-dependencies.js';
import { filterOf } from './marketplace-list.js';
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
  const content = { currency, items: items.map((item) => ({ ...item, amount: item.amount.toString() })) };
  const request = requestKeyOf(call, 'orders', content);
  const { status, answer } = await once(ledger, request, async () => {
    const order = await fromLedger(
      ledger.createOrder(
        {
          id: newOrderId(clock.nowMs()),
          currency,
          items: items.map(({ seller_account: sellerAccount, amount, description }) => ({
            sellerAccount,
            amount,
            description,
          })),
        },
        request,
      ),
    );
    return { status: 201, answer: orderAnswer(order) };
  });
  return { status, body: answer };
}

async function list({ query }: Call<unknown, MarketplaceListQuery>, { ledger }: Dependencies): Promise<Reply> {
  const { filter, limit } = filterOf(query);
  const found = filter ? await fromLedger(ledger.listOrders(filter)) : [];
  return { status: 200, body: pageOf(found.map(orderAnswer), limit) };
}

async function get({ params }: Call<unknown, unknown>, { ledger }: Dependencies): Promise<Reply> {
  const id = parseOrderId(params.id ?? '');
  const order = id && (await fromLedger(ledger.findOrder(id)));
  if (!order) throw new HttpProblem('not_found', 'there is no order with this id');
  return { status: 200, body: orderAnswer(order) };
}
