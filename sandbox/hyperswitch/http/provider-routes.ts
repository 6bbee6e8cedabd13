import { randomUUID } from 'node:crypto';
import express, { type Request, type Response, Router } from 'express';
import { reset } from '../../stand-in/broken-replies.js';
import { answerUnderFault } from '../../stand-in/misbehaviour.js';
import type { Processor } from '../connector/processor.js';
import type { CallLog } from '../control/call-log.js';
import { AFTER, BEFORE, type Endpoint, type Faults } from '../faults.js';
import type { Auto } from '../state/auto.js';
import { type Book, orderOf } from '../state/book.js';
import type { DeferredWork } from '../state/deferred.js';
import type { DisputeBook } from '../state/dispute-book.js';
import type { Keys } from '../state/keys.js';
import type { Writer } from '../state/writer.js';
import { type Answer, badSync, seen, syncOf, type Work } from './calls.js';
import { capturePayment } from './capture-calls.js';
import { listDisputes, readDispute } from './dispute-calls.js';
import { disputeOfPayment } from './dispute-objects.js';
import { type Fields, type IntentStatus, type Payment, paymentBody, refundBody, SANDBOX_OWNER } from './objects.js';
import {
  notCancellable,
  paymentNotFound,
  refundNotFound,
  sendProblem,
  serverError,
  unauthorized,
  unknownUrl,
} from './problems.js';
import { readListRequest, readPaymentRequest, readPaymentsQuery, readRefundRequest } from './requests.js';

export interface ProviderDependencies {
  readonly book: Book;
  readonly disputeBook: DisputeBook;
  readonly processor: Processor;
  readonly writer: Writer;
  readonly auto: Auto;
  readonly calls: CallLog;
  readonly faults: Faults;
  readonly deferred: DeferredWork;
  readonly keys: Keys;
  /** Aborted when the stand-in goes away, so that a slow answer does not commit behind its back. */
  readonly closing: AbortSignal;
}

const SLOW_MS = 5_000;
const PAGE = 10;

/** Hyperswitch as a merchant's server calls it: payments and refunds by ids that the merchant may choose. */
export function providerRoutes(dependencies: ProviderDependencies): Router {
  const router = Router();
  router.use((req, res, next) => {
    res.set('x-request-id', randomUUID());
    // A missing or foreign key is turned away before anything else is looked at.
    if (dependencies.faults.isDown()) sendProblem(res, serverError(503));
    else if (dependencies.keys.ownerOf(req.get('api-key')) !== undefined) next();
    else sendProblem(res, unauthorized);
  });
  router.use(express.raw({ type: () => true, limit: '1mb' }));
  const serve = (endpoint: Endpoint, work: Work) => (req: Request, res: Response) =>
    answerWith(dependencies, { endpoint, work }, req, res);
  router.post('/payments', serve('payments.create', createPayment(dependencies)));
  router.get('/payments/list', serve('payments.list', listPayments(dependencies)));
  router.get('/payments/:id', serve('payments.read', readPayment(dependencies)));
  router.post('/payments/:id/capture', serve('payments.capture', capturePayment(dependencies)));
  router.post('/payments/:id/cancel', serve('payments.cancel', cancelPayment(dependencies)));
  router.post(
    '/payments/:id/cancel_post_capture',
    serve('payments.cancel_post_capture', cancelPostCapture(dependencies)),
  );
  router.post('/refunds', serve('refunds.create', createRefund(dependencies)));
  router.post('/refunds/list', serve('refunds.list', listRefunds(dependencies)));
  router.get('/refunds/:id', serve('refunds.read', readRefund(dependencies)));
  router.get('/disputes/list', serve('disputes.list', listDisputes(dependencies)));
  router.get('/disputes/:id', serve('disputes.read', readDispute(dependencies)));
  router.use((_req, res) => sendProblem(res, unknownUrl));
  return router;
}

async function answerWith(
  { writer, keys, calls, faults, deferred, closing }: ProviderDependencies,
  { endpoint, work }: { readonly endpoint: Endpoint; readonly work: Work },
  req: Request,
  res: Response,
): Promise<void> {
  const bytes = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
  const body = parse(bytes);
  const id = textOf(req.params.id) ?? idIn(endpoint, body);
  const given = req.get('api-key');
  // A late one is carried out for whomever its key is by then.
  const carryOut = () => work({ body, req, owner: keys.ownerOf(given) ?? SANDBOX_OWNER });
  const end = calls.begin({ endpoint, id, idempotencyKey: req.get('idempotency-key') ?? null, body: bytes });
  try {
    const fault = faults.strike(({ on }) => on.includes(endpoint));
    if (fault?.kind === 'lands_late') {
      deferred.keep(async () => void (await carryOut()), fault.rule.ms);
      return reset(res);
    }
    await answerUnderFault(res, fault, { before: BEFORE, after: AFTER, slowMs: SLOW_MS, closing }, async () => {
      const answer = await carryOut();
      // Also a no, or a read: both tell of what may have been written a moment ago.
      await writer.onDisk();
      return () => void ('problem' in answer ? sendProblem(res, answer.problem) : res.json(answer.body));
    });
  } finally {
    end();
  }
}

function createPayment({ book, auto }: ProviderDependencies): Work {
  return async ({ body, owner }) => {
    const read = readPaymentRequest(body);
    if ('problem' in read) return read;
    const created = book.createPayment(read.request, owner);
    if ('problem' in created) return created;
    return { body: paymentBody(await auto.paymentCreated(created.object), [], []) };
  };
}

const show = ({ book, disputeBook }: ProviderDependencies, payment: Payment): Answer => ({
  body: paymentBody(payment, book.refunds(payment.id), disputeBook.heard(payment.id).map(disputeOfPayment)),
});

/** Where it could still be called off (API document): nothing has been captured of it. */
const CANCELLABLE: ReadonlySet<IntentStatus> = new Set([
  'requires_payment_method',
  'requires_capture',
  'requires_confirmation',
  'requires_customer_action',
]);
/** Where what was captured could still be given back without a refund (API document). */
const CAPTURED: ReadonlySet<IntentStatus> = new Set([
  'succeeded',
  'partially_captured',
  'partially_captured_and_capturable',
]);

const cancelPayment = (dependencies: ProviderDependencies): Work =>
  callOff(dependencies, { from: CANCELLABLE, to: 'cancelled', action: 'cancel' });
const cancelPostCapture = (dependencies: ProviderDependencies): Work =>
  callOff(dependencies, { from: CAPTURED, to: 'cancelled_post_capture', action: 'cancel_post_capture' });

function callOff(
  dependencies: ProviderDependencies,
  {
    from,
    to,
    action,
  }: { readonly from: ReadonlySet<IntentStatus>; readonly to: IntentStatus; readonly action: string },
): Work {
  const { book, processor } = dependencies;
  return async ({ req, owner }) => {
    const payment = seen(book.payment(String(req.params.id)), owner);
    if (!payment) return { problem: paymentNotFound };
    if (!from.has(payment.status)) return { problem: notCancellable(payment.status, action) };
    return show(dependencies, (await processor.movePayment(payment.id, { to })) ?? payment);
  };
}

function createRefund({ book, auto }: ProviderDependencies): Work {
  return async ({ body, owner }) => {
    const read = readRefundRequest(body);
    if ('problem' in read) return read;
    if (!seen<Payment>(book.payment(read.request.payment_id), owner)) return { problem: paymentNotFound };
    const created = book.createRefund(orderOf(read.request));
    if ('problem' in created) return created;
    return { body: refundBody(await auto.refundCreated(created.object)) };
  };
}

function readPayment(dependencies: ProviderDependencies): Work {
  const { book } = dependencies;
  return async ({ req, owner }) => {
    const id = String(req.params.id);
    const sync = syncOf(req);
    if (sync === undefined) return { problem: badSync };
    if (sync) await book.sync('payment', id);
    const payment = seen(book.payment(id), owner);
    return payment ? show(dependencies, payment) : { problem: paymentNotFound };
  };
}

function readRefund({ book }: ProviderDependencies): Work {
  return async ({ req, owner }) => {
    const id = String(req.params.id);
    const sync = syncOf(req);
    if (sync === undefined) return { problem: badSync };
    if (sync) await book.sync('refund', id);
    const refund = seen(book.refund(id), owner);
    return refund ? { body: refundBody(refund) } : { problem: refundNotFound };
  };
}

function listRefunds({ book }: ProviderDependencies): Work {
  return ({ body, owner }) => {
    const read = readListRequest(body);
    if ('problem' in read) return read;
    const { payment_id: paymentId, refund_id: refundId, refund_status: statuses, limit, offset } = read.request;
    const sinceMs = read.request.start_time ?? 0;
    const matching = book
      .refunds(paymentId ?? undefined)
      .filter((refund) => seen(refund, owner) !== undefined)
      .filter(({ createdMs }) => createdMs >= (sinceMs ?? 0))
      .filter(({ id, status }) => (refundId == null || id === refundId) && (statuses?.includes(status) ?? true));
    const data = matching.slice(offset ?? 0, (offset ?? 0) + (limit ?? PAGE)).map(refundBody);
    return { body: { count: data.length, total_count: matching.length, data } };
  };
}

/** Newest first; a page begins after the payment that the last one ended with. */
function listPayments({ book }: ProviderDependencies): Work {
  return ({ req, owner }) => {
    const read = readPaymentsQuery(req.query);
    if ('problem' in read) return read;
    const { limit, starting_after: after, 'created.gte': sinceMs = 0 } = read.request;
    const all = book
      .payments()
      .filter((payment) => seen(payment, owner) !== undefined)
      .sort((one, other) => other.createdMs - one.createdMs || (one.id < other.id ? 1 : -1));
    const begin = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
    if (after !== undefined && begin === 0) return { problem: paymentNotFound };
    const data = all
      .slice(begin)
      .filter(({ createdMs }) => createdMs >= (sinceMs ?? 0))
      .slice(0, limit)
      .map((payment) => paymentBody(payment, [], []));
    return { body: { size: data.length, data } };
  };
}

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

function idIn(endpoint: Endpoint, body: unknown): string | null {
  const fields = Object(body) as Fields;
  return textOf(endpoint === 'refunds.create' ? fields.refund_id : fields.payment_id);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
