import type {
  KeyedAnswer,
  ReadAnswer,
  ReversalFacts,
  TransferFacts,
} from '../../../src/domain/calls/provider-answers.js';
import type { Clock } from '../../../src/domain/clock.js';
import type { Stripe, StripeCalls } from '../../../src/providers/stripe/client.js';
import { HOUR_MS } from '../durations.js';

/** What may befall one request that moves money. */
export const STRIPE_FAULTS = [
  /** Carried out, and the answer is lost. */
  'lost',
  /** Never arrives. */
  'dropped',
  /** 500, saved with the key, nothing done. */
  'broken',
  /** 500, saved with the key, and carried out twenty minutes later. */
  'finished_later',
  /** A no that the key keeps. */
  'refused',
  'throttled',
  'locked_out',
  'seller_locked_out',
] as const;
export type StripeFault = (typeof STRIPE_FAULTS)[number];

/** Every amount of the currency has to be a multiple of it (docs.stripe.com/currencies). */
export const STRIPE_STEPS = {
  USD: 1n,
  JPY: 1n,
  BHD: 10n,
  IQD: 10n,
  JOD: 10n,
  KWD: 10n,
  LYD: 10n,
  OMR: 10n,
  TND: 10n,
  ISK: 100n,
} as const;
export type ModelCurrency = keyof typeof STRIPE_STEPS;

interface Held {
  readonly facts: TransferFacts;
  amountReversed: bigint;
  readonly reversals: ReversalFacts[];
}

type Saved<Done> =
  | { readonly kind: 'done'; readonly value: Done }
  | { readonly kind: 'refused' }
  | { readonly kind: 'short' }
  | { readonly kind: 'server_error' };

interface Key {
  readonly params: string;
  readonly firstAtMs: number;
  saved: Saved<unknown> | undefined;
}

/**
 * Stripe as far as its rules about keys and balances go (docs.stripe.com/api/idempotent_requests), small enough to be
 * believed: a key is kept for exactly 24 hours with its first answer, errors included, and forgotten then. It knows one
 * currency. Shares no code with the product.
 */
export function modelStripe(clock: Clock, currency: ModelCurrency) {
  const transfers = new Map<string, Held>();
  const keys = new Map<string, Key>();
  const balances = new Map<string, bigint>();
  const faults: StripeFault[] = [];
  const later: { readonly atMs: number; readonly carryOut: () => void }[] = [];
  const broken: string[] = [];
  let readFaults = 0;
  let ids = 0;
  const nextId = (prefix: string) => `${prefix}_${(ids += 1)}`;

  const balanceOf = (seller: string): bigint => balances.get(seller) ?? 0n;
  const credit = (seller: string, amount: bigint) => balances.set(seller, balanceOf(seller) + amount);

  function finishLater(): void {
    for (const [place, { atMs, carryOut }] of [...later.entries()].toReversed()) {
      if (atMs > clock.nowMs()) continue;
      later.splice(place, 1);
      carryOut();
    }
  }

  /** One POST: limits first, then the key, then the work. */
  async function post<Done>(
    key: string,
    { amount, params }: { amount: bigint; params: string },
    carryOut: () => Saved<Done>,
  ): Promise<KeyedAnswer<Done>> {
    finishLater();
    if (amount % STRIPE_STEPS[currency] !== 0n) broken.push(`${key} was sent with ${amount} ${currency}`);
    const fault = faults.shift();
    if (fault === 'throttled')
      return { kind: 'busy', executed: 'no', retryAfterMs: null, detail: '429', requestId: null };
    if (fault === 'locked_out' || fault === 'seller_locked_out')
      return {
        kind: 'misdirected',
        scope: fault === 'locked_out' ? 'provider' : 'seller',
        detail: '401',
        requestId: null,
      };
    if (fault === 'dropped') return unclear('reset');
    const earlier = keys.get(key);
    const ageMs = earlier ? clock.nowMs() - earlier.firstAtMs : 0;
    if (ageMs >= 23 * HOUR_MS) broken.push(`${key} was sent ${ageMs} ms after its first use`);
    if (earlier && ageMs < 24 * HOUR_MS) {
      if (earlier.params !== params) broken.push(`${key} was sent with ${params} after ${earlier.params}`);
      if (!earlier.saved)
        return { kind: 'busy', executed: 'perhaps', retryAfterMs: null, detail: '409', requestId: null };
      return fault === 'lost' ? unclear('no_answer') : answer(earlier.saved as Saved<Done>, true);
    }
    const entry: Key = { params, firstAtMs: clock.nowMs(), saved: undefined };
    keys.set(key, entry);
    // At work, so that another request with this key may meet it.
    await new Promise((resolve) => setImmediate(resolve));
    const saved = work(fault, carryOut);
    entry.saved = saved;
    return fault === 'lost' ? unclear('no_answer') : answer(saved, false);
  }

  function work<Done>(fault: StripeFault | undefined, carryOut: () => Saved<Done>): Saved<Done> {
    if (fault === 'refused') return { kind: 'refused' };
    if (fault === 'finished_later') later.push({ atMs: clock.nowMs() + HOUR_MS / 3, carryOut });
    return fault === 'broken' || fault === 'finished_later' ? { kind: 'server_error' } : carryOut();
  }

  async function read<Found>(found: () => Found | undefined): Promise<ReadAnswer<Found>> {
    finishLater();
    await new Promise((resolve) => setImmediate(resolve));
    if (readFaults > 0) {
      readFaults -= 1;
      return { kind: 'unclear', detail: '503' };
    }
    const value = found();
    return value === undefined ? { kind: 'missing', detail: '404' } : { kind: 'found', value };
  }

  const factsOf = ({ facts, amountReversed }: Held): TransferFacts => ({ ...facts, amountReversed });

  const calls: StripeCalls = {
    createTransfer: (key, params) =>
      post(key, { amount: BigInt(params.amount), params: JSON.stringify(params) }, () => {
        const facts: TransferFacts = {
          stripeTransferId: nextId('tr'),
          amount: BigInt(params.amount),
          amountReversed: 0n,
          currency: params.currency.toUpperCase(),
          destination: params.destination,
          transferGroup: params.transfer_group ?? null,
          metadata: params.metadata,
          livemode: false,
          createdAt: new Date(clock.nowMs()).toISOString(),
        };
        transfers.set(facts.stripeTransferId, { facts, amountReversed: 0n, reversals: [] });
        credit(params.destination, facts.amount);
        return { kind: 'done', value: facts };
      }),
    reverseTransfer: (key, stripeTransferId, params) => {
      const amount = BigInt(params.amount);
      return post<ReversalFacts>(key, { amount, params: JSON.stringify([stripeTransferId, params]) }, () => {
        const held = transfers.get(stripeTransferId);
        if (!held || held.amountReversed + amount > held.facts.amount) return { kind: 'refused' };
        const { destination } = held.facts;
        if (balanceOf(destination) < amount) return { kind: 'short' };
        credit(destination, -amount);
        held.amountReversed += amount;
        const facts: ReversalFacts = {
          stripeReversalId: nextId('trr'),
          stripeTransferId,
          amount,
          currency: held.facts.currency,
          metadata: params.metadata,
          state: 'done',
          createdAt: new Date(clock.nowMs()).toISOString(),
        };
        held.reversals.push(facts);
        return { kind: 'done', value: facts };
      });
    },
    readTransfer: (id) =>
      read(() => {
        const held = transfers.get(id);
        return held && { transfer: factsOf(held), reversals: [...held.reversals] };
      }),
    transfersTo: (destination, since) =>
      read(() =>
        [...transfers.values()]
          .map(factsOf)
          .filter((one) => one.destination === destination && Date.parse(one.createdAt) >= since.getTime()),
      ),
    readAccount: () => read(() => ({ accountId: 'acct_platform', livemode: false })),
    readBalance: (seller) => read(() => new Map([[currency, balanceOf(seller)]])),
    listTransfers: () => Promise.reject(new Error('nothing here lists transfers')),
    payoutContents: () => Promise.reject(new Error('nothing here reads payouts')),
    readPayout: () => Promise.reject(new Error('nothing here reads payouts')),
    readPlatformBalance: () => read(() => new Map([[currency, 10n ** 12n]])),
    readSeller: (sellerAccount) =>
      read(() => ({ sellerAccount, capabilities: { transfers: 'active' }, disabledReason: null })),
    readLatestCharge: () => Promise.resolve({ kind: 'missing', detail: '404' }),
    readCharge: () => Promise.resolve({ kind: 'missing', detail: '404' }),
    movementOf: () => Promise.resolve({ kind: 'missing', detail: '404' }),
    readBalanceMovement: () => Promise.resolve({ kind: 'missing', detail: '404' }),
    readDispute: () => Promise.reject(new Error('nobody disputes a payment in these stories')),
    disputesOf: () => Promise.reject(new Error('nobody disputes a payment in these stories')),
    transfersSince: () => Promise.reject(new Error('nobody compares whole accounts in these stories')),
    reversalsSince: () => Promise.reject(new Error('nobody compares whole accounts in these stories')),
    disputesSince: () => Promise.reject(new Error('nobody compares whole accounts in these stories')),
    paymentsSince: () => Promise.reject(new Error('nobody compares whole accounts in these stories')),
    payoutsSince: () => Promise.reject(new Error('nobody compares whole accounts in these stories')),
    refundsSince: () => Promise.reject(new Error('nobody compares whole accounts in these stories')),
    readPayment: () => Promise.reject(new Error('no payment here is of this account')),
    createIntent: () => Promise.reject(new Error('no payment here is made at Stripe')),
    cancelIntent: () => Promise.reject(new Error('no payment here is made at Stripe')),
    captureIntent: () => Promise.reject(new Error('no payment here is made at Stripe')),
    readIntent: () => Promise.reject(new Error('no payment here is made at Stripe')),
    findIntent: () => Promise.reject(new Error('no payment here is made at Stripe')),
    createRefund: () => Promise.reject(new Error('no payment here is made at Stripe')),
    transfersInGroup: () => Promise.reject(new Error('nobody brings payments of his own in these stories')),
    refundsOf: () => Promise.reject(new Error('no payment here is of this account')),
  };

  return {
    inLane: () => calls,
    faults,
    failReads(howMany: number): void {
      readFaults = howMany;
    },
    finishLater,
    /** Nothing goes wrong from here on; what was answered with 500 stays saved. */
    heal(): void {
      faults.length = 0;
      readFaults = 0;
    },
    /** Paid out to the seller's bank: it cannot be taken back until new money comes. */
    spend(seller: string, part: number): void {
      credit(seller, -((balanceOf(seller) * BigInt(Math.round(part * 100))) / 100n));
    },
    credit,
    /** Rules of Stripe's that a client must never break. */
    broken,
    transfers: (): readonly TransferFacts[] => [...transfers.values()].map(factsOf),
    reversals: (): readonly ReversalFacts[] => [...transfers.values()].flatMap(({ reversals }) => reversals),
  } satisfies Stripe & Record<string, unknown>;
}

const unclear = (why: 'reset' | 'no_answer' | 'server_error', replayed = false) =>
  ({ kind: 'unclear', why, detail: why, replayed, requestId: null }) as const;

function answer<Done>(saved: Saved<Done>, replayed: boolean): KeyedAnswer<Done> {
  switch (saved.kind) {
    case 'done':
      return { kind: 'done', value: saved.value, replayed, requestId: null };
    case 'refused':
      return { kind: 'refused', why: 'other', code: null, detail: '400', replayed, requestId: null };
    case 'short':
      return { kind: 'short', detail: '400 balance_insufficient', replayed, requestId: null };
    case 'server_error':
      return unclear('server_error', replayed);
  }
}
