import type { GroupTransfer, ReadAnswer, StripePayment } from '../../domain/calls/provider-answers.js';
import type { JsonObject } from '../../domain/json.js';
import { noSuchId, readAnswer } from './answers.js';
import type { Ask } from './ask.js';
import { groupTransfer, type IntentFacts, idAt, intentFacts, type PaidCharge, paidCharge } from './facts.js';
import { allPages } from './pages.js';
import { isId } from './params.js';

/** What is read of a payment that somebody else's checkout took at this Stripe account. */
export interface PaymentReads {
  /** Two requests: of a PaymentIntent, and of the charge that paid it. @param name `pi_…`, or `ch_…` of one that none made */
  readPayment(name: string): Promise<ReadAnswer<StripePayment>>;
  /** Whoever made them, to whomever. */
  transfersInGroup(group: string): Promise<ReadAnswer<readonly GroupTransfer[]>>;
}

const LONGEST_PAGE = 100;
const isCharge = (name: string): boolean => name.startsWith('ch_') || name.startsWith('py_');

export function paymentReads(ask: Ask): PaymentReads {
  const same =
    <Facts>(id: string, read: (object: JsonObject) => Facts | undefined) =>
    (object: JsonObject) =>
      idAt(object, 'id') === id ? read(object) : undefined;

  const charge = async (id: string): Promise<ReadAnswer<PaidCharge>> =>
    isId(id)
      ? readAnswer(
          await ask('charges.read', { what: `charge ${id}` }, (stripe) => stripe.charges.retrieve(id)),
          same(id, paidCharge),
        )
      : noSuchId(id);

  const intent = async (id: string): Promise<ReadAnswer<IntentFacts>> =>
    isId(id)
      ? readAnswer(
          await ask('payment_intents.read', { what: `payment ${id}` }, (stripe) => stripe.paymentIntents.retrieve(id)),
          same(id, intentFacts),
        )
      : noSuchId(id);

  return {
    async readPayment(name) {
      const named = isCharge(name) ? await charge(name) : undefined;
      if (named && named.kind !== 'found') return named;
      // Charges of old, and those of other products, have no PaymentIntent.
      if (named?.value.paymentIntent === null) return { kind: 'found', value: { ...named.value, name } };
      const intentId = named?.value.paymentIntent ?? name;
      const whole = await intent(intentId);
      if (whole.kind !== 'found') return whole;
      const paidBy = whole.value.chargeId;
      if (paidBy === null) return { kind: 'found', value: paymentOf(intentId, whole.value, undefined) };
      const paid = named?.value.chargeId === paidBy ? named : await charge(paidBy);
      return paid.kind === 'found' ? { kind: 'found', value: paymentOf(intentId, whole.value, paid.value) } : paid;
    },

    transfersInGroup: (group) =>
      allPages({
        ask: (starting_after) =>
          ask('transfers.list', { what: `the transfers of ${group}` }, (stripe) =>
            stripe.transfers.list({ transfer_group: group, limit: LONGEST_PAGE, starting_after }),
          ),
        read: groupTransfer,
        idOf: ({ stripeTransferId }) => stripeTransferId,
      }),
  };
}

/** Its charge may have failed since: then nothing of it is there. */
const paymentOf = (name: string, whole: IntentFacts, charge: PaidCharge | undefined): StripePayment => ({
  name,
  chargeId: charge?.chargeId ?? null,
  amount: whole.amount,
  captured: charge === undefined || charge.captured === 0n ? 0n : whole.received,
  currency: whole.currency,
  status: whole.status,
  isSplit: whole.isSplit || charge?.isSplit === true,
  transferGroup: charge?.transferGroup ?? null,
  livemode: whole.livemode,
});
