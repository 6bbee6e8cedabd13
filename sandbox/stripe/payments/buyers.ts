import type { Settlement, SettlementDependencies } from '../balance/settlement.js';
import { carryOutPlan } from '../control/carry-out-plan.js';
import type { ChargeStatus, RefundStatus } from '../state/records.js';
import { planPay } from './intents.js';
import type { ShortRefunds } from './refunds.js';

export interface BuyerSettings {
  /** What becomes of a PaymentIntent as soon as it is made; null: its buyer only looks at it. */
  readonly pay: ChargeStatus | null;
  /** What a refund by the API is at first. */
  readonly refunds: RefundStatus;
  /** What becomes of one that the platform's available balance does not cover: Stripe debits a bank account, waits for money, or refuses it. */
  readonly shortRefunds: ShortRefunds;
  /** How old a PaymentIntent is before a search finds it, by the stand-in's clock. */
  readonly indexedAfterMs: number;
}

export interface Buyers {
  settings(): BuyerSettings;
  set(change: Partial<BuyerSettings>): void;
  clear(): void;
}

const AT_FIRST: BuyerSettings = { pay: null, refunds: 'succeeded', shortRefunds: 'debited', indexedAfterMs: 0 };

/** What happens by itself of what is made by the API. */
export function createBuyers(
  dependencies: SettlementDependencies & { readonly settlement: Pick<Settlement, 'days'> },
): Buyers {
  const { store, clock, settlement } = dependencies;
  let settings = AT_FIRST;
  store.watch((puts) => {
    for (const { table, row } of puts) {
      const status = settings.pay;
      if (table !== 'intent' || row.status !== 'requires_payment_method' || status === null) continue;
      const { id, platform, livemode } = row;
      setImmediate(() => {
        const context = { store, world: { platform, livemode }, nowMs: clock.nowMs() };
        // Who was faster has paid or called it off.
        carryOutPlan(dependencies, planPay(context, id, { status }, settlement.days())).catch(() => undefined);
      });
    }
  });
  return {
    settings: () => settings,
    set(change) {
      settings = { ...settings, ...change };
    },
    clear() {
      settings = AT_FIRST;
    },
  };
}
