import type {
  PaymentFacts,
  RefundFacts,
  ReversalFacts,
  StripeDispute,
  StripeRefund,
  TransferFacts,
} from '../../domain/calls/provider-answers.js';
import { markOfReversal, markOfTransfer } from '../../domain/marketplace/ours-at-stripe.js';
import type { Suspicion } from '../../domain/reconciliation/drift.js';
import { judgePayment, judgeRefund } from '../../domain/reconciliation/judge-hyperswitch.js';
import { judgeDispute, judgeReversal, judgeTransfer } from '../../domain/reconciliation/judge-stripe.js';
import {
  judgeStripePayment,
  judgeStripeRefund,
  type PaymentAtStripe,
} from '../../domain/reconciliation/judge-stripe-payments.js';
import { type ComparisonDependencies, isFound, youngSince } from './comparison.js';

type Sides = Pick<ComparisonDependencies, 'ledger' | 'clock' | 'youngMs'>;

/** What a provider showed, against the rows as they are now. Read after the provider was: a row can only be newer than what it shows. */
export async function suspectTransfers(facts: readonly TransferFacts[], sides: Sides): Promise<readonly Suspicion[]> {
  const marks = facts.map(markOfTransfer).filter(isFound);
  const rows = await sides.ledger.heldTransfers(
    facts.map(({ stripeTransferId }) => stripeTransferId),
    marks,
  );
  const recency = youngSince(sides);
  return facts
    .map((held) => {
      const mark = markOfTransfer(held);
      const known = rows.find(({ stripeTransferId }) => stripeTransferId === held.stripeTransferId);
      return judgeTransfer(held, { known, marked: rows.find(({ id }) => id === mark) }, recency);
    })
    .filter(isFound);
}

export async function suspectReversals(facts: readonly ReversalFacts[], sides: Sides): Promise<readonly Suspicion[]> {
  const ids = facts.map(({ stripeReversalId }) => stripeReversalId);
  const [rows, foreign, transfers] = await Promise.all([
    sides.ledger.heldReversals(ids, facts.map(markOfReversal).filter(isFound)),
    sides.ledger.heldForeign(ids),
    sides.ledger.heldTransfers(
      facts.map(({ stripeTransferId }) => stripeTransferId),
      [],
    ),
  ]);
  const recency = youngSince(sides);
  return facts
    .map((held) => {
      const mark = markOfReversal(held);
      return judgeReversal(
        held,
        {
          known: rows.find(({ stripeReversalId }) => stripeReversalId === held.stripeReversalId),
          marked: rows.find(({ id }) => id === mark),
          foreign: foreign.has(held.stripeReversalId),
          transferId: transfers.find(({ stripeTransferId }) => stripeTransferId === held.stripeTransferId)?.id ?? null,
        },
        recency,
      );
    })
    .filter(isFound);
}

export async function suspectDisputes(facts: readonly StripeDispute[], sides: Sides): Promise<readonly Suspicion[]> {
  const names = facts.flatMap(({ charge, paymentIntent }) =>
    paymentIntent === null ? [charge] : [charge, paymentIntent],
  );
  const [rows, payments] = await Promise.all([
    sides.ledger.heldDisputes(facts.map(({ stripeDisputeId }) => stripeDisputeId)),
    sides.ledger.paymentsAtStripe(names),
  ]);
  const recency = youngSince(sides);
  return facts
    .map((held) => {
      const known = rows.find(({ providerDisputeId }) => providerDisputeId === held.stripeDisputeId);
      const paymentId = payments.get(held.charge) ?? payments.get(held.paymentIntent ?? '') ?? null;
      return judgeDispute(held, { known, paymentId }, recency);
    })
    .filter(isFound);
}

export async function suspectPayments(facts: readonly PaymentFacts[], sides: Sides): Promise<readonly Suspicion[]> {
  const rows = await sides.ledger.heldPayments(
    'hyperswitch',
    facts.map(({ hyperswitchPaymentId }) => hyperswitchPaymentId),
  );
  return facts
    .map((held) =>
      judgePayment(
        held,
        rows.find(({ providerPaymentId }) => providerPaymentId === held.hyperswitchPaymentId),
      ),
    )
    .filter(isFound);
}

export async function suspectRefunds(facts: readonly RefundFacts[], sides: Sides): Promise<readonly Suspicion[]> {
  const [rows, payments] = await Promise.all([
    sides.ledger.heldRefunds(
      'hyperswitch',
      facts.map(({ hyperswitchRefundId }) => hyperswitchRefundId),
    ),
    sides.ledger.heldPayments(
      'hyperswitch',
      facts.map(({ hyperswitchPaymentId }) => hyperswitchPaymentId),
    ),
  ]);
  return facts
    .map((held) =>
      judgeRefund(held, {
        known: rows.find(({ providerRefundId }) => providerRefundId === held.hyperswitchRefundId),
        paymentId:
          payments.find(({ providerPaymentId }) => providerPaymentId === held.hyperswitchPaymentId)?.id ?? null,
      }),
    )
    .filter(isFound);
}

export async function suspectStripePayments(
  facts: readonly PaymentAtStripe[],
  sides: Sides,
): Promise<readonly Suspicion[]> {
  const rows = await sides.ledger.heldPayments(
    'stripe',
    facts.map(({ name }) => name),
  );
  return facts
    .map((held) =>
      judgeStripePayment(
        held,
        rows.find(({ providerPaymentId }) => providerPaymentId === held.name),
      ),
    )
    .filter(isFound);
}

export async function suspectStripeRefunds(
  facts: readonly StripeRefund[],
  sides: Sides,
): Promise<readonly Suspicion[]> {
  const namesOf = ({ paymentIntent, charge }: StripeRefund) => [paymentIntent, charge].filter((name) => name !== null);
  const [rows, payments] = await Promise.all([
    sides.ledger.heldRefunds(
      'stripe',
      facts.map(({ stripeRefundId }) => stripeRefundId),
    ),
    sides.ledger.heldPayments('stripe', facts.flatMap(namesOf)),
  ]);
  const recency = youngSince(sides);
  return facts
    .map((held) =>
      judgeStripeRefund(
        held,
        {
          known: rows.find(({ providerRefundId }) => providerRefundId === held.stripeRefundId),
          payment: payments.find(({ providerPaymentId }) => namesOf(held).includes(providerPaymentId)),
        },
        recency,
      ),
    )
    .filter(isFound);
}
