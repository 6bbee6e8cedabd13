import type { Processor } from '../connector/processor.js';
import type { Book } from '../state/book.js';
import type { DisputeBook } from '../state/dispute-book.js';
import { seen, type Work } from './calls.js';
import { disputeOfPayment } from './dispute-objects.js';
import { capturableOf, type IntentStatus, type Payment, paymentBody } from './objects.js';
import { invalidRequest, missingField, notCapturable, paymentNotFound } from './problems.js';
import { readCaptureRequest } from './requests.js';

interface CaptureDependencies {
  readonly book: Book;
  readonly disputeBook: DisputeBook;
  readonly processor: Processor;
}

/** Each as often as it is asked for: nothing tells a repeated request from a second part. */
export function capturePayment({ book, disputeBook, processor }: CaptureDependencies): Work {
  return async ({ req, body, owner }) => {
    const read = readCaptureRequest(body);
    if ('problem' in read) return read;
    const payment = seen(book.payment(String(req.params.id)), owner);
    if (!payment) return { problem: paymentNotFound };
    if (!isCapturable(payment)) return { problem: notCapturable(payment.status) };
    const asked = read.request.amount_to_capture ?? undefined;
    if (asked === undefined && payment.captureMethod === 'manual_multiple')
      return { problem: missingField('amount_to_capture') };
    const left = capturableOf(payment);
    const part = asked ?? left;
    if (part > left) return { problem: invalidRequest('amount_to_capture is greater than amount') };
    const received = payment.received + part;
    const now = (await processor.movePayment(payment.id, { to: statusAfter(payment, received), received })) ?? payment;
    return { body: paymentBody(now, book.refunds(now.id), disputeBook.heard(now.id).map(disputeOfPayment)) };
  };
}

const isCapturable = ({ status, captureMethod }: Payment): boolean =>
  captureMethod === 'manual_multiple'
    ? status === 'requires_capture' || status === 'partially_captured_and_capturable'
    : captureMethod === 'manual' && status === 'requires_capture';

/** Captured once, what is left is let go; in several parts, it is held on. */
const statusAfter = ({ amount, captureMethod }: Payment, received: number): IntentStatus =>
  received >= amount
    ? 'succeeded'
    : captureMethod === 'manual_multiple'
      ? 'partially_captured_and_capturable'
      : 'partially_captured';
