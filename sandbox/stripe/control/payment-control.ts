import type { ApiDependencies } from '../http/api.js';
import type { chargeObject, paymentIntentObject } from '../http/payment-objects.js';
import { type NewCapture, planCapture, planChargeChange } from '../payments/charges.js';
import { carryOutPlan } from './carry-out-plan.js';

export type ChargeObject = ReturnType<typeof chargeObject>;
export type PaymentIntentObject = ReturnType<typeof paymentIntentObject>;

/** Switches of what buyers, banks and people in the dashboard do to payments at the platform. */
export interface PaymentControl {
  /** Days until money of a payment is available; 2 at first. */
  settlementDays(): number;
  setSettlementDays(days: number): void;
  /** @throws ControlRefused when the PaymentIntent was charged already */
  createCapture(
    capture: NewCapture,
    livemode?: boolean,
  ): Promise<{ readonly payment_intent: PaymentIntentObject; readonly charge: ChargeObject }>;
  /** What becomes of a charge that was `uncaptured` or is `pending`. @throws ControlRefused */
  updateCharge(id: string, to: 'captured' | 'succeeded' | 'failed'): Promise<void>;
}

export function paymentControl(dependencies: ApiDependencies & { readonly platform: string }): PaymentControl {
  const { store, clock, settlement, platform } = dependencies;
  const context = (livemode: boolean) => ({ store, world: { platform, livemode }, nowMs: clock.nowMs() });
  return {
    settlementDays: () => settlement.days(),
    setSettlementDays: (days) => settlement.setDays(days),
    createCapture: (capture, livemode = false) =>
      carryOutPlan(dependencies, planCapture(context(livemode), capture, settlement.days())),
    async updateCharge(id, to) {
      const { livemode = false } = store.charge(id) ?? {};
      await carryOutPlan(dependencies, planChargeChange(context(livemode), id, to, settlement.days()));
    },
  };
}
