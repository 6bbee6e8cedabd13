import { accountOf, credited, fundsOf, unreachable } from '../accounts/accounts.js';
import { transferObject } from '../http/objects.js';
import { PAGE_PARAMS, pageOf } from '../http/paging.js';
import { inRange, type Values } from '../http/params.js';
import { answer, type Caller, type Plan, refusal, seconds } from '../http/plan.js';
import { insufficient, invalid, missing, noCapability, platformOnly } from '../http/problems.js';
import { newId, type TransferRecord, type World } from '../state/records.js';
import { balanceAvailable } from '../webhooks/events.js';

export const CREATE_TRANSFER = {
  // Optional in Stripe's document, where a source_transaction may stand for it; the stand-in knows no charges.
  amount: { kind: 'amount', required: true },
  currency: { kind: 'currency', required: true },
  destination: { kind: 'text', required: true },
  description: { kind: 'text' },
  metadata: { kind: 'metadata' },
  source_transaction: { kind: 'text' },
  source_type: { kind: 'sourceType' },
  transfer_group: { kind: 'text' },
} as const;

export const UPDATE_TRANSFER = {
  description: { kind: 'text' },
  metadata: { kind: 'metadataChange' },
} as const;

export const LIST_TRANSFERS = {
  ...PAGE_PARAMS,
  created: { kind: 'range' },
  destination: { kind: 'text' },
  transfer_group: { kind: 'text' },
} as const;

/** Moves the platform's money to the seller at once. */
export function createTransfer(caller: Caller, params: Values<typeof CREATE_TRANSFER>): Plan {
  const { store, world, account, nowMs } = caller;
  const { amount, currency, destination } = params;
  if (account !== world.platform) return refusal(platformOnly);
  if (destination === world.platform) {
    return refusal(invalid('A transfer cannot go to your own account.', { param: 'destination' }));
  }
  const problem = unreachable(store, world, destination);
  if (problem) return refusal(problem);
  const seller = accountOf(store, destination, world.livemode);
  const platform = accountOf(store, world.platform, world.livemode);
  if (seller.transfers !== 'active') return refusal(noCapability(destination));
  if (fundsOf(platform, world, currency).available < amount) return refusal(insufficient(platform.id, currency));
  const row = newTransfer(world, {
    amount,
    currency,
    destination,
    created: seconds(nowMs),
    description: params.description ?? null,
    metadata: params.metadata ?? {},
    sourceTransaction: params.source_transaction ?? null,
    sourceType: params.source_type ?? 'card',
    transferGroup: params.transfer_group ?? null,
  });
  // Read before the commit, so that nothing that happens meanwhile is in the answer.
  const body = transferObject(store, row);
  return answer(
    body,
    [
      { table: 'transfer', row },
      { table: 'account', row: credited(platform, world, { amount: -amount, currency }) },
      { table: 'account', row: credited(seller, world, { amount, currency }) },
    ],
    [
      { type: 'transfer.created', account: null, livemode: world.livemode, object: () => body },
      balanceAvailable(store, world, destination),
    ],
  );
}

type NewTransfer = Omit<
  TransferRecord,
  'id' | 'amountReversed' | 'balanceTransaction' | 'destinationPayment' | keyof World
>;

export const newTransfer = (world: World, fields: NewTransfer): TransferRecord => ({
  ...fields,
  ...world,
  id: newId('tr'),
  amountReversed: 0,
  balanceTransaction: newId('txn'),
  destinationPayment: newId('py'),
});

export function readTransfer(caller: Caller, id: string): Plan {
  const row = ownTransfer(caller, id);
  return row === undefined ? refusal(missing('transfer', id, 'transfer')) : answer(transferObject(caller.store, row));
}

/** Words only: what moved stays moved. */
export function updateTransfer(caller: Caller, id: string, params: Values<typeof UPDATE_TRANSFER>): Plan {
  const row = ownTransfer(caller, id);
  if (row === undefined) return refusal(missing('transfer', id, 'transfer'));
  const { description = row.description, metadata: change = {} } = params;
  const merged = change === null ? {} : { ...row.metadata, ...change };
  const metadata = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''));
  const changed: TransferRecord = { ...row, description, metadata };
  const body = transferObject(caller.store, changed);
  const previous = { description: row.description, metadata: row.metadata };
  return answer(
    body,
    [{ table: 'transfer', row: changed }],
    [{ type: 'transfer.updated', account: null, livemode: row.livemode, object: () => body, previous }],
  );
}

/** Transfers lie on the platform: another platform, the other mode or a connected account finds none of them. */
export function ownTransfer(caller: Caller, id: string): TransferRecord | undefined {
  const row = caller.store.transfer(id);
  return row !== undefined && belongsTo(row, caller) ? row : undefined;
}

const belongsTo = (row: World, { world, account }: Caller): boolean =>
  row.platform === account && row.livemode === world.livemode;

export function listTransfers(caller: Caller, params: Values<typeof LIST_TRANSFERS>): Plan {
  const { created, destination, transfer_group } = params;
  const page = pageOf(
    {
      what: 'transfer',
      url: '/v1/transfers',
      oldestFirst: caller.store.transfers().filter((row) => belongsTo(row, caller)),
      matches: (row) =>
        (destination === undefined || row.destination === destination) &&
        (transfer_group === undefined || row.transferGroup === transfer_group) &&
        (created === undefined || inRange(row.created, created)),
    },
    params,
    (row) => transferObject(caller.store, row),
  );
  return 'problem' in page ? refusal(page.problem) : answer(page);
}
