import { parseDisputeId } from '../../domain/ids.js';
import { disputeAnswer } from '../../domain/marketplace/dispute-answer.js';
import { fromLedger } from '../from-ledger.js';
import { type Call, type Reply, type Route, route } from '../route.js';
import { pageOf } from '../schema-parts.js';
import type { MarketplaceRouteDependencies } from './marketplace-dependencies.js';
import { filterOf, namedItem } from './marketplace-list.js';
import { getDisputeOperation, listDisputesOperation } from './marketplace-operations.js';
import type { MarketplaceListQuery } from './marketplace-schemas.js';

type Dependencies = Pick<MarketplaceRouteDependencies, 'ledger'>;

/** Buyers' disputes, as they are; nobody makes them but their banks. */
export const disputeRoutes = (dependencies: Dependencies): readonly Route[] => [
  route(listDisputesOperation, (call) => list(call, dependencies)),
  route(getDisputeOperation, (call) => get(call, dependencies)),
];

async function list({ query }: Call<unknown, MarketplaceListQuery>, { ledger }: Dependencies): Promise<Reply> {
  const { filter, limit } = filterOf(query);
  const found = filter ? await fromLedger(ledger.listDisputes(filter)) : [];
  const reversals = await fromLedger(ledger.reversalsOfDisputes(found.map(({ id }) => id)));
  const answers = found.map((dispute) =>
    disputeAnswer(
      dispute,
      reversals.filter(({ disputeId }) => disputeId === dispute.id),
    ),
  );
  return { status: 200, body: pageOf(answers, limit) };
}

async function get({ params }: Call<unknown, unknown>, { ledger }: Dependencies): Promise<Reply> {
  const dispute = await namedItem('dispute', parseDisputeId(params.id ?? ''), (id) => ledger.findDispute(id));
  const reversals = await fromLedger(ledger.reversalsOfDisputes([dispute.id]));
  return { status: 200, body: disputeAnswer(dispute, reversals) };
}
