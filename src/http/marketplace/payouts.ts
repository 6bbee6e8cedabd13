import { payoutAnswer } from '../../domain/marketplace/payout-answer.js';
import type { Ledger } from '../../ledger/ledger.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem } from '../problem.js';
import { type Call, type Reply, type Route, route } from '../route.js';
import { keyPageOf, wanted } from '../schema-parts.js';
import { namedItem } from './marketplace-list.js';
import { dismissPayoutOperation, getPayoutOperation, listPayoutsOperation } from './payout-operations.js';
import type { DismissPayoutRequest, ListPayoutsQuery } from './payout-schemas.js';

interface Dependencies {
  readonly ledger: Pick<Ledger, 'listPayouts' | 'findPayout' | 'dismissPayout'>;
}

/** Payouts as Stripe makes them; a person only says that a failure needs nobody any more. */
export const payoutRoutes = (dependencies: Dependencies): readonly Route[] => [
  route(listPayoutsOperation, (call) => list(call, dependencies)),
  route(getPayoutOperation, (call) => get(call, dependencies)),
  route(dismissPayoutOperation, (call) => dismiss(call, dependencies)),
];

async function list({ query }: Call<unknown, ListPayoutsQuery>, { ledger }: Dependencies): Promise<Reply> {
  const most = Number(query.limit);
  const { seller, status, currency, transfer_id: transferId, since, until, cursor: before } = query;
  const needsAttention = wanted(query.needs_attention);
  const filter = { seller, status, currency, transferId, needsAttention, since, until, before, limit: most + 1 };
  const found = await fromLedger(ledger.listPayouts(filter));
  return { status: 200, body: keyPageOf(found, most, payoutAnswer) };
}

async function get({ params }: Pick<Call<unknown, unknown>, 'params'>, { ledger }: Dependencies): Promise<Reply> {
  const payout = await namedItem('payout', params.id, (id) => ledger.findPayout(id));
  return { status: 200, body: payoutAnswer(payout) };
}

async function dismiss(
  { params, body, principal }: Call<DismissPayoutRequest, unknown>,
  dependencies: Dependencies,
): Promise<Reply> {
  const { ledger } = dependencies;
  const { id } = await namedItem('payout', params.id, (name) => ledger.findPayout(name));
  if (!(await fromLedger(ledger.dismissPayout(id, { by: principal.name, note: body.note }))))
    throw new HttpProblem('not_waiting', 'nobody is asked about this payout: nothing was changed');
  return await get({ params }, dependencies);
}
