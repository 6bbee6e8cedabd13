import type { Certainty } from '../../domain/calls/certainty.js';
import type { Attention } from '../../domain/decisions/attention.js';
import { explainNext, type Situation } from '../../domain/decisions/explain-next.js';
import { capturedInWords } from '../../domain/marketplace/captured.js';
import { disputeAnswer } from '../../domain/marketplace/dispute-answer.js';
import type {
  MarketplaceKind,
  Order,
  Payment,
  Refund,
  Reversal,
  SellerTransfer,
} from '../../domain/marketplace/marketplace.js';
import {
  orderAnswer,
  paymentDetails,
  refundAnswer,
  transferAnswer,
} from '../../domain/marketplace/marketplace-answer.js';
import type { Debt } from '../../domain/marketplace/offsets.js';
import { partsInWords } from '../../domain/marketplace/payment-capture.js';
import { heldInWords } from '../../domain/marketplace/releases.js';
import { reversalAnswer } from '../../domain/marketplace/reversal-answer.js';
import type { FoundItem } from '../../ledger/find-items.js';
import type { CallDetails } from '../../ledger/marketplace/marketplace-story.js';
import type { OperatorLedger } from '../operator-ledger.js';
import { table } from '../table.js';
import type { ItemView } from './item-view.js';
import { storyTable } from './story-table.js';

type ShownItem = Exclude<FoundItem, { kind: 'settlement' }>;

const PROVIDER_NAMES = { hyperswitch: 'Hyperswitch', stripe: 'Stripe' } as const;

/** An order or one item of it: how it stands, what happens next, and everything that happened to it. */
export async function showMarketplaceItem(ledger: OperatorLedger, item: ShownItem, nowMs: number): Promise<ItemView> {
  const order = await ledger.findOrder(item.orderId);
  if (!order) throw new Error(`order ${item.orderId} is gone from the ledger`);
  return item.kind === 'order' ? await showOrder(ledger, order, nowMs) : await showOne(ledger, order, { item, nowMs });
}

/** What payments, refunds, transfers, reversals and disputes have in common here. */
interface Part {
  readonly kind: MarketplaceKind;
  readonly id: string;
  readonly status: string;
  readonly certainty: Certainty;
  readonly amount: bigint;
  readonly currency: string;
  readonly attention: Attention | null;
  readonly nextRetryAt: string | null;
  readonly workflowId: string | null;
  readonly createdAt: string;
  readonly answer: object;
  readonly heldFor?: SellerTransfer['heldFor'];
  /** What is told of this kind alone. */
  readonly own: readonly (readonly [name: string, value: string])[];
}

/** Of a payment that is captured by hand. */
function capturingOf({ capture }: Payment): readonly (readonly [name: string, value: string])[] {
  if (capture.method === 'automatic') return [];
  return [
    ['capture', capture.method],
    ['parts', capture.parts.length === 0 ? 'none asked for' : partsInWords(capture.parts)],
    ...(capture.heldSince === null ? [] : [['held since', capture.heldSince] as const]),
    ...(capture.cancelAskedAt === null ? [] : [['cancel', `asked at ${capture.cancelAskedAt}`] as const]),
  ];
}

function paymentPart(payment: Payment): Part {
  return {
    ...payment,
    kind: 'payment' as const,
    nextRetryAt: null,
    answer: paymentDetails(payment),
    own: [
      ['captured', `${capturedInWords(payment.captured)} of ${payment.amount}`],
      ...capturingOf(payment),
      [
        `at ${PROVIDER_NAMES[payment.provider]}`,
        (payment.provider === 'stripe' ? payment.stripePaymentId : payment.hyperswitchPaymentId) ?? 'not known there',
      ],
      ['called there', payment.providerStatus ?? 'nothing yet'],
    ] as const,
  };
}

function partsOf(order: Order): readonly Part[] {
  const { payment, reversals } = order;
  const atStripe = payment?.provider === 'stripe';
  const provider = PROVIDER_NAMES[payment?.provider ?? 'hyperswitch'];
  return [
    ...(payment ? [paymentPart(payment)] : []),
    ...order.refunds.map((refund) => ({
      ...refund,
      kind: 'refund' as const,
      nextRetryAt: null,
      answer: refundAnswer(
        refund,
        reversals.filter(({ refundId }) => refundId === refund.id),
      ),
      own: [
        ['reason', refund.reason],
        ['made by', refund.origin === 'api' ? 'our API' : `somebody at ${provider}`],
        [`at ${provider}`, (atStripe ? refund.stripeRefundId : refund.hyperswitchRefundId) ?? 'not known there'],
        [
          'of items',
          refund.items?.map(({ itemId, amount }) => `${amount} of ${itemId}`).join(', ') ?? 'every line alike',
        ],
        ['reversals', reversals.filter(({ refundId }) => refundId === refund.id).length.toString()],
        ...(refund.waiting === null ? [] : [['waits', waitInWords(refund)] as const]),
      ] as const,
    })),
    ...transferParts(order),
    ...reversalParts(order),
    ...disputeParts(order),
  ];
}

const transferParts = ({ transfers, reversals }: Order): readonly Part[] =>
  transfers.map((transfer) => ({
    ...transfer,
    kind: 'transfer' as const,
    answer: transferAnswer(
      transfer,
      reversals.filter(({ transferId }) => transferId === transfer.id),
    ),
    own: [
      ['seller', transfer.sellerAccount],
      ['reversed', `${transfer.amountReversed} of ${transfer.amount + transfer.offset}`],
      ...offsetOf(transfer),
      ['at Stripe', transfer.stripeTransferId ?? 'no id known'],
      ...(transfer.conversion === null ? [] : [['sent there', sentInWords(transfer.conversion)] as const]),
      ['retries', transfer.retryCount.toString()],
      ...(transfer.release.kind === 'immediately' ? [] : [['release', releaseInWords(transfer.release)] as const]),
      ...(transfer.heldFor === null ? [] : [['held', heldInWords(transfer.heldFor)] as const]),
      ...(transfer.waiting === null ? [] : [['waits', waitInWords(transfer)] as const]),
    ] as const,
  }));

const reversalParts = ({ reversals }: Order): readonly Part[] =>
  reversals.map((reversal) => ({
    ...reversal,
    kind: 'reversal' as const,
    answer: reversalAnswer(reversal),
    own: [
      ['seller', reversal.sellerAccount],
      ['of transfer', `${reversal.transferId} (${reversal.stripeTransferId ?? 'no id known at Stripe'})`],
      ['because of', reversal.refundId ? `refund ${reversal.refundId}` : `dispute ${reversal.disputeId}`],
      ...debtOf(reversal),
      ...(reversal.counted === 0n
        ? []
        : [['counted', `${reversal.counted} of ${reversal.amount}, taken by somebody else's reversal`] as const]),
      ['at Stripe', reversal.stripeReversalId ?? 'not made yet'],
      ...otherCurrencies(reversal),
      ['retries', reversal.retryCount.toString()],
    ] as const,
  }));

const disputeParts = ({ disputes, reversals }: Order): readonly Part[] =>
  disputes.map((dispute) => ({
    ...dispute,
    kind: 'dispute' as const,
    certainty: 'done' as const,
    nextRetryAt: null,
    answer: disputeAnswer(
      dispute,
      reversals.filter(({ disputeId }) => disputeId === dispute.id),
    ),
    own: [
      ['funds', `${dispute.funds}, ${dispute.out} out now`],
      ...(dispute.borneByPlatform === 0n
        ? []
        : [['left with the platform', `${dispute.borneByPlatform}, by DISPUTE_POLICY`] as const]),
      ['at the processor', `${dispute.connector} ${dispute.providerDisputeId}`],
      ['called there', dispute.providerStatus ?? 'nothing yet'],
      ['at Hyperswitch', dispute.hyperswitchDisputeId ?? 'not named there'],
      ['reason', dispute.reason ?? 'none given'],
      ['reversals', reversals.filter(({ disputeId }) => disputeId === dispute.id).length.toString()],
    ] as const,
  }));

const sentInWords = ({ amount, currency, exchangeRate }: NonNullable<SellerTransfer['conversion']>): string =>
  `${amount} ${currency} (minor units)${exchangeRate === null ? '' : `, at Stripe's rate of ${exchangeRate}`}`;

const otherCurrencies = ({ conversion, seller }: Reversal): readonly (readonly [string, string])[] => [
  ...(conversion === null
    ? []
    : [['taken there', `${conversion.amount} ${conversion.currency} (minor units)`] as const]),
  ...(seller === null ? [] : [['of its seller', sellerInWords(seller)] as const]),
];

const sellerInWords = ({ currency, got, gave }: NonNullable<Reversal['seller']>): string =>
  `${gave} ${currency} were taken of his balance, of which this part had brought him ${got} (minor units): ${gave - got} more`;

const releaseInWords = ({ kind, at, releasedAt }: SellerTransfer['release']): string =>
  `${kind === 'after' ? `at ${at}` : 'when somebody says so'}: ${releasedAt === null ? 'not released yet' : `released ${releasedAt}`}`;

const offsetOf = ({ offset }: Pick<SellerTransfer, 'offset'>): readonly (readonly [string, string])[] =>
  offset === 0n ? [] : [['offset', `${offset} kept of it, because its seller owed it`]];

function debtOf({ debt }: { readonly debt: Debt | null }): readonly (readonly [string, string])[] {
  if (debt === null) return [];
  const way = debt.state === 'on_its_way' ? ', which is on its way' : '';
  const kept = debt.transferId === null ? 'the next transfers' : `transfer ${debt.transferId}${way}`;
  return [['debt', `owed since ${debt.since}: kept of ${kept}`]];
}

function waitInWords({ waiting, currency }: Pick<SellerTransfer | Refund, 'waiting' | 'currency'>): string {
  if (waiting === null) return 'no';
  const { since, detail, missing } = waiting;
  const what = waiting.for === 'seller' ? 'for its seller' : "for the platform's balance";
  return `${what} since ${since}${missing === null ? '' : `, ${missing} ${currency} short when it was read last`}: ${detail}`;
}

const situation = async (ledger: OperatorLedger, part: Part, call: CallDetails): Promise<Situation> => ({
  ...part,
  ...call,
  notTaken: await ledger.decisionsNotTaken(),
});

async function showOne(
  ledger: OperatorLedger,
  order: Order,
  { item, nowMs }: { readonly item: ShownItem; readonly nowMs: number },
): Promise<ItemView> {
  const part = partsOf(order).find(({ kind, id }) => kind === item.kind && id === item.id);
  const call = part && (await ledger.callDetails(part.kind, part.id));
  if (!part || !call) throw new Error(`${item.kind} ${item.id} is gone from the ledger`);
  const events = await ledger.storyOf([item]);
  const next = explainNext(await situation(ledger, part, call), nowMs);
  return {
    workflowId: part.workflowId,
    answer: { ...part.answer, kind: part.kind, call: callAnswer(call), next, events },
    lines: [...facts(part, call, order), '', ...storyTable(events), '', `next: ${next}`],
  };
}

function facts(part: Part, call: CallDetails, order: Order): readonly string[] {
  const { attention } = part;
  return table(
    [part.kind, part.id],
    [
      ['status', `${part.status} (money: ${part.certainty})`],
      ['amount', `${part.amount} ${part.currency} (minor units)`],
      ['order', `${order.id}${order.reference === null ? '' : ` (imported: ${order.reference})`}`],
      ...part.own,
      ['attempts', `${call.attempts}${part.nextRetryAt === null ? '' : `, next at ${part.nextRetryAt}`}`],
      ['key', `${call.key}${call.keyFirstSentAt === null ? '' : `, first sent at ${call.keyFirstSentAt}`}`],
      ...(call.generation === null || call.generation === 1 ? [] : [['generation', `${call.generation}`] as const]),
      ['last answer', call.lastAnswer ?? 'none'],
      ...(call.requestId === null ? [] : [['request at Stripe', call.requestId] as const]),
      ['attention', attention ? `${attention.reason} since ${attention.since}: ${attention.detail}` : 'none'],
      ['workflow', part.workflowId ?? 'none yet'],
      ['created', part.createdAt],
    ],
  );
}

const callAnswer = (call: CallDetails) => ({
  attempts: call.attempts,
  key: call.key,
  generation: call.generation,
  key_first_sent_at: call.keyFirstSentAt,
  last_answer: call.lastAnswer,
  request_id: call.requestId,
  held_until: call.heldUntil,
  next_check_at: call.nextCheckAt,
  parked_by: call.parkedBy,
  behind: call.behind,
});

async function showOrder(ledger: OperatorLedger, order: Order, nowMs: number): Promise<ItemView> {
  const parts = partsOf(order);
  const nexts: string[] = [];
  for (const part of parts) {
    const call = await ledger.callDetails(part.kind, part.id);
    nexts.push(call ? explainNext(await situation(ledger, part, call), nowMs) : '');
  }
  const self: FoundItem = { kind: 'order', id: order.id, orderId: order.id };
  const events = await ledger.storyOf([self, ...parts.map(({ kind, id }) => ({ kind, id, orderId: order.id }))]);
  const next = parts.map(({ kind, id }, index) => ({ kind, id, next: nexts[index] ?? '' }));
  return {
    answer: { ...orderAnswer(order), kind: 'order', next, events },
    lines: [...orderFacts(order), '', ...partsTable(parts, nexts), '', ...storyTable(events)],
  };
}

const orderFacts = (order: Order): readonly string[] =>
  table(
    ['order', order.id],
    [
      ['status', order.status],
      ['amount', `${order.amount} ${order.currency} (minor units)`],
      ...order.items.map((item) => [item.kind, itemInWords(item)] as const),
      ['platform', `keeps ${order.platform.kept} now (lines ${order.platform.amount}, fees ${order.platform.fees})`],
      ...(order.reference === null ? [] : [['imported as', order.reference] as const]),
      ['created', order.createdAt],
    ],
  );

function itemInWords({ id, amount, fee, sellerAccount, description }: Order['items'][number]): string {
  const whose = sellerAccount === null ? "the platform's own" : `to ${sellerAccount}`;
  return `${amount} ${whose}${fee === 0n ? '' : `, of which the platform keeps ${fee}`}: ${description} (${id})`;
}

const partsTable = (parts: readonly Part[], nexts: readonly string[]): readonly string[] =>
  table(
    ['KIND', 'ID', 'STATUS', 'MONEY', 'MINOR UNITS', 'ATTENTION', 'NEXT'],
    parts.map((part, index) => [
      part.kind,
      part.id,
      part.status,
      part.certainty,
      part.amount.toString(),
      part.attention?.reason ?? '',
      nexts[index] ?? '',
    ]),
  );
