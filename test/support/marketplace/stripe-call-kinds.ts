import type { LoggedCall } from '../../../sandbox/stripe/control/call-log.js';
import type { Certainty } from '../../../src/domain/calls/certainty.js';
import type { Attention } from '../../../src/domain/decisions/attention.js';
import type { ReversalId } from '../../../src/domain/ids.js';
import { stripeApi } from './stripe-api.js';
import { type MarketplaceTest, reversalOf } from './time-skipping.js';

/** One transfer or reversal under test, whichever of the two it is. */
export interface CallUnderTest {
  readonly id: string;
  readonly order: string;
  readonly seller: string;
  /** What would move its money, as it arrived at Stripe. */
  readonly posts: () => LoggedCall[];
  /** How often its money has moved at Stripe. */
  readonly moved: () => number;
  readonly read: () => Promise<{
    status: string;
    certainty: Certainty;
    retryCount: number;
    attention: Attention | null;
    stripeId: string | null;
  }>;
  /** Somebody does at Stripe, without our mark unless one is given, what this call should have done. @returns its id there */
  readonly byHand: (amount: number, mark?: string) => Promise<string>;
  /** Until its money has moved and the ledger says so. */
  readonly untilDone: () => Promise<void>;
  readonly untilAttempted: (times?: number) => Promise<void>;
  readonly untilAsked: () => Promise<void>;
}

export interface CallKind {
  readonly kind: 'transfer' | 'reversal';
  /** Of the one call that moves money, for faults. */
  readonly endpoint: 'transfers.create' | 'reversals.create';
  /** What evidence calls the id at Stripe. */
  readonly evidence: 'stripe_transfer_id' | 'stripe_reversal_id';
  /** Of the reads that show whether it has moved. */
  readonly look: 'transfers.list' | 'transfers.read';
  readonly settings: (settings: { base?: string; max?: string; retries?: number }) => Record<string, string>;
  /**
   * Begins one of 10.00 USD of a seller whom nobody else uses; what goes wrong with it must be set before.
   * @param prepare right before it is sent the first time
   */
  readonly begin: (market: MarketplaceTest, prepare?: (seller: string) => Promise<void>) => Promise<CallUnderTest>;
  /** Sets the balance that the call takes from. */
  readonly setBalance: (market: MarketplaceTest, seller: string, available: number) => Promise<void>;
}

let sellers = 0;
const aSeller = (): string => {
  sellers += 1;
  return `acct_1Kind${sellers}`;
};

const nothing = () => Promise.resolve();

const settingsOf =
  (backoff: string, retries: string): CallKind['settings'] =>
  (given) => ({
    ...(given.base === undefined ? {} : { [`${backoff}_BASE`]: given.base }),
    ...(given.max === undefined ? {} : { [`${backoff}_MAX`]: given.max }),
    ...(given.retries === undefined ? {} : { [retries]: String(given.retries) }),
  });

const TRANSFER: CallKind = {
  kind: 'transfer',
  endpoint: 'transfers.create',
  look: 'transfers.list',
  evidence: 'stripe_transfer_id',
  settings: settingsOf('TRANSFER_RETRY_BACKOFF', 'TRANSFER_RETRY_MAX'),
  setBalance: ({ stripe }, _seller, available) =>
    stripe.setBalance({ account: stripe.platformAccount, currency: 'usd', available }),
  async begin(market, prepare = nothing) {
    const seller = aSeller();
    await prepare(seller);
    const { id: order } = await market.pay({ [seller]: 1_000n });
    const [transfer] = (await market.order({ id: order })).transfers;
    if (!transfer) throw new Error('nothing is to be paid');
    const read = async () => {
      const { stripeTransferId: stripeId, ...rest } = await market.transfer(transfer.id);
      return { ...rest, stripeId };
    };
    return {
      ...waits(market, read, 'completed', () => market.transferPosts(seller)),
      id: transfer.id,
      order,
      seller,
      moved: () => market.stripe.ledger().transfers.filter(({ destination }) => destination === seller).length,
      async byHand(amount, mark) {
        const answer = await stripeApi(market.stripe.url).post('/v1/transfers', {
          amount: String(amount),
          currency: 'usd',
          destination: seller,
          transfer_group: order,
          ...(mark === undefined ? {} : { 'metadata[seller_transfer_id]': mark }),
        });
        return String(answer.json.id);
      },
    };
  },
};

const REVERSAL: CallKind = {
  kind: 'reversal',
  endpoint: 'reversals.create',
  look: 'transfers.read',
  evidence: 'stripe_reversal_id',
  settings: settingsOf('REVERSAL_BACKOFF', 'REVERSAL_MAX_RETRIES'),
  setBalance: ({ stripe }, seller, available) => stripe.setBalance({ account: seller, currency: 'usd', available }),
  async begin(market, prepare = nothing) {
    const seller = aSeller();
    const order = await market.sold({ [seller]: 1_000n });
    await prepare(seller);
    const [transfer] = order.transfers;
    if (!transfer) throw new Error('nothing was paid');
    const id: ReversalId = reversalOf(await market.refund(order), order);
    const read = async () => {
      const { stripeReversalId: stripeId, ...rest } = await market.reversal(id);
      return { ...rest, stripeId };
    };
    return {
      ...waits(market, read, 'reversed', () => market.reversalPosts(transfer)),
      id,
      order: order.id,
      seller,
      moved: () =>
        market.stripe.ledger().reversals.filter(({ transfer: of }) => of === transfer.stripeTransferId).length,
      async byHand(amount, mark) {
        const metadata: Record<string, string> = mark === undefined ? {} : { operation_id: mark };
        return (await market.stripe.reverse(transfer.stripeTransferId ?? '', { amount, metadata })).id;
      },
    };
  },
};

function waits(
  market: MarketplaceTest,
  read: CallUnderTest['read'],
  done: string,
  posts: () => LoggedCall[],
): Pick<CallUnderTest, 'read' | 'posts' | 'untilDone' | 'untilAttempted' | 'untilAsked'> {
  return {
    read,
    posts,
    untilDone: () => market.until(`it is ${done}`, async () => (await read()).status === done),
    untilAttempted: (times = 1) =>
      market.until(`it was attempted ${times} times`, async () => (await read()).retryCount >= times),
    untilAsked: () => market.until('a person is asked', async () => (await read()).attention !== null),
  };
}

/** Everything about keys, generations and looks holds for both alike. */
export const CALL_KINDS: readonly CallKind[] = [TRANSFER, REVERSAL];

/** Of its sends, in order. */
export const keysOf = (call: CallUnderTest) => call.posts().map(({ idempotencyKey }) => idempotencyKey);
