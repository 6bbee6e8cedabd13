import type { PaidOutTransfer, PayoutContents, PayoutFacts } from '../../domain/calls/payout-answers.js';
import type { ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { JsonObject } from '../../domain/json.js';
import { objectAt, stringAt } from '../../protocols/wire-json.js';
import { noSuchId, readAnswer } from './answers.js';
import type { Ask } from './ask.js';
import { currencyAt, idAt, integerAt, pageOf, timeAt } from './facts.js';
import { isId, requireId } from './params.js';

/** What is read of a connected account's payouts, as that account. */
export interface PayoutReads {
  readPayout(externalPayoutId: string, sellerAccount: string): Promise<ReadAnswer<PayoutFacts>>;
  /** One page of the payments to the seller that it took to his bank. @param after the last of the page before; null: the first page */
  payoutContents(
    externalPayoutId: string,
    sellerAccount: string,
    after: string | null,
  ): Promise<ReadAnswer<PayoutContents>>;
}

const LONGEST_PAGE = 100;

export function payoutReads(ask: Ask): PayoutReads {
  return {
    async readPayout(id, sellerAccount) {
      if (!isId(id)) return noSuchId(id);
      const account = requireId(sellerAccount, 'a payout');
      const outcome = await ask('payouts.read', { what: `payout ${id}`, account }, (stripe) =>
        stripe.payouts.retrieve(id, {}, { stripeAccount: account }),
      );
      return readAnswer(outcome, (object) => {
        const facts = payoutFacts(object, account);
        return facts?.externalPayoutId === id ? facts : undefined;
      });
    },

    async payoutContents(id, sellerAccount, after) {
      if (!isId(id)) return noSuchId(id);
      const account = requireId(sellerAccount, 'the contents of a payout');
      // A transfer reaches the seller's balance as a `payment`; whose it is only the payment itself tells.
      const asked = { payout: id, type: 'payment', expand: ['data.source'], limit: LONGEST_PAGE };
      const outcome = await ask(
        'balance_transactions.list',
        { what: `the contents of payout ${id}`, account },
        (stripe) =>
          stripe.balanceTransactions.list(
            { ...asked, ...(after === null ? {} : { starting_after: after }) },
            { stripeAccount: account },
          ),
      );
      return readAnswer(outcome, (object) => {
        const page = pageOf(object, paidOut);
        const last = page?.items.at(-1);
        if (!page || (page.hasMore && (!last || last.balanceTransactionId === after))) return undefined;
        const transfers = page.items.filter((item): item is PaidOutTransfer => item.stripeTransferId !== null);
        const others = page.items.length - transfers.length;
        return { transfers, others, next: page.hasMore && last ? last.balanceTransactionId : null };
      });
    },
  };
}

const STATUSES: Readonly<Record<PayoutFacts['status'], true>> = {
  paid: true,
  pending: true,
  in_transit: true,
  canceled: true,
  failed: true,
};
const isStatus = (text: string | undefined): text is PayoutFacts['status'] =>
  text !== undefined && Object.hasOwn(STATUSES, text);

export function payoutFacts(object: JsonObject, sellerAccount: string): PayoutFacts | undefined {
  if (object['object'] !== 'payout') return undefined;
  const externalPayoutId = idAt(object, 'id');
  const amount = integerAt(object, 'amount');
  const currency = currencyAt(object);
  const status = stringAt(object, 'status');
  const madeAt = timeAt(object, 'created');
  const automatic = object['automatic'];
  if (externalPayoutId === undefined || amount === undefined || currency === undefined || !isStatus(status))
    return undefined;
  if (madeAt === undefined || typeof automatic !== 'boolean') return undefined;
  return {
    externalPayoutId,
    sellerAccount,
    amount,
    currency,
    status,
    arrivalAt: timeAt(object, 'arrival_date') ?? null,
    failureCode: stringAt(object, 'failure_code') ?? null,
    automatic,
    list: listOf(automatic, stringAt(object, 'reconciliation_status')),
    madeAt,
  };
}

/** docs.stripe.com/api/payouts/object#payout_object-reconciliation_status; older versions have no such member. */
function listOf(automatic: boolean, status: string | undefined): PayoutFacts['list'] {
  if (!automatic || status === 'not_applicable') return 'none';
  return status === 'in_progress' ? 'growing' : 'complete';
}

/** Undefined where it cannot be read: a list with a hole says of no transfer that it is not in there. */
function paidOut(object: JsonObject): (Omit<PaidOutTransfer, 'stripeTransferId'> & Linked) | undefined {
  const balanceTransactionId = object['object'] === 'balance_transaction' ? idAt(object, 'id') : undefined;
  const amount = integerAt(object, 'amount');
  const currency = currencyAt(object);
  const source = objectAt(object, 'source');
  if (balanceTransactionId === undefined || amount === undefined || currency === undefined) return undefined;
  if (!source && object['source'] !== null) return undefined;
  const stripeTransferId = source?.['object'] === 'charge' ? (idAt(source, 'source_transfer') ?? null) : null;
  return { balanceTransactionId, stripeTransferId, amount, currency };
}

interface Linked {
  /** Null: it came from somewhere else. */
  readonly stripeTransferId: string | null;
}
