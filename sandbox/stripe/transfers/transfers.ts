import { accountOf, fundsOf, inOwnBalance, unreachable } from '../accounts/accounts.js';
import { booked } from '../balance/bookings.js';
import { transferObject } from '../http/objects.js';
import { PAGE_PARAMS, pageOf } from '../http/paging.js';
import { inRange, type Values } from '../http/params.js';
import { answer, type Caller, liesOnPlatform, type Plan, refusal, seconds } from '../http/plan.js';
import { invalid, missing, platformOnly, platformShort } from '../http/problems.js';
import { chargeOf } from '../payments/charges.js';
import { newId, type TransferRecord, type World } from '../state/records.js';
import type { Put } from '../state/tables.js';
import { balanceAvailable, type EventDraft } from '../webhooks/events.js';
import { sourceOf } from './source.js';

export const CREATE_TRANSFER = {
  // Optional in Stripe's document and required by Stripe.
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

/** Moves the platform's money to the seller: at once, or when that of the charge it draws on is there. */
export function createTransfer(caller: Caller, params: Values<typeof CREATE_TRANSFER>): Plan {
  const { store, world, account, nowMs } = caller;
  const { amount, currency, destination } = params;
  if (account !== world.platform) return refusal(platformOnly);
  if (destination === world.platform) {
    return refusal(invalid('A transfer cannot go to your own account.', { param: 'destination' }));
  }
  const problem = unreachable(store, world, destination);
  if (problem) return refusal(problem);
  const platform = accountOf(store, world.platform, world.livemode);
  const drawsOn = params.source_transaction;
  const source = drawsOn === undefined ? undefined : sourceOf(caller, { ...params, source_transaction: drawsOn });
  if (source !== undefined && 'problem' in source) return refusal(source.problem);
  if (source === undefined && fundsOf(platform, currency).available < amount) return refusal(platformShort);
  const row = newTransfer(world, {
    amount,
    currency,
    destination,
    created: seconds(nowMs),
    description: params.description ?? null,
    metadata: params.metadata ?? {},
    sourceTransaction: params.source_transaction ?? null,
    sourceType: params.source_type ?? 'card',
    transferGroup: source?.transferGroup ?? params.transfer_group ?? null,
  });
  // Read before the commit, so that nothing that happens meanwhile is in the answer.
  const body = transferObject(store, row);
  const { balanceTransaction: id, id: sent, destinationPayment } = row;
  const availableOn = source?.money.availableOn;
  const puts = booked(caller, [
    { id, account: platform.id, type: 'transfer', amount: -amount, currency, source: sent, availableOn },
    {
      account: destination,
      type: 'payment',
      ...inOwnBalance(accountOf(store, destination, world.livemode), { amount, currency }),
      source: destinationPayment,
      availableOn,
      transfer: sent,
    },
  ]);
  const events: EventDraft[] = [
    { type: 'transfer.created', account: null, livemode: world.livemode, object: () => body },
  ];
  if (source !== undefined && source.charge.transferGroup === null) {
    events.push({
      type: 'charge.updated',
      account: null,
      livemode: world.livemode,
      object: () => chargeOf(store, source.grouped),
      previous: { transfer_group: null },
    });
  }
  if (availableOn === undefined || availableOn <= seconds(nowMs)) {
    events.push(balanceAvailable(store, world, destination));
  }
  const charge: readonly Put[] = source === undefined ? [] : [{ table: 'charge', row: source.grouped }];
  return answer(body, [{ table: 'transfer', row }, ...charge, ...puts], events);
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

export function ownTransfer(caller: Caller, id: string): TransferRecord | undefined {
  const row = caller.store.transfer(id);
  return row !== undefined && liesOnPlatform(row, caller) ? row : undefined;
}

export function listTransfers(caller: Caller, params: Values<typeof LIST_TRANSFERS>): Plan {
  const { created, destination, transfer_group } = params;
  const page = pageOf(
    {
      what: 'transfer',
      url: '/v1/transfers',
      oldestFirst: caller.store.transfers().filter((row) => liesOnPlatform(row, caller)),
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
