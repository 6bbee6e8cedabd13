import { accountOf, credited, fundsOf } from '../accounts/accounts.js';
import { seconds } from '../http/plan.js';
import type { Agenda, MovableClock } from '../state/movable-clock.js';
import type { AccountRecord, BalanceTransactionRecord, World } from '../state/records.js';
import type { Store } from '../state/store.js';
import type { Put } from '../state/tables.js';
import { balanceAvailable, renderEvents } from '../webhooks/events.js';
import type { Webhooks } from '../webhooks/webhooks.js';

export interface SettlementDependencies {
  readonly store: Store;
  readonly clock: MovableClock;
  readonly agenda: Agenda;
  readonly webhooks: Webhooks;
}

/** How long money of a payment is pending. */
export interface Settlement {
  days(): number;
  setDays(days: number): void;
  clear(): void;
}

/** Cards in the United States (docs.stripe.com/payouts#settlement-timing); to the second, where Stripe rounds to a midnight. */
const DAYS = 2;

/** Makes pending money available when the clock reaches its day, after a restart too, and sends balance.available where it rises. */
export function createSettlement({ store, clock, agenda, webhooks }: SettlementDependencies): Settlement {
  let settlementDays = DAYS;
  const settle = async (): Promise<void> => {
    const nowMs = clock.nowMs();
    const due = store.unsettled().filter(({ availableOn }) => availableOn <= seconds(nowMs));
    const { puts, risen } = settled(store, due);
    const durable = store.commit(puts);
    const events = renderEvents(risen, nowMs, { id: null, idempotency_key: null });
    await durable;
    webhooks.emit(events);
  };
  // A disk that fails is told to whoever asks next; nobody waits for this one.
  const schedule = ({ availableOn }: BalanceTransactionRecord): void =>
    agenda.at(availableOn * 1000, () => void settle().catch(() => undefined));
  store.unsettled().forEach(schedule);
  store.watch((puts) => {
    for (const each of puts) if (each.table === 'transaction' && !each.row.settled) schedule(each.row);
  });
  return {
    days: () => settlementDays,
    setDays(days) {
      settlementDays = days;
    },
    clear() {
      settlementDays = DAYS;
    },
  };
}

/** All that is due at once, so that nobody sees a charge's money without the transfers out of it. */
function settled(store: Store, due: readonly BalanceTransactionRecord[]) {
  const accounts = new Map<string, { readonly row: AccountRecord; readonly world: World }>();
  const puts: Put[] = [];
  for (const row of due) {
    const { platform, livemode, currency } = row;
    const world: World = { platform, livemode };
    const key = `${platform} ${livemode} ${row.account}`;
    const before = accounts.get(key)?.row ?? accountOf(store, row.account, livemode);
    const amount = row.amount - row.fee;
    const less = credited(before, { amount: -amount, currency }, 'pending');
    accounts.set(key, { row: credited(less, { amount, currency }), world });
    puts.push({ table: 'transaction', row: { ...row, settled: true } });
  }
  const risen = Array.from(accounts.values()).flatMap(({ row, world }) => {
    const before = accountOf(store, row.id, world.livemode);
    const rises = Object.entries(row.funds).some(
      ([currency, { available }]) => available > fundsOf(before, currency).available,
    );
    return rises ? [balanceAvailable(store, world, row.id)] : [];
  });
  puts.push(...Array.from(accounts.values(), ({ row }) => ({ table: 'account', row }) as const));
  return { puts, risen };
}
