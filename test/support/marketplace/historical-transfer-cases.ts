import type { StripeSandbox } from '../../../sandbox/stripe/start.js';
import type { TransferId } from '../../../src/domain/ids.js';
import type { HistoricalTransfer } from '../../../src/ledger/historical/historical-types.js';
import type { TestLedger } from '../ledger-fixtures.js';
import { atStripe, history } from './backfill-world.js';
import { putOrder } from './fixtures.js';

type Expected = 'found' | 'not_found' | 'ambiguous' | 'mismatch' | 'taken';
type AtStripe = ReturnType<typeof atStripe>;

/** One transfer of ours without an id, what Stripe has of it, and what a backfill must say. */
interface Case {
  readonly ours: HistoricalTransfer;
  /** Of these, the only one that can be it, where there is one. */
  readonly stripe: readonly AtStripe[];
  readonly expected: Expected;
  /** Further lines of the same import, which a backfill does not ask for. */
  readonly beside?: readonly HistoricalTransfer[];
  readonly livemode?: true;
}

export interface HistoricalTransferCases {
  /** As `makegood import-transfers` reads it. */
  readonly lines: readonly HistoricalTransfer[];
  /** Seeds the stand-in with everything that was sent, and with as much that has nothing to do with us. */
  seed(stripe: StripeSandbox): Promise<void>;
  /** By order, seller and amount: the id at Stripe, or why there is none. */
  expectedOf(line: { order: string; sellerAccount: string; amount: bigint }): string;
  /** Pages of a hundred that one listing of every seller takes. */
  readonly pages: number;
}

const SELLERS = 20;
/** Every third line is of this one, so that its transfers fill several pages. */
const BUSY = 'acct_busy';

/** @param count transfers of ours without an id, every awkward kind among them in equal parts */
export function historicalTransferCases(count: number): HistoricalTransferCases {
  const cases = Array.from({ length: count }, (_, nth) => caseOf(nth));
  const expected = new Map<string, string>();
  for (const { ours, stripe, expected: outcome } of cases)
    expected.set(keyOf(ours), outcome === 'found' ? idOf(stripe) : outcome);
  const sent = cases.filter(({ livemode }) => !livemode).flatMap(({ stripe }) => stripe);
  const live = cases.filter(({ livemode }) => livemode).flatMap(({ stripe }) => stripe);
  const perSeller = new Map<string, number>();
  for (const { ours } of cases) perSeller.set(ours.sellerAccount, 0);
  for (const { destination } of sent)
    if (perSeller.has(destination)) perSeller.set(destination, (perSeller.get(destination) ?? 0) + 1);
  return {
    lines: cases.flatMap(({ ours, beside = [] }) => [ours, ...beside]),
    async seed(stripe) {
      await stripe.seed({ transfers: [...sent] });
      await stripe.seed({ transfers: [...live], livemode: true });
    },
    expectedOf: (line) => expected.get(keyOf(line)) ?? 'not asked for',
    pages: [...perSeller.values()].reduce((sum, of) => sum + Math.max(1, Math.ceil(of / 100)), 0),
  };
}

const keyOf = ({ order, sellerAccount, amount }: { order: string; sellerAccount: string; amount: bigint }) =>
  `${order} ${sellerAccount} ${amount}`;
const idOf = ([first]: readonly AtStripe[]): string => (first as { id?: string } | undefined)?.id ?? '';

let made = 0;
const newId = (): string => `tr_seeded${(made += 1)}`;
const sentAs = (ours: HistoricalTransfer, changes: object = {}): AtStripe =>
  atStripe(ours, { id: newId(), ...changes });

function caseOf(nth: number): Case {
  const sellerAccount = nth % 3 === 0 ? BUSY : `acct_s${nth % SELLERS}`;
  const createdAt = new Date(Date.parse('2025-01-01T00:00:00Z') + nth * 3_600_000).toISOString();
  const ours = history({ sellerAccount, amount: 1_000n + BigInt(nth), createdAt });
  const kind = KINDS[nth % KINDS.length];
  if (!kind) throw new Error('there is no such kind');
  return { ours, ...kind(ours) };
}

type Kind = (ours: HistoricalTransfer) => Omit<Case, 'ours'>;

const plain: Kind = (ours) => ({ stripe: [sentAs(ours)], expected: 'found' });

const KINDS: readonly Kind[] = [
  plain,
  // Never sent, or deleted from Stripe's books: nothing is there.
  () => ({ stripe: [], expected: 'not_found' }),
  plain,
  // Its metadata was deleted.
  (ours) => ({ stripe: [sentAs(ours, { metadata: {} })], expected: 'not_found' }),
  // Sent twice by an older system.
  (ours) => ({ stripe: [sentAs(ours), sentAs(ours)], expected: 'ambiguous' }),
  plain,
  (ours) => ({ stripe: [sentAs(ours, { amount: Number(ours.amount) - 1 })], expected: 'mismatch' }),
  (ours) => ({ stripe: [sentAs(ours, { currency: 'eur' })], expected: 'mismatch' }),
  plain,
  // Made in the other mode: this key never sees it.
  (ours) => ({ stripe: [sentAs(ours)], expected: 'not_found', livemode: true }),
  // To another seller.
  (ours) => ({ stripe: [sentAs(ours, { destination: 'acct_elsewhere' })], expected: 'not_found' }),
  plain,
  // Its only candidate is the id of another order's transfer.
  (ours) => {
    const only = sentAs(ours);
    const beside = [
      history({
        ...ours,
        order: `${ours.order}_other`,
        hyperswitchPaymentId: `${ours.hyperswitchPaymentId}o`,
        stripeTransferId: idOf([only]),
      }),
    ];
    return { stripe: [only], expected: 'taken', beside };
  },
  // A second transfer of the same order to the same seller, with an id already and explained by it.
  (ours) => {
    const other = history({ ...ours, amount: ours.amount + 50_000n });
    const theirs = sentAs(other);
    return {
      stripe: [sentAs(ours), theirs],
      expected: 'found',
      beside: [{ ...other, stripeTransferId: idOf([theirs]) }],
    };
  },
  // Two of one order that each fit only themselves; and one whose twin at Stripe is in another currency.
  (ours) => ({
    stripe: [sentAs(ours), sentAs(ours, { currency: 'gbp' }), sentAs(ours, { amount: 1 })],
    expected: 'found',
  }),
  plain,
];

/** Two of one order, seller and amount without ids, as no import can make them; `named`: Stripe's metadata tells them apart. */
export async function putEqualTransfers(
  test: TestLedger,
  stripe: StripeSandbox,
  { reference, named }: { reference: string; named: boolean },
): Promise<ReadonlyMap<TransferId, string>> {
  const twin = { amount: 7_000, seller: BUSY, stripeTransferId: null, columns: { origin: 'import' } };
  const { transfers } = await putOrder(test, { paid: 20_000, columns: { reference }, transfers: [twin, twin] });
  const expected = new Map<TransferId, string>();
  for (const { id } of transfers) {
    const theirs = newId();
    const metadata: Record<string, string> = { order_id: reference, ...(named ? { seller_transfer_id: id } : {}) };
    await stripe.seed({ transfers: [{ id: theirs, destination: BUSY, amount: 7_000, metadata }] });
    expected.set(id, named ? theirs : 'ambiguous');
  }
  return expected;
}
