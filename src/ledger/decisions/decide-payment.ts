import { type Certainty, mayHaveMoved } from '../../domain/calls/certainty.js';
import type { Clock } from '../../domain/clock.js';
import type { OrderId, PaymentId, RefundId } from '../../domain/ids.js';
import type { PaymentStatus } from '../../domain/marketplace/marketplace-status.js';
import { larger } from '../../domain/money.js';
import { acceptPart, NAMES_LINES } from '../marketplace/accept-captured.js';
import { moveOrder, orderPaid, wakeTransfers } from '../marketplace/order-status.js';
import { isOpen } from '../marketplace/payment-row.js';
import { lockOrderOf } from '../marketplace/seller-shares.js';
import { bookGivenBack, saidGivenBack, takeBackGivenBack } from '../money-that-leaves/given-back.js';
import { ASKS_ABOUT_UNNAMED, decideUnnamed, unnamed, unnamedOf } from '../money-that-leaves/unnamed-refunds.js';
import { mustMove, type Query } from '../transition.js';
import { type Decidable, type DecidableRow, needsAttention } from './decidable.js';
import { NO_ATTENTION } from './decision-rows.js';

interface Row extends DecidableRow {
  readonly id: PaymentId;
  readonly order_id: OrderId;
  readonly status: PaymentStatus;
  readonly certainty: Certainty;
  readonly amount: string;
  readonly captured: string;
  readonly captured_known: boolean;
  /** Of what was captured. */
  readonly given_back: string;
  /** A refund of it that may still leave, or may have left. */
  readonly refund_under_way: RefundId | null;
  readonly said_given_back: RefundId | null;
  /** A part of it that is to be captured, and may be. */
  readonly capture_open: boolean;
  /** Refunds that name lines of its order. */
  readonly names_lines: boolean;
  /** What is asked is about refunds that the processor alone holds. */
  readonly asks_unnamed: boolean;
  /** What the processor alone holds comes to so much, and one of it is in another currency than the payment. */
  readonly unnamed: string;
  readonly unnamed_elsewhere: boolean;
  readonly currency: string;
}

/** What Hyperswitch calls something that no program can take further, or whose amount is not the order's. */
export const PAYMENT: Decidable<'payment', Row> = {
  table: 'payments',
  async lock(query, id) {
    await lockOrderOf(query, 'payments', id);
    const [row] = await query<Row & { [column: string]: unknown }>(
      `SELECT id, order_id, status, certainty, amount, captured, captured_known, currency, attention_reason, attention_detail,
         (SELECT coalesce(sum(amount), 0) FROM refunds WHERE payment_id = p.id AND status = 'succeeded') AS given_back,
         (SELECT id FROM refunds WHERE payment_id = p.id AND status IN ('pending', 'review') AND certainty <> 'done' LIMIT 1) AS refund_under_way,
         ${saidGivenBack('p.id')} AS said_given_back, ${ASKS_ABOUT_UNNAMED} AS asks_unnamed,
         EXISTS (SELECT 1 FROM payment_captures WHERE payment_id = p.id AND status = 'open') AS capture_open,
         EXISTS (SELECT 1 FROM cause_parts WHERE order_id = p.order_id) AS names_lines,
         u.unnamed, u.unnamed_elsewhere
       FROM payments p, LATERAL (SELECT coalesce(sum(u.amount), 0) AS unnamed, coalesce(bool_or(u.currency <> p.currency), false) AS unnamed_elsewhere
         FROM (${unnamed('p.id')}) AS u) AS u WHERE id = $1 FOR UPDATE OF p`,
      [id],
    );
    return row;
  },
  waits: needsAttention,
  /** What is kept of a buyer's money, or could still come. */
  atStake: (row) => ({
    amount: row.captured_known ? kept(row) + toCome(row) : larger(BigInt(row.amount), kept(row)),
    currency: row.currency.toLowerCase(),
  }),
  actions: {
    /** Read again now; what still needs a person comes back. Of one that has ended only the reading answers the question. */
    retry: {
      async apply({ query }, row) {
        await query(
          `UPDATE payments SET next_check_at = clock_now(), ${isOpen(row.status) ? NO_ATTENTION : ASKED_BEFORE} WHERE id = $1`,
          [row.id],
        );
        return row.status;
      },
    },
    cancel: {
      missing: (row) =>
        row.capture_open
          ? 'a part of it is being captured: wait until it is known what became of that'
          : isOpen(row.status) && row.certainty === 'done'
            ? undefined
            : 'there is nothing at its provider that could be cancelled: retry reads it again, write_off gives it up',
      async apply({ query }, row) {
        await query(
          `UPDATE payments SET ${NO_ATTENTION}, cancel_asked_at = clock_now(), cancel_asked_by = 'decision',
             captures_closed_at = CASE WHEN captured > 0 THEN coalesce(captures_closed_at, clock_now()) ELSE captures_closed_at END,
             next_check_at = clock_now() WHERE id = $1`,
          [row.id],
        );
        return row.status;
      },
    },
    /** The order is of what was captured from now on, and is paid. */
    accept_capture: {
      missing(row, { verified }) {
        if (verified.kind !== 'found')
          return 'detail' in verified ? verified.detail : 'its provider does not hold it: nobody has captured anything';
        if (!row.captured_known || row.captured === '0')
          return 'its provider does not say how much was captured: find that out there, and resolve it with retry once it does';
        if (BigInt(row.captured) >= BigInt(row.amount))
          return 'no less than the whole was captured: retry reads it again';
        if (row.status === 'succeeded')
          return 'the order was paid before, and its sellers have their shares: give back by a refund what is not there';
        if (row.capture_open) return 'a part of it is being captured: wait until it is known what became of that';
        return row.names_lines ? NAMES_LINES : undefined;
      },
      apply: async ({ query, clock }, row) => await accept(query, clock, row),
    },
    /** All of it that no refund gave back: a cause like a refund, and nothing of it is sent to a seller or given to the buyer again. */
    given_back: {
      missing(row, { verified }) {
        if (verified.kind === 'refuted' || verified.kind === 'unanswered') return verified.detail;
        if (row.refund_under_way !== null)
          return `refund ${row.refund_under_way} of it may give it back as well: wait until its provider has answered that one`;
        if (BigInt(row.unnamed) > 0n) return unnamedMissing(row);
        if (BigInt(row.captured) < BigInt(row.amount))
          return `its provider calls ${row.captured} of ${row.amount} captured, so only a part can be gone: refund what is there`;
        return kept(row) > 0n ? undefined : 'refunds have given all of it back already: resolve it with write_off';
      },
      async apply({ query, clock, refundFee: fee }, row) {
        const { order_id: order, id: payment, currency } = row;
        const book = (amount: bigint, connectorRefundId?: string) =>
          bookGivenBack(query, clock, { order, payment, amount, currency, fee, connectorRefundId });
        // Each that the processor holds is a refund of the order from now on, known by its id there.
        const held = await unnamedOf(query, payment);
        for (const one of held) await book(BigInt(one.amount), one.provider_refund_id);
        if (held.length === 0) await book(kept(row));
        return row.asks_unnamed ? await unasked(query, row) : await putAside(query, row);
      },
    },
    not_given_back: {
      missing: ({ said_given_back }, { verified }) =>
        verified.kind === 'refuted' || verified.kind === 'unanswered'
          ? verified.detail
          : said_given_back === null
            ? 'nobody has said that it was given back'
            : undefined,
      async apply({ query }, row) {
        await takeBackGivenBack(query, row.order_id, row.id);
        return await putAside(query, row);
      },
    },
    /** Nothing is followed any more; what was captured can still be given back, and a late success still wins. */
    write_off: {
      missing(row, { verified }) {
        if (verified.kind === 'refuted' || verified.kind === 'unanswered') return verified.detail;
        return mayHaveMoved(row.certainty)
          ? 'nobody knows yet whether its provider has it: it is read until that is known'
          : undefined;
      },
      /** Whose money it is that is kept is nobody's to say alone. */
      confirmed: (row, { verified }) =>
        row.captured_known &&
        kept(row) === 0n &&
        row.said_given_back === null &&
        (verified.kind === 'absent' || verified.kind === 'found'),
      async apply({ query }, row) {
        if (row.asks_unnamed) return await leaveUnnamed(query, row);
        return isOpen(row.status) ? await giveUp(query, row) : await putAside(query, row);
      },
    },
  },
};

/** A request that the retry has overtaken asks for no approval any more: it is asked again what the retry was about. */
const ASKED_BEFORE = `(attention_reason, attention_detail) = (SELECT asked_reason, asked_detail FROM decisions
  WHERE item_kind = 'payment' AND item_id = payments.id AND action = 'retry' AND state = 'applied' ORDER BY requested_at DESC, id DESC LIMIT 1)`;

/** What is not captured is given up with it. */
const toCome = ({ amount, captured }: Row): bigint => {
  const rest = BigInt(amount) - BigInt(captured);
  return rest > 0n ? rest : 0n;
};

/** So much at least is the buyer's and not with him. */
const kept = ({ captured, given_back }: Row): bigint => BigInt(captured) - BigInt(given_back);

function unnamedMissing(row: Row): string | undefined {
  if (row.unnamed_elsewhere)
    return `Stripe holds one in another currency than the ${row.currency} of the payment, and amounts of different currencies are never compared: resolve it with write_off`;
  return BigInt(row.unnamed) > kept(row)
    ? `Stripe holds refunds of ${row.unnamed} that nobody has named, and no more than ${kept(row)} of the payment is left: find out there how many there are, then write_off`
    : undefined;
}

async function accept(query: Query, clock: Clock, row: Row): Promise<string> {
  await acceptPart(query, row, BigInt(row.captured));
  await mustMove(query, 'payments', {
    id: row.id,
    from: row.status,
    to: 'succeeded',
    set: `${NO_ATTENTION}, written_off_at = NULL, next_check_at = NULL, sealed_client_secret = NULL, sealed_key_id = NULL`,
  });
  await orderPaid(query, clock, row.order_id);
  return 'succeeded';
}

async function leaveUnnamed(query: Query, row: Row): Promise<string> {
  await decideUnnamed(query, row.id);
  return await unasked(query, row);
}

async function unasked(query: Query, { id, order_id, status }: Row): Promise<string> {
  await query(`UPDATE payments SET ${NO_ATTENTION}, next_check_at = NULL WHERE id = $1`, [id]);
  await wakeTransfers(query, order_id);
  return status;
}

async function giveUp(query: Query, row: Row): Promise<string> {
  await mustMove(query, 'payments', {
    id: row.id,
    from: row.status,
    to: 'cancelled',
    set: `${NO_ATTENTION}, written_off_at = clock_now(), next_check_at = NULL, sealed_client_secret = NULL, sealed_key_id = NULL`,
  });
  await moveOrder(query, row.order_id, 'payment_failed');
  return 'cancelled';
}

async function putAside(query: Query, row: Row): Promise<string> {
  await query(`UPDATE payments SET ${NO_ATTENTION}, written_off_at = clock_now(), next_check_at = NULL WHERE id = $1`, [
    row.id,
  ]);
  await wakeTransfers(query, row.order_id);
  return row.status;
}
