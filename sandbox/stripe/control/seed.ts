import { z } from 'zod';
import { accountOf, credited } from '../accounts/accounts.js';
import { type Booking, booked } from '../balance/bookings.js';
import { type AccountRecord, newId, type ReversalRecord, type TransferRecord, type World } from '../state/records.js';
import type { Store } from '../state/store.js';
import type { Put } from '../state/tables.js';
import { newReversal } from '../transfers/reversals.js';
import { newTransfer } from '../transfers/transfers.js';

const positive = z.int().min(1).max(999_999_999_999);
const metadata = z.record(z.string().max(40), z.string().max(500));
const seededTransfer = z.strictObject({
  /** Default: a new one. */
  id: z
    .string()
    .regex(/^tr_\w{1,60}$/)
    .optional(),
  destination: z.string().regex(/^acct_\w{1,64}$/),
  amount: positive,
  currency: z
    .string()
    .regex(/^[a-z]{3}$/)
    .default('usd'),
  /** Unix seconds; default: now. */
  created: z.int().min(0).optional(),
  metadata: metadata.default({}),
  transfer_group: z.string().nullable().default(null),
  /** Made one second apart, right after the transfer. */
  reversals: z.array(z.strictObject({ amount: positive, metadata: metadata.default({}) })).default([]),
});
export const seedSchema = z.strictObject({
  livemode: z.boolean().default(false),
  /** Of another platform than the stand-in's own. */
  platform: z
    .string()
    .regex(/^acct_\w{1,64}$/)
    .optional(),
  /** What was transferred and not reversed is in the sellers' balances; false: paid out long ago. */
  credit: z.boolean().default(true),
  transfers: z.array(seededTransfer).max(100_000).default([]),
  /** What the platform topped its balance up with, by currency; available at once. */
  topups: z.record(z.string().regex(/^[a-z]{3}$/), positive).default({}),
});
export type Seed = z.input<typeof seedSchema>;

/**
 * History in one commit: no events, no keys, and no transfer takes anything from the platform, whose past earnings paid for it.
 * @returns a contradiction where reversals exceed their transfer or an id is taken; nothing may then be committed
 */
export function planSeed(
  store: Store,
  { platform, livemode, nowSeconds }: World & { readonly nowSeconds: number },
  seed: z.output<typeof seedSchema>,
): { readonly ids: readonly string[]; readonly puts: readonly Put[] } | { readonly contradiction: string } {
  const world: World = { platform, livemode };
  const puts: Put[] = [];
  const ids = new Set<string>();
  const sellers = new Map<string, AccountRecord>();
  for (const given of seed.transfers) {
    const { transfer, reversals } = history(world, given, nowSeconds);
    if (transfer.amountReversed > transfer.amount) {
      return { contradiction: `${transfer.id}: its reversals exceed it` };
    }
    if (ids.has(transfer.id) || store.transfer(transfer.id) !== undefined) {
      return { contradiction: `${transfer.id} is taken` };
    }
    ids.add(transfer.id);
    puts.push({ table: 'transfer', row: transfer }, ...reversals.map((row) => ({ table: 'reversal', row }) as const));
    const { currency, destination } = transfer;
    const seller = sellers.get(destination) ?? accountOf(store, destination, livemode);
    const amount = transfer.amount - transfer.amountReversed;
    sellers.set(destination, credited(seller, { amount, currency }));
  }
  if (seed.credit) puts.push(...Array.from(sellers.values(), (row) => ({ table: 'account', row }) as const));
  const topups = Object.entries(seed.topups).map(
    ([currency, amount]): Booking => ({ account: platform, type: 'topup', amount, currency, source: newId('tu') }),
  );
  puts.push(...booked({ store, world, nowMs: nowSeconds * 1000 }, topups));
  return { ids: Array.from(ids), puts };
}

function history(
  world: World,
  given: z.output<typeof seededTransfer>,
  nowSeconds: number,
): { readonly transfer: TransferRecord; readonly reversals: readonly ReversalRecord[] } {
  const created = given.created ?? nowSeconds;
  const made = newTransfer(world, {
    amount: given.amount,
    currency: given.currency,
    destination: given.destination,
    created,
    description: null,
    metadata: given.metadata,
    sourceTransaction: null,
    sourceType: 'card',
    transferGroup: given.transfer_group,
  });
  const transfer = given.id === undefined ? made : { ...made, id: given.id };
  const reversals = given.reversals.map((reversal, index) =>
    newReversal(transfer, { ...reversal, created: created + 1 + index }),
  );
  const amountReversed = reversals.reduce((sum, reversal) => sum + reversal.amount, 0);
  return { transfer: { ...transfer, amountReversed }, reversals };
}
