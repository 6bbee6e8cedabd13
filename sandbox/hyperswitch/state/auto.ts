import type { PaymentOrder, Processor } from '../connector/processor.js';
import type { Payment, Refund, RefundStatus } from '../http/objects.js';
import type { Book } from './book.js';

/** Undefined: it stays as it was created until a switch moves it. */
export interface AutoSettings {
  /** `afterMs` 0: before the create is answered. */
  readonly pay?: (Pick<PaymentOrder, 'to' | 'method' | 'settles_in'> & { readonly afterMs: number }) | undefined;
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

/** Of what is captured by hand the buyer's money is only held. */
const paidAs = ({ captureMethod }: Payment, to: PaymentOrder['to']): PaymentOrder['to'] =>
  captureMethod !== 'automatic' && to === 'succeeded' ? 'requires_capture' : to;

export function createAuto(book: Book, processor: Processor): Auto {
  let settings: AutoSettings = {};
  const timers = new Set<NodeJS.Timeout>();
  const later = (afterMs: number, act: () => Promise<unknown> | undefined): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      // A linked Stripe that does not do it leaves it as it is, and nobody waits to be told.
      act()?.catch(() => undefined);
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
      if (settings.pay === undefined) return payment;
      const { afterMs, ...asked } = settings.pay;
      const pay = { ...asked, to: paidAs(payment, asked.to) };
      if (afterMs === 0) return (await processor.movePayment(payment.id, pay)) ?? payment;
      later(afterMs, () =>
        book.payment(payment.id)?.status === payment.status ? processor.movePayment(payment.id, pay) : undefined,
      );
      return payment;
    },
    async refundCreated(refund) {
      // A scheduled one waits for a run that the stand-in, like a Hyperswitch without its scheduler, never makes.
      const auto = refund.type === 'instant' ? settings.refund : undefined;
      if (auto?.afterMs === 0) return await processor.refundCreated(refund, auto.to);
      const asked = await processor.refundCreated(refund);
      if (auto !== undefined)
        later(auto.afterMs, () =>
          book.refund(refund.id)?.status === refund.status
            ? processor.moveRefund(refund.id, { to: auto.to })
            : undefined,
        );
      return asked;
    },
  };
}
