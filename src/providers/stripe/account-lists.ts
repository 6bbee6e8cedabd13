import type { PayoutFacts } from '../../domain/calls/payout-answers.js';
import type {
  ReadAnswer,
  ReversalFacts,
  StripeDispute,
  StripePayment,
  StripeRefund,
  TransferFacts,
} from '../../domain/calls/provider-answers.js';
import type { JsonObject } from '../../domain/json.js';
import { objectAt } from '../../protocols/wire-json.js';
import { type Outcome, readAnswer } from './answers.js';
import type { Ask } from './ask.js';
import { disputeFacts, idAt, intentFacts, pageOf, reversalFacts, stripeRefundFacts, transferFacts } from './facts.js';
import { requireId } from './params.js';
import { payoutFacts } from './payout-reads.js';

/** Where a page of an account's own list begins, and since when it looks. */
export interface AccountPage {
  /** To the second, inclusive. */
  readonly createdSince: Date;
  /** Null: the newest. */
  readonly startingAfter: string | null;
}

export interface ListedPage<Item> {
  readonly items: readonly Item[];
  /** Names of those that cannot be read; all others are. */
  readonly unreadable: readonly string[];
  /** Where the next page begins; null: nothing follows. */
  readonly next: string | null;
}

/** Everything of one kind that an account has, whoever made it: one page of a hundred, newest first. */
export interface AccountLists {
  transfersSince(page: AccountPage): Promise<ReadAnswer<ListedPage<TransferFacts>>>;
  /** By when they were made, of transfers however old: Stripe lists them only among the movements of our balance. */
  reversalsSince(page: AccountPage): Promise<ReadAnswer<ListedPage<ReversalFacts>>>;
  disputesSince(page: AccountPage): Promise<ReadAnswer<ListedPage<StripeDispute>>>;
  /** PaymentIntents, without their charges: one that has failed since is seen by who reads the payment itself. */
  paymentsSince(
    page: AccountPage,
  ): Promise<ReadAnswer<ListedPage<Pick<StripePayment, 'name' | 'amount' | 'captured' | 'currency' | 'status'>>>>;
  refundsSince(page: AccountPage): Promise<ReadAnswer<ListedPage<StripeRefund>>>;
  /** Of a connected account, as that account. */
  payoutsSince(sellerAccount: string, page: AccountPage): Promise<ReadAnswer<ListedPage<PayoutFacts>>>;
}

const LONGEST_PAGE = 100;

export function accountLists(ask: Ask): AccountLists {
  return {
    transfersSince: async (page) =>
      listed(
        await ask('transfers.list', { what: 'the transfers of the account' }, (stripe) =>
          stripe.transfers.list(paramsOf(page)),
        ),
        transferFacts,
      ),
    reversalsSince: async (page) =>
      listed(
        await ask('balance_transactions.list', { what: 'the reversals of the account' }, (stripe) =>
          stripe.balanceTransactions.list({ ...paramsOf(page), type: 'transfer_refund', expand: ['data.source'] }),
        ),
        (movement) => {
          const source = objectAt(movement, 'source');
          return source && reversalFacts(source);
        },
      ),
    disputesSince: async (page) =>
      listed(
        await ask('disputes.list', { what: 'the disputes of the account' }, (stripe) =>
          stripe.disputes.list(paramsOf(page)),
        ),
        disputeFacts,
      ),
    paymentsSince: async (page) =>
      listed(
        await ask('payment_intents.list', { what: 'the payments of the account' }, (stripe) =>
          stripe.paymentIntents.list(paramsOf(page)),
        ),
        (item) => {
          const [name, facts] = [idAt(item, 'id'), intentFacts(item)];
          if (name === undefined || facts === undefined) return undefined;
          const { amount, received: captured, currency, status } = facts;
          return { name, amount, captured, currency, status };
        },
      ),
    refundsSince: async (page) =>
      listed(
        await ask('refunds.list', { what: 'the refunds of the account' }, (stripe) =>
          stripe.refunds.list(paramsOf(page)),
        ),
        stripeRefundFacts,
      ),
    payoutsSince: async (sellerAccount, page) => {
      const account = requireId(sellerAccount, 'the payouts of a seller');
      return listed(
        await ask('payouts.list', { what: `the payouts of ${account}`, account }, (stripe) =>
          stripe.payouts.list(paramsOf(page), { stripeAccount: account }),
        ),
        (item) => payoutFacts(item, account),
      );
    },
  };
}

const paramsOf = ({ createdSince, startingAfter }: AccountPage) => ({
  created: { gte: Math.floor(createdSince.getTime() / 1000) },
  limit: LONGEST_PAGE,
  ...(startingAfter === null ? {} : { starting_after: startingAfter }),
});

/** A single object that cannot be read is named beside the others; one without an id spoils the page: it might be the one that nobody knows. */
function listed<Item>(outcome: Outcome, read: (item: JsonObject) => Item | undefined): ReadAnswer<ListedPage<Item>> {
  return readAnswer(outcome, (object) => {
    const page = pageOf(object, (item) => {
      const facts = read(item);
      const id = idAt(item, 'id');
      return id === undefined ? undefined : { facts, id, name: nameOf(item) ?? id };
    });
    const last = page?.items.at(-1);
    return (
      page && {
        items: page.items.flatMap(({ facts }) => (facts === undefined ? [] : [facts])),
        unreadable: page.items.flatMap(({ facts, name }) => (facts === undefined ? [name] : [])),
        next: page.hasMore && last ? last.id : null,
      }
    );
  });
}

/** Of a movement of the balance, what it is about. */
const nameOf = (item: JsonObject): string | undefined => idAt(item, 'source');
