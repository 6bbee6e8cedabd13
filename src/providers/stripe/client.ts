import StripeLibrary from 'stripe';
import type {
  KeyedAnswer,
  ReadAnswer,
  ReversalFacts,
  ReversalParams,
  SellerFacts,
  TransferFacts,
  TransferParams,
  TransferWithReversals,
} from '../../domain/calls/provider-answers.js';
import type { JsonObject } from '../../domain/json.js';
import { isTransferOf } from '../../domain/marketplace/ours-at-stripe.js';
import { StripeMoney } from '../../domain/marketplace/stripe-money.js';
import { objectAt } from '../../protocols/wire-json.js';
import { requireIdempotencyKey } from '../idempotency-key.js';
import { type AccountLists, accountLists } from './account-lists.js';
import { keyedAnswer, noSuchId, noTokenInTime, notSent, outcomeOf, readAnswer } from './answers.js';
import type { Ask, Stopped, StripeEndpoint } from './ask.js';
import { availableBalance } from './balance-facts.js';
import type { Answered } from './budget.js';
import { type ChargeReads, chargeReads } from './charge-reads.js';
import { type DisputeReads, disputeReads } from './dispute-reads.js';
import { idAt, pageOf, reversalFacts, sellerFacts, transferFacts } from './facts.js';
import { onceOnlyHttpClient } from './http-client.js';
import { allPages } from './pages.js';
import { checkedReversal, checkedTransfer, isId, requireId, requireLimit } from './params.js';
import { type PaymentMaking, paymentMaking } from './payment-calls.js';
import { type PaymentReads, paymentReads } from './payment-reads.js';
import { type PayoutReads, payoutReads } from './payout-reads.js';

export type { StripeEndpoint } from './ask.js';

export interface StripeOptions {
  readonly secretKey: string;
  /** Undefined: Stripe itself. */
  readonly apiBase: string | undefined;
  /** Awaited before every HTTP request, each page included; after undefined, or a throw, nothing is sent. */
  readonly takeToken: (endpoint: StripeEndpoint, lane: string) => Promise<Answered | undefined>;
  /** For one HTTP request, to the last byte of its answer; default 20 s. */
  readonly timeoutMs?: number;
}

export interface Stripe {
  /** @param lane what shares are counted by: the seller's account, or `backfill`, `probe`, … */
  inLane(lane: string): StripeCalls;
}

export interface StripeCalls extends AccountLists, ChargeReads, DisputeReads, PaymentReads, PaymentMaking, PayoutReads {
  /**
   * One request, sent once. Done only when Stripe's transfer has the amount, currency and destination of `params`.
   * @param stopped what it says is answered as `busy`, with nothing executed
   * @throws EmptyIdempotencyKey or RangeError (amount, currency) before a token is taken or anything is sent
   */
  createTransfer(
    idempotencyKey: string,
    params: TransferParams,
    stopped?: Stopped,
  ): Promise<KeyedAnswer<TransferFacts>>;
  /**
   * One request, sent once. Done only when Stripe's reversal is of this transfer and amount.
   * @param stopped what it says is answered as `busy`, with nothing executed
   * @throws EmptyIdempotencyKey or RangeError (amount, id) before a token is taken or anything is sent
   */
  reverseTransfer(
    idempotencyKey: string,
    stripeTransferId: string,
    params: ReversalParams,
    stopped?: Stopped,
  ): Promise<KeyedAnswer<ReversalFacts>>;
  /** The transfer and all its reversals. */
  readTransfer(stripeTransferId: string): Promise<ReadAnswer<TransferWithReversals>>;
  /** Every transfer to one seller since then, to the second and inclusive, newest first. */
  transfersTo(destination: string, since: Date): Promise<ReadAnswer<readonly TransferFacts[]>>;
  /** One page, newest first. @throws RangeError when `limit` is not 1 to 100 */
  listTransfers(filter: TransferFilter): Promise<ReadAnswer<TransferPage>>;
  /** Two requests: only a balance tells the mode. */
  readAccount(): Promise<ReadAnswer<{ readonly accountId: string; readonly livemode: boolean }>>;
  /** Available balance of a connected account by currency (upper case), in minor units; may be negative. */
  readBalance(sellerAccount: string): Promise<ReadAnswer<ReadonlyMap<string, bigint>>>;
  /** What is available to ourselves, by currency (upper case), in minor units; may be negative. */
  readPlatformBalance(): Promise<ReadAnswer<ReadonlyMap<string, bigint>>>;
  /** Whether a connected account may receive transfers. */
  readSeller(sellerAccount: string): Promise<ReadAnswer<SellerFacts>>;
}

export interface TransferFilter {
  readonly destination: string;
  /** To the second, inclusive. */
  readonly createdSince?: Date;
  readonly startingAfter?: string;
  readonly limit: number;
}

export interface TransferPage {
  readonly transfers: readonly TransferFacts[];
  readonly hasMore: boolean;
}

const STRIPE = 'https://api.stripe.com';
/** The version whose answers are read here; another one is a change of this file. */
const API_VERSION = '2026-10-28.endive';
const TIMEOUT_MS = 20_000;
const LONGEST_PAGE = 100;
/** A token is lent for 4 s, of which 3 are the request's way to Stripe: asked for longer, somebody else may have it already. */
const LONGEST_QUESTION_MS = 1_000;

/**
 * Stripe Connect as this product uses it, always as the platform. Nothing is retried here: one call of a method that
 * moves money is one token and one HTTP request, and every answer is a value by a total table (error-table.ts).
 */
export function createStripe({ secretKey, apiBase, takeToken, timeoutMs = TIMEOUT_MS }: StripeOptions): Stripe {
  const stripe = new StripeLibrary(secretKey, {
    apiVersion: API_VERSION,
    httpClient: onceOnlyHttpClient(new URL(apiBase ?? STRIPE)),
    maxNetworkRetries: 0,
    telemetry: false,
    timeout: timeoutMs,
  });
  return {
    inLane: (lane) => {
      const ask: Ask = async (endpoint, { what, account = sellerOf(lane), stopped }, call) => {
        const answered = await takeToken(endpoint, lane);
        if (!answered) return noTokenInTime(what);
        let sentAtMs: number | null = null;
        try {
          const grantedAtMs = performance.now();
          const why = await stopped?.();
          if (why !== undefined) return notSent(`${why}: ${what} was not sent`);
          if (performance.now() - grantedAtMs > LONGEST_QUESTION_MS) return noTokenInTime(what);
          sentAtMs = performance.now();
          return await outcomeOf(call(stripe), { what, account, secretKey });
        } finally {
          answered(sentAtMs);
        }
      };
      return {
        ...createCalls(ask),
        ...transferReads(ask),
        ...accountReads(ask),
        ...accountLists(ask),
        ...chargeReads(ask),
        ...disputeReads(ask),
        ...paymentReads(ask),
        ...payoutReads(ask),
        ...paymentMaking(ask),
      };
    },
  };
}

/** A live lane is a seller's: a refusal that names its account is about this seller alone. */
const sellerOf = (lane: string): string | null => (lane.startsWith('acct_') ? lane : null);

function createCalls(ask: Ask): Pick<StripeCalls, 'createTransfer' | 'reverseTransfer'> {
  return {
    async createTransfer(idempotencyKey, params, stopped) {
      const key = requireIdempotencyKey(idempotencyKey, 'createTransfer');
      const sent = checkedTransfer(params);
      const asked = { what: `a transfer to ${params.destination}`, account: params.destination, stopped };
      const outcome = await ask('transfers.create', asked, (stripe) =>
        stripe.transfers.create(sent, { idempotencyKey: key }),
      );
      return keyedAnswer(outcome, (object) => {
        const facts = transferFacts(object);
        const money = StripeMoney.read(BigInt(params.amount), params.currency.toUpperCase());
        return facts && isTransferOf(facts, { money, sellerAccount: params.destination }) ? facts : undefined;
      });
    },

    async reverseTransfer(idempotencyKey, stripeTransferId, params, stopped) {
      const key = requireIdempotencyKey(idempotencyKey, 'reverseTransfer');
      const id = requireId(stripeTransferId, 'a reversal');
      const sent = checkedReversal(params);
      const outcome = await ask('reversals.create', { what: `the reversal of ${id}`, stopped }, (stripe) =>
        stripe.transfers.createReversal(id, sent, { idempotencyKey: key }),
      );
      return keyedAnswer(outcome, (object) => {
        const facts = reversalFacts(object);
        return facts?.amount === BigInt(params.amount) && facts.stripeTransferId === id ? facts : undefined;
      });
    },
  };
}

function transferReads(ask: Ask): Pick<StripeCalls, 'readTransfer' | 'transfersTo' | 'listTransfers'> {
  return {
    async readTransfer(id) {
      if (!isId(id)) return noSuchId(id);
      const outcome = await ask('transfers.read', { what: `transfer ${id}` }, (stripe) =>
        stripe.transfers.retrieve(id),
      );
      const read = readAnswer(outcome, (object) => {
        const transfer = transferFacts(object);
        const embedded = pageOf(objectAt(object, 'reversals'), (item) => reversalOf(id, item));
        return transfer?.stripeTransferId === id ? { transfer, embedded } : undefined;
      });
      if (read.kind !== 'found') return read;
      const { transfer, embedded } = read.value;
      if (embedded?.hasMore === false) return { kind: 'found', value: { transfer, reversals: embedded.items } };
      const reversals = await allReversals(ask, id);
      return reversals.kind === 'found'
        ? { kind: 'found', value: { transfer, reversals: reversals.value } }
        : reversals;
    },

    async transfersTo(destination, since) {
      const filter = {
        destination: requireId(destination, 'a list of transfers'),
        created: createdSince(since),
        limit: LONGEST_PAGE,
      };
      const asked = { what: `the transfers to ${destination}`, account: destination };
      return allPages({
        ask: (starting_after) =>
          ask('transfers.list', asked, (stripe) => stripe.transfers.list({ ...filter, starting_after })),
        read: transferFacts,
        idOf: ({ stripeTransferId }) => stripeTransferId,
      });
    },

    async listTransfers({ destination, createdSince: since, startingAfter, limit }) {
      const filter = {
        destination: requireId(destination, 'a list of transfers'),
        limit: requireLimit(limit),
        ...(since && { created: createdSince(since) }),
        starting_after: startingAfter,
      };
      const asked = { what: `the transfers to ${destination}`, account: destination };
      const outcome = await ask('transfers.list', asked, (stripe) => stripe.transfers.list(filter));
      return readAnswer(outcome, (object) => {
        const page = pageOf(object, transferFacts);
        return page && { transfers: page.items, hasMore: page.hasMore };
      });
    },
  };
}

const createdSince = (since: Date) => ({ gte: Math.floor(since.getTime() / 1000) });

const reversalOf = (transferId: string, item: JsonObject): ReversalFacts | undefined => {
  const facts = reversalFacts(item);
  return facts?.stripeTransferId === transferId ? facts : undefined;
};

const allReversals = (ask: Ask, id: string): Promise<ReadAnswer<readonly ReversalFacts[]>> =>
  allPages({
    ask: (starting_after) =>
      ask('reversals.list', { what: `the reversals of ${id}` }, (stripe) =>
        stripe.transfers.listReversals(id, { limit: LONGEST_PAGE, starting_after }),
      ),
    read: (item) => reversalOf(id, item),
    idOf: ({ stripeReversalId }) => stripeReversalId,
  });

function accountReads(
  ask: Ask,
): Pick<StripeCalls, 'readAccount' | 'readBalance' | 'readPlatformBalance' | 'readSeller'> {
  return {
    async readAccount() {
      const account = await ask('account', { what: 'our account' }, (stripe) => stripe.accounts.retrieveCurrent());
      const accountId = readAnswer(account, (object) =>
        object['object'] === 'account' ? idAt(object, 'id') : undefined,
      );
      if (accountId.kind !== 'found') return accountId;
      const balance = await ask('balance', { what: 'our balance' }, (stripe) => stripe.balance.retrieve());
      return readAnswer(balance, ({ object, livemode }) =>
        object === 'balance' && typeof livemode === 'boolean' ? { accountId: accountId.value, livemode } : undefined,
      );
    },

    async readBalance(sellerAccount) {
      const account = requireId(sellerAccount, 'a balance');
      const outcome = await ask('balance', { what: `the balance of ${account}`, account }, (stripe) =>
        stripe.balance.retrieve({}, { stripeAccount: account }),
      );
      return readAnswer(outcome, availableBalance);
    },

    async readPlatformBalance() {
      const outcome = await ask('balance', { what: 'our balance' }, (stripe) => stripe.balance.retrieve());
      return readAnswer(outcome, availableBalance);
    },

    async readSeller(sellerAccount) {
      if (!isId(sellerAccount)) return noSuchId(sellerAccount);
      const asked = { what: `account ${sellerAccount}`, account: sellerAccount };
      const outcome = await ask('accounts.read', asked, (stripe) => stripe.accounts.retrieve(sellerAccount));
      return readAnswer(outcome, (object) => {
        const facts = sellerFacts(object);
        return facts?.sellerAccount === sellerAccount ? facts : undefined;
      });
    },
  };
}
