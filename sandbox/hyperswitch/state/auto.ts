import type { IntentStatus, Payment, Refund, RefundStatus } from '../http/objects.js';
import type { Book } from './book.js';

/** Undefined: it stays as it was created until a switch moves it. */
export interface AutoSettings {
  /** `afterMs` 0: before the create is answered. */
  readonly pay?: { readonly to: IntentStatus; readonly afterMs: number } | undefined;
  readonly refund?: { readonly to: RefundStatus; readonly afterMs: number } | undefined;
}

/** The buyer and the bank of the demo: pays every payment, carries out every refund. Forgotten by a restart. */
export interface Auto {
  set(settings: AutoSettings): void;
  settings(): AutoSettings;
  /** Returns it as it is to be answered. */
  paymentCreated(payment: Payment): Promise<Payment>;
  refundCreated(refund: Refund): Promise<Refund>;
  stop(): void;
}

export function createAuto(book: Book): Auto {
  let settings: AutoSettings = {};
  const timers = new Set<NodeJS.Timeout>();
  const later = (afterMs: number, act: () => unknown): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, afterMs);
    timers.add(timer);
  };
  const stop = (): void => {
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
  };
  return {
    stop,
    settings: () => settings,
    set(next) {
      stop();
      settings = next;
    },
    async paymentCreated(payment) {
      const { pay } = settings;
      if (pay === undefined) return payment;
      if (pay.afterMs === 0) return (await book.movePayment(payment.id, pay)) ?? payment;
      later(pay.afterMs, () => {
        if (book.payment(payment.id)?.status === payment.status) void book.movePayment(payment.id, pay);
      });
      return payment;
    },
    async refundCreated(refund) {
      // A scheduled one waits for a run that the stand-in, like a Hyperswitch without its scheduler, never makes.
      const auto = refund.type === 'instant' ? settings.refund : undefined;
      if (auto === undefined) return refund;
      if (auto.afterMs === 0) return (await book.moveRefund(refund.id, auto)) ?? refund;
      later(auto.afterMs, () => {
        if (book.refund(refund.id)?.status === refund.status) void book.moveRefund(refund.id, auto);
      });
      return refund;
    },
  };
}
