import type { BalanceMovement, ChargeFacts, ReadAnswer } from '../../domain/calls/provider-answers.js';
import { noSuchId, readAnswer } from './answers.js';
import type { Ask } from './ask.js';
import { balanceMovement } from './balance-facts.js';
import { chargeFacts, idAt, pageOf } from './facts.js';
import { isId, requireId } from './params.js';

/** What is read of buyers' payments at this Stripe account. */
export interface ChargeReads {
  /** The charge by which a PaymentIntent was paid; null: by none yet. */
  readLatestCharge(paymentIntent: string): Promise<ReadAnswer<{ readonly chargeId: string | null }>>;
  readCharge(chargeId: string): Promise<ReadAnswer<ChargeFacts>>;
  /** In which balance its money is, and what it is there; of a charge that is not always the currency that the buyer paid in. */
  readBalanceMovement(balanceTransactionId: string): Promise<ReadAnswer<BalanceMovement>>;
  /** What a payment or refund did to the balance of a connected account; null: nothing yet. */
  movementOf(sellerAccount: string, source: string): Promise<ReadAnswer<BalanceMovement | null>>;
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

    async movementOf(sellerAccount, source) {
      if (!isId(source)) return noSuchId(source);
      const account = requireId(sellerAccount, 'a balance');
      const asked = { what: `what ${source} did to the balance of ${account}`, account };
      const outcome = await ask('balance_transactions.list', asked, (stripe) =>
        stripe.balanceTransactions.list({ source, limit: 1 }, { stripeAccount: account }),
      );
      const answer = readAnswer(outcome, (object) => pageOf(object, balanceMovement));
      return answer.kind === 'found' ? { kind: 'found', value: answer.value.items[0] ?? null } : answer;
    },
  };
}
