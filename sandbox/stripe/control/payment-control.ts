import type { ApiDependencies } from '../http/api.js';
import type { chargeObject, paymentIntentObject } from '../http/payment-objects.js';
import type { Plan } from '../http/plan.js';
import type { disputeObject, refundObject } from '../http/refund-objects.js';
import type { BuyerSettings } from '../payments/buyers.js';
import { type NewCapture, planCapture, planChargeChange } from '../payments/charges.js';
import { type DisputeChange, type NewDispute, planDispute, planDisputeMove } from '../payments/disputes.js';
import { planAction, planCalledOff, planPay } from '../payments/intents.js';
import { type NewRefund, planRefund, planRefundStatus } from '../payments/refunds.js';
import type { RefundStatus } from '../state/records.js';
import { carryOutPlan } from './carry-out-plan.js';

type ChargeObject = ReturnType<typeof chargeObject>;
type PaymentIntentObject = ReturnType<typeof paymentIntentObject>;
type RefundObject = ReturnType<typeof refundObject>;
type DisputeObject = ReturnType<typeof disputeObject>;

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
  /** What happens by itself of what is made by the API; at first nothing. */
  buyers(): BuyerSettings;
  setBuyers(change: Partial<BuyerSettings>): void;
  /** A buyer pays a PaymentIntent that was made by the API, or is refused. @throws ControlRefused */
  pay(paymentIntent: string, capture?: Payment): Promise<{ readonly charge: ChargeObject }>;
  /** His bank asks him. @throws ControlRefused */
  needsAction(paymentIntent: string): Promise<void>;
  /** What becomes of a charge that was `uncaptured` or is `pending`. @param amount the part of it that is captured @throws ControlRefused */
  updateCharge(id: string, to: 'captured' | 'succeeded' | 'failed', amount?: number): Promise<void>;
  /** What is held of its buyer has lapsed: the bank lets it go. @throws ControlRefused where nothing is held */
  lapse(paymentIntent: string): Promise<void>;
  /** `failed`: it is made and fails at once. @throws ControlRefused */
  createRefund(refund: NewRefund): Promise<{ readonly refund: RefundObject }>;
  /** One that is `pending` succeeds or fails; one that succeeded may fail. @throws ControlRefused */
  updateRefund(id: string, status: RefundStatus): Promise<{ readonly refund: RefundObject }>;
  /** @throws ControlRefused where nothing was captured */
  createDispute(dispute: NewDispute): Promise<{ readonly dispute: DisputeObject }>;
  /** @throws ControlRefused where its status does not lead there */
  moveDispute(id: string, change: DisputeChange): Promise<{ readonly dispute: DisputeObject }>;
}

/** How a buyer pays. */
type Payment = Parameters<typeof planPay>[2];

export function paymentControl(dependencies: ApiDependencies & { readonly platform: string }): PaymentControl {
  const { store, clock, settlement, buyers, platform } = dependencies;
  const carryOut = <T>(plan: Plan): Promise<T> => carryOutPlan(dependencies, plan);
  const contextOf = (row: { readonly livemode: boolean } | undefined) => context(row?.livemode ?? false);
  const updateRefund = (id: string, status: RefundStatus) =>
    carryOut<{ refund: RefundObject }>(planRefundStatus(contextOf(store.refund(id)), id, status));
  const context = (livemode: boolean) => ({ store, world: { platform, livemode }, nowMs: clock.nowMs() });
  return {
    settlementDays: () => settlement.days(),
    setSettlementDays: (days) => settlement.setDays(days),
    createCapture: (capture, livemode = false) => carryOut(planCapture(context(livemode), capture, settlement.days())),
    buyers: () => buyers.settings(),
    setBuyers: (change) => buyers.set(change),
    pay: (id, capture = {}) => carryOut(planPay(contextOf(store.intent(id)), id, capture, settlement.days())),
    async needsAction(id) {
      await carryOut(planAction(contextOf(store.intent(id)), id));
    },
    async updateCharge(id, to, amount) {
      await carryOut(planChargeChange(contextOf(store.charge(id)), id, { to, part: amount }, settlement.days()));
    },
    async lapse(id) {
      await carryOut(planCalledOff(contextOf(store.intent(id) ?? store.chargeOf(id)), id, 'automatic'));
    },
    async createRefund(refund) {
      const made = await carryOut<{ refund: RefundObject }>(planRefund(contextOf(store.charge(refund.charge)), refund));
      return refund.status === 'failed' ? await updateRefund(made.refund.id, 'failed') : made;
    },
    updateRefund,
    createDispute: (dispute) => carryOut(planDispute(contextOf(store.charge(dispute.charge)), dispute)),
    moveDispute: (id, change) => carryOut(planDisputeMove(contextOf(store.dispute(id)), id, change)),
  };
}
