import type { PaymentId } from '../../domain/ids.js';
import type { Database } from '../database.js';
import { recordEvent } from '../transition.js';

/** What was read at Stripe of the charge behind a PaymentIntent. `unfit`: why no transfer is drawn from it. */
export type ChargeReading =
  | {
      readonly kind: 'charge';
      readonly chargeId: string;
      /** Of the balance that its money is in. */
      readonly currency: string;
      /** Null: it was paid in that currency. */
      readonly rate: {
        readonly paidIn: string;
        readonly captured: bigint;
        readonly became: bigint;
        readonly exchangeRate: string | null;
      } | null;
      readonly livemode: boolean;
    }
  | { readonly kind: 'unfit'; readonly why: string };

/** The charges that payments were made by at this Stripe account, read once for all sellers of an order. */
export function createPaymentCharges(database: Database) {
  return {
    /** @param paymentIntent what was read; where the payment has another one meanwhile, nothing is written */
    noteCharge: (id: PaymentId, paymentIntent: string, reading: ChargeReading): Promise<void> =>
      database.transaction(async (query) => {
        const [pinned] = await query<{ livemode: boolean }>('SELECT livemode FROM stripe_account');
        const fit = reading.kind === 'charge' && pinned?.livemode === reading.livemode;
        const rate = fit ? reading.rate : null;
        const unfit = reading.kind === 'unfit' ? reading.why : fit ? null : `${reading.chargeId} is of another mode`;
        const written = await query(
          `UPDATE payments SET charge_of = $2, charge_id = $3, charge_currency = $4, charge_unfit = $5, charge_paid_in = $6,
             charge_captured = $7, charge_became = $8, exchange_rate = $9
           WHERE id = $1 AND connector_transaction_id = $2
             AND (charge_of IS DISTINCT FROM $2 OR (charge_currency <> currency AND charge_became IS NULL)) RETURNING id`,
          [
            id,
            paymentIntent,
            fit ? reading.chargeId : null,
            fit ? reading.currency : null,
            unfit,
            rate?.paidIn ?? null,
            rate?.captured.toString() ?? null,
            rate?.became.toString() ?? null,
            rate?.exchangeRate ?? null,
          ],
        );
        if (written.length === 0) return;
        const detail = fit
          ? { charge: reading.chargeId, balance: reading.currency, ...toldOf(rate) }
          : { charge_unfit: unfit };
        await recordEvent(query, {
          kind: 'payment',
          id,
          what: 'charge_read',
          detail: { of: paymentIntent, ...detail },
        });
      }),
  };
}

const toldOf = (rate: Extract<ChargeReading, { kind: 'charge' }>['rate']) =>
  rate && {
    captured: `${rate.captured} ${rate.paidIn}`,
    became: `${rate.became}`,
    exchange_rate: rate.exchangeRate,
  };
