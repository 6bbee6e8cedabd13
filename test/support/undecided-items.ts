import type { ChainReader } from '../../src/calls/decisions/ask-chain.js';
import type { StripeReader } from '../../src/calls/decisions/ask-stripe.js';
import type { ActionOf, DecidableKind } from '../../src/domain/decisions/decisions.js';
import type { SettlementId } from '../../src/domain/ids.js';
import { aSettlement, atomic, attempt, refused, SERVER_ERROR, type TestLedger } from './ledger-fixtures.js';
import { putOrder, unique } from './marketplace/fixtures.js';
import { paymentAt } from './marketplace/hyperswitch-facts.js';
import type { HyperswitchReader } from './ways-to-decide.js';

/** An item that waits for a decision, and what the providers show of it. */
export interface Undecided {
  readonly id: string;
  readonly stripe?: StripeReader;
  readonly chain?: ChainReader;
  readonly hyperswitch?: HyperswitchReader;
  readonly evidence?: Record<string, string>;
}

type Make = (test: TestLedger, amount: bigint) => Promise<Undecided>;

/** One of a currency or asset of its own, so that nobody has given anything of it up before. */
let counter = 0;
function currency(): string {
  counter += 1;
  const letter = (digit: number) => String.fromCharCode(65 + (digit % 26));
  return `Q${letter(Math.floor(counter / 26))}${letter(counter)}`;
}

const waiting = (reason: string, now = new Date()) => ({
  attention_reason: reason,
  attention_since: now,
  attention_detail: 'as a test has it',
});

async function settlement(test: TestLedger, amount: bigint, answers = [refused('other')]): Promise<Undecided> {
  const made = await test.ledger.createSettlement(
    aSettlement({ asset: currency(), decimals: 2, spent: atomic(amount), cap: null }),
  );
  if (made.kind !== 'created') throw new Error(made.kind);
  const { id } = made.settlement;
  for (const answer of answers) {
    const [claimed] = (await test.ledger.claimSettlements([id], 'r', 35_000)).claimed;
    if (claimed) await test.ledger.recordAttempts([attempt(claimed, answer, 'r')]);
  }
  return { id, evidence: { tx_hash: '0xseen' } };
}

const unproved: Make = (test, amount) => settlement(test, amount, [SERVER_ERROR, refused('other')]);

/** Looks as a capture does to whoever decides; the row of its channel is no part of what is decided. */
async function capture(test: TestLedger, amount: bigint, chain: ChainReader): Promise<Undecided> {
  const made = await settlement(test, amount, [SERVER_ERROR, refused('other')]);
  await test.database.transaction(async (query) => {
    await query('SET LOCAL session_replication_role = replica');
    await query(
      `UPDATE settlements SET provider = 'tempo', source = 'channel', channel_id = '0x' || md5(id::text) || md5(id::text),
         lookup = lookup || '{"kind": "settle", "capture": "1"}' WHERE id = $1`,
      [made.id],
    );
  });
  return { ...made, chain };
}

const chainSays = (seen: Awaited<ReturnType<ChainReader['lookUp']>>): ChainReader => ({
  lookUp: () => Promise.resolve(seen),
});

type Reads = ReturnType<StripeReader['inLane']>;
const stripeSays = (reads: Partial<Reads>): StripeReader => ({
  inLane: () => ({
    readTransfer: () => Promise.resolve({ kind: 'missing', detail: 'none' }),
    readDispute: () => Promise.resolve({ kind: 'missing', detail: 'none' }),
    transfersTo: () => Promise.resolve({ kind: 'missing', detail: 'none' }),
    ...reads,
  }),
});

const transferFacts = (more: { id: string; order: string; amount: bigint; currency: string }) => ({
  stripeTransferId: unique('tr'),
  amount: more.amount,
  amountReversed: 0n,
  currency: more.currency,
  destination: 'acct_a',
  transferGroup: more.order,
  metadata: { seller_transfer_id: more.id },
  createdAt: new Date().toISOString(),
  livemode: false,
});

/** Of which the provider has said something that does not fit: it is in, and for whom or how much is the question. */
function doubted(reason: 'conflict' | 'settled_elsewhere_suspected'): Make {
  return async (test, amount) => {
    const made = await settlement(test, amount, []);
    const id = made.id as SettlementId;
    const [claimed] = (await test.ledger.claimSettlements([id], 'r', 35_000)).claimed;
    if (!claimed) throw new Error('nobody holds it');
    const decision = { do: 'ask', certainty: 'done', reason } as const;
    await test.ledger.recordAttempts([{ ...attempt(claimed, refused('other'), 'r'), decision }]);
    return made;
  };
}

function transfer(shown: 'there' | 'there without our mark' | 'absent'): Make {
  return async (test, amount) => {
    const code = currency();
    const order = await putOrder(test, {
      currency: code,
      transfers: [{ amount, status: 'failed', columns: waiting('retries_exhausted') }],
    });
    const id = order.transfers[0]!.id;
    const marked = transferFacts({ id, order: order.id, amount, currency: code });
    const found = [shown === 'there' ? marked : { ...marked, metadata: {} }];
    const evidence = { stripe_transfer_id: marked.stripeTransferId };
    const reads: Partial<Reads> =
      shown !== 'absent' ? { transfersTo: () => Promise.resolve({ kind: 'found', value: found }) } : {};
    return { id, stripe: stripeSays(reads), ...(shown === 'there without our mark' ? { evidence } : {}) };
  };
}

/** Nobody has released it in time. */
const unreleased: Make = async (test, amount) => {
  const columns = { release_kind: 'on_request', ...waiting('release_overdue') };
  const order = await putOrder(test, { currency: currency(), transfers: [{ amount, status: 'held', columns }] });
  return { id: order.transfers[0]!.id };
};

/** Sent, and found at Stripe a second time. */
const paidTwice: Make = async (test, amount) => {
  const code = currency();
  const order = await putOrder(test, { currency: code, transfers: [{ amount }] });
  const id = order.transfers[0]!.id;
  await test.ledger.adoptTransfer(id, unique('tr'));
  const found = [transferFacts({ id, order: order.id, amount, currency: code })];
  return { id, stripe: stripeSays({ transfersTo: () => Promise.resolve({ kind: 'found', value: found }) }) };
};

function reversal(shown: 'there' | 'absent' | 'half of it by another' | 'all of it by another'): Make {
  return async (test, amount) => {
    const code = currency();
    const byAnother = shown.endsWith('by another');
    const columns = byAnother ? { attention_reason: 'partly_foreign_reversal' } : {};
    const order = await putOrder(test, {
      currency: code,
      transfers: [{ amount: 3n * amount }],
      refunds: [{ amount, reversals: [{ transfer: 0, amount, status: 'permanently_failed', columns }] }],
    });
    const id = order.reversals[0]!.id;
    const { stripeTransferId } = order.transfers[0]!;
    if (stripeTransferId === null) throw new Error('the transfer was sent');
    const facts = transferFacts({ id: order.transfers[0]!.id, order: order.id, amount: 3n * amount, currency: code });
    const ours = {
      stripeReversalId: unique('trr'),
      stripeTransferId,
      amount,
      currency: code,
      metadata: { operation_id: id },
      createdAt: facts.createdAt,
      state: 'done',
    } as const;
    const foreign = { ...ours, metadata: {} };
    const half = { ...foreign, amount: amount / 2n };
    const reversals = { there: [ours], absent: [], 'half of it by another': [half], 'all of it by another': [foreign] }[
      shown
    ];
    const amountReversed = reversals.reduce((sum, one) => sum + one.amount, 0n);
    const value = { transfer: { ...facts, stripeTransferId, amountReversed }, reversals };
    return {
      id,
      stripe: stripeSays({ readTransfer: () => Promise.resolve({ kind: 'found', value }) }),
      ...(byAnother ? { evidence: { stripe_reversal_id: foreign.stripeReversalId } } : {}),
    };
  };
}

/** One that Hyperswitch calls something that nobody knows: nothing was captured. */
const payment: Make = async (test, amount) => {
  const code = currency();
  const order = await putOrder(test, {
    currency: code,
    status: 'pending',
    paid: amount,
    payment: { status: 'processing', columns: { certainty: 'done', ...waiting('unknown_status') } },
  });
  const facts = {
    hyperswitchPaymentId: order.hyperswitchPaymentId,
    status: 'processing',
    providerStatus: 'in_limbo',
    amount,
    amountReceived: 0n,
    currency: code,
    clientSecret: null,
  } as const;
  const readPayment = () => Promise.resolve({ kind: 'found', value: facts } as never);
  return { id: order.paymentId, hyperswitch: { readPayment } };
};

/** Half of it was captured by somebody else than us, and nothing more comes. */
const capturedInPart: Make = async (test, amount) => {
  const code = currency();
  const asks = waiting('payment_amount_differs');
  const order = await putOrder(test, {
    currency: code,
    status: 'pending',
    paid: 2n * amount,
    payment: { status: 'processing', columns: { certainty: 'done', captured: amount, ...asks } },
  });
  await test.database.query('SELECT book_platform($1)', [order.id]);
  const facts = paymentAt({
    hyperswitchPaymentId: order.hyperswitchPaymentId,
    providerStatus: 'partially_captured',
    amount: 2n * amount,
    amountReceived: amount,
    currency: code,
  });
  const readPayment = () => Promise.resolve({ kind: 'found', value: facts } as never);
  return { id: order.paymentId, hyperswitch: { readPayment } };
};

/** One that paid its order, of which Hyperswitch says something else than before. */
function paidAndAsked(providerStatus: 'cancelled_post_capture' | 'succeeded'): Make {
  return async (test, amount) => {
    const code = currency();
    const isBack = providerStatus === 'succeeded';
    const order = await putOrder(test, {
      currency: code,
      status: isBack ? 'refunded' : 'paid',
      transfers: [{ amount }],
      payment: { columns: { provider_status: providerStatus, ...waiting('conflict') } },
      refunds: isBack ? [{ amount, columns: { origin: 'provider', hyperswitch_refund_id: null } }] : [],
    });
    const { hyperswitchPaymentId } = order;
    const facts = paymentAt({ hyperswitchPaymentId, providerStatus, amount, currency: code });
    const readPayment = () => Promise.resolve({ kind: 'found', value: facts } as never);
    return { id: order.paymentId, hyperswitch: { readPayment } };
  };
}

/** A dispute whose funds nobody here can read; `out`: somebody has said that they are out. */
function dispute(shown: 'asks' | 'is not named' | 'out'): Make {
  return async (test, amount) => {
    const code = currency();
    const order = await putOrder(test, { currency: code, status: 'paid', transfers: [{ amount }] });
    const [row] = await test.database.transaction(async (query) => {
      const made = await query<{ id: string }>(
        `INSERT INTO disputes (id, order_id, payment_id, psp_account, provider_dispute_id, hyperswitch_dispute_id, named_by, amount, currency,
           attention_reason, attention_since, attention_detail, next_check_at)
         VALUES (new_uuid_v7(), $1, $2, $3, $4, CASE WHEN $5::text IS NOT NULL THEN $4 || '_named' END, $5, $6, $7, 'dispute', clock_now(),
           'as a test has it', clock_now()) RETURNING id`,
        [
          order.id,
          order.paymentId,
          shown === 'is not named' ? 'stripe' : 'adyen',
          unique('dp'),
          shown === 'is not named' ? null : 'hyperswitch',
          amount.toString(),
          code,
        ],
      );
      if (shown === 'out') {
        await query(
          `INSERT INTO dispute_withdrawals (id, dispute_id, order_id, source, amount) VALUES (new_uuid_v7(), $1, $2, 'decision/before', $3)`,
          [made[0]?.id, order.id, amount.toString()],
        );
        await query('SELECT book_platform($1)', [order.id]);
      }
      return made;
    });
    return { id: row!.id, evidence: { reference: 'the processor’s dashboard' } };
  };
}

/** A refund that failed after the seller had paid its share back. */
const refund: Make = async (test, amount) => refundThatFailed(test, { amount, itself: amount });

/** The last of the refunds that failed bears the question for all that sellers are owed. */
const lastOfSeveral: Make = async (test, amount) => refundThatFailed(test, { amount, itself: 1n });

async function refundThatFailed(test: TestLedger, { amount, itself }: { amount: bigint; itself: bigint }) {
  const now = new Date();
  const order = await putOrder(test, {
    currency: currency(),
    status: 'paid',
    transfers: [{ amount: 2n * amount, status: 'partially_reversed', columns: { amount_reversed: amount } }],
    refunds: [
      {
        amount: itself,
        status: 'failed',
        columns: { succeeded_at: now, ...waiting('refund_failed_after_reversal') },
        reversals: [{ transfer: 0, amount, status: 'reversed' }],
      },
    ],
  });
  return { id: order.refunds[0]!.id };
}

/** For each action of the catalogue an item that it fits, in the state in which its rule is decided. */
export const UNDECIDED: { readonly [Kind in DecidableKind]: { readonly [Action in ActionOf<Kind>]: Make } } = {
  settlement: { retry: settlement, settled: settlement, write_off: settlement },
  transfer: {
    retry: transfer('absent'),
    adopt: transfer('there'),
    release: unreleased,
    write_off: transfer('absent'),
  },
  reversal: {
    retry: reversal('absent'),
    adopt: reversal('there'),
    count_as_share: reversal('all of it by another'),
    take_missing: reversal('half of it by another'),
    take_all: reversal('half of it by another'),
    take_available: reversal('half of it by another'),
    offset: reversal('half of it by another'),
    write_off: reversal('absent'),
  },
  payment: {
    retry: payment,
    cancel: payment,
    accept_capture: capturedInPart,
    given_back: paidAndAsked('cancelled_post_capture'),
    not_given_back: paidAndAsked('succeeded'),
    write_off: payment,
  },
  refund: { retry: refund, compensate: refund, write_off: refund },
  dispute: {
    retry: dispute('asks'),
    adopt: dispute('is not named'),
    funds_out: dispute('asks'),
    funds_back: dispute('out'),
    write_off: dispute('asks'),
  },
};

/** The same actions where something else is known of the money. */
export const VARIANTS = {
  'settlement: settled, and the chain shows it': {
    kind: 'settlement',
    action: 'settled',
    make: (test, amount) => capture(test, amount, chainSays({ kind: 'captured', txHash: '0xseen' })),
  },
  'settlement: settled, and the answer was of another amount': {
    kind: 'settlement',
    action: 'settled',
    make: doubted('conflict'),
  },
  'settlement: settled, and somebody else seems to have settled it': {
    kind: 'settlement',
    action: 'settled',
    make: doubted('settled_elsewhere_suspected'),
  },
  'transfer: adopt, and what is there does not bear our mark': {
    kind: 'transfer',
    action: 'adopt',
    make: transfer('there without our mark'),
  },
  'transfer: adopt, to say that a seller who was paid twice paid back': {
    kind: 'transfer',
    action: 'adopt',
    make: paidTwice,
  },
  'reversal: adopt, and what is there does not bear our mark': {
    kind: 'reversal',
    action: 'adopt',
    make: reversal('all of it by another'),
  },
  'refund: write_off, and sellers are owed more than this one was': {
    kind: 'refund',
    action: 'write_off',
    make: lastOfSeveral,
  },
  'settlement: write_off, and the chain shows nothing': {
    kind: 'settlement',
    action: 'write_off',
    make: (test, amount) => capture(test, amount, chainSays({ kind: 'not_captured', detail: 'nothing' })),
  },
  'settlement: write_off, and nobody knows whether it moved': {
    kind: 'settlement',
    action: 'write_off',
    make: unproved,
  },
} as const satisfies Readonly<
  Record<string, { readonly kind: DecidableKind; readonly action: string; readonly make: Make }>
>;
