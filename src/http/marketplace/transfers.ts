import { assertNever } from '../../domain/assert-never.js';
import { parseReversalId, parseTransferId } from '../../domain/ids.js';
import type { Reversal } from '../../domain/marketplace/marketplace.js';
import { transferAnswer } from '../../domain/marketplace/marketplace-answer.js';
import { reversalAnswer } from '../../domain/marketplace/reversal-answer.js';
import { tellOfSeller } from '../../reading/seller.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem } from '../problem.js';
import { type Call, type Reply, type Route, route } from '../route.js';
import { pageOf } from '../schema-parts.js';
import type { MarketplaceRouteDependencies } from './marketplace-dependencies.js';
import { filterOf, listPage, namedItem } from './marketplace-list.js';
import {
  getReversalOperation,
  getSellerOperation,
  getTransferOperation,
  listReversalsOperation,
  listTransfersOperation,
  releaseTransferOperation,
} from './marketplace-operations.js';
import type { MarketplaceListQuery } from './marketplace-schemas.js';

type Dependencies = Pick<MarketplaceRouteDependencies, 'ledger' | 'nudge'>;

/** Sellers' transfers and their reversals, as they are; nobody makes them but the ledger. What waits for its release is released here. */
export const transferRoutes = (dependencies: Dependencies): readonly Route[] => [
  route(listTransfersOperation, (call) => listTransfers(call, dependencies)),
  route(getTransferOperation, (call) => getTransfer(call, dependencies)),
  route(releaseTransferOperation, (call) => releaseTransfer(call, dependencies)),
  route(getSellerOperation, (call) => getSeller(call, dependencies)),
  route(listReversalsOperation, (call) => listReversals(call, dependencies)),
  route(getReversalOperation, (call) => getReversal(call, dependencies)),
];

async function listTransfers({ query }: Call<unknown, MarketplaceListQuery>, { ledger }: Dependencies): Promise<Reply> {
  const { filter, limit } = filterOf(query);
  const found = filter ? await fromLedger(ledger.listTransfers(filter)) : [];
  const reversals = await fromLedger(ledger.reversalsOfTransfers(found.map(({ id }) => id)));
  const byTransfer = new Map<string, Reversal[]>();
  for (const reversal of reversals) {
    const known = byTransfer.get(reversal.transferId);
    if (known) known.push(reversal);
    else byTransfer.set(reversal.transferId, [reversal]);
  }
  const answers = found.map((transfer) => transferAnswer(transfer, byTransfer.get(transfer.id) ?? []));
  return { status: 200, body: pageOf(answers, limit) };
}

async function getTransfer(
  { params }: Pick<Call<unknown, unknown>, 'params'>,
  { ledger }: Pick<Dependencies, 'ledger'>,
): Promise<Reply> {
  const transfer = await namedItem('transfer', parseTransferId(params.id ?? ''), (id) => ledger.findTransfer(id));
  const reversals = await fromLedger(ledger.reversalsOfTransfer(transfer.id));
  return { status: 200, body: transferAnswer(transfer, reversals) };
}

async function releaseTransfer(
  { params, principal }: Call<unknown, unknown>,
  { ledger, nudge }: Dependencies,
): Promise<Reply> {
  const transfer = await namedItem('transfer', parseTransferId(params.id ?? ''), (id) => ledger.findTransfer(id));
  const outcome = await fromLedger(ledger.releaseHeld(transfer.id, principal.name));
  switch (outcome) {
    case 'released':
      nudge({ kind: 'transfer', id: transfer.id });
      return await getTransfer({ params }, { ledger });
    case 'as_it_was':
      return await getTransfer({ params }, { ledger });
    case 'cancelled':
      throw new HttpProblem(
        'transfer_ended',
        'a refund or a dispute has left nothing of this share to be sent: nothing was released. What is owed again because one of them ended is a transfer of its own: see the order',
      );
    case 'given_up':
      throw new HttpProblem(
        'transfer_ended',
        'this share was given up (write_off) and is not sent: nothing was released',
      );
    default:
      return assertNever(outcome);
  }
}

async function getSeller({ params }: Call<unknown, unknown>, { ledger }: Dependencies): Promise<Reply> {
  const seller = await namedItem('seller', params.account, (account) => ledger.findSeller(account));
  return { status: 200, body: await fromLedger(tellOfSeller(ledger, seller)) };
}

async function listReversals({ query }: Call<unknown, MarketplaceListQuery>, { ledger }: Dependencies): Promise<Reply> {
  return await listPage(query, (filter) => ledger.listReversals(filter), reversalAnswer);
}

async function getReversal({ params }: Call<unknown, unknown>, { ledger }: Dependencies): Promise<Reply> {
  const reversal = await namedItem('reversal', parseReversalId(params.id ?? ''), (id) => ledger.findReversal(id));
  return { status: 200, body: reversalAnswer(reversal) };
}
