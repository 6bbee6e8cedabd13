import type { BalanceMovement, ChargeFacts, ReadAnswer } from '../../domain/calls/provider-answers.js';
import { noSuchId, readAnswer } from './answers.js';
import type { Ask } from './ask.js';
import { balanceMovement, chargeFacts, idAt } from './facts.js';
import { isId } from './params.js';

/** What is read of buyers' payments at this Stripe account. */
export interface ChargeReads {
  /** The charge by which a PaymentIntent was paid; null: by none yet. */
  readLatestCharge(paymentIntent: string): Promise<ReadAnswer<{ readonly chargeId: string | null }>>;
  readCharge(chargeId: string): Promise<ReadAnswer<ChargeFacts>>;
  /** In which balance its money is, and what it is there; of a charge that is not always the currency that the buyer paid in. */
  readBalanceMovement(balanceTransactionId: string): Promise<ReadAnswer<BalanceMovement>>;
}

export function chargeReads(ask: Ask): ChargeReads {
  return {
    async readLatestCharge(paymentIntent) {
      if (!isId(paymentIntent)) return noSuchId(paymentIntent);
      const outcome = await ask('payment_intents.read', { what: `payment ${paymentIntent}` }, (stripe) =>
        stripe.paymentIntents.retrieve(paymentIntent),
      );
      return readAnswer(outcome, (object) =>
        object['object'] === 'payment_intent' && idAt(object, 'id') === paymentIntent
          ? { chargeId: idAt(object, 'latest_charge') ?? null }
          : undefined,
      );
    },

    async readCharge(chargeId) {
      if (!isId(chargeId)) return noSuchId(chargeId);
      const outcome = await ask('charges.read', { what: `charge ${chargeId}` }, (stripe) =>
        stripe.charges.retrieve(chargeId),
      );
      return readAnswer(outcome, (object) => {
        const facts = chargeFacts(object);
        return facts?.chargeId === chargeId ? facts : undefined;
      });
    },

    async readBalanceMovement(balanceTransactionId) {
      if (!isId(balanceTransactionId)) return noSuchId(balanceTransactionId);
      const asked = { what: `balance transaction ${balanceTransactionId}` };
      const outcome = await ask('balance_transactions.read', asked, (stripe) =>
        stripe.balanceTransactions.retrieve(balanceTransactionId),
      );
      return readAnswer(outcome, balanceMovement);
    },
  };
}
