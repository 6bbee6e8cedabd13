import { randomUUID } from 'node:crypto';
import express, { type Request, type Response, Router } from 'express';
import { reset } from '../../stand-in/broken-replies.js';
import { answerUnderFault } from '../../stand-in/misbehaviour.js';
import type { CallLog } from '../control/call-log.js';
import { AFTER, BEFORE, type Endpoint, type Faults } from '../faults.js';
import type { Auto } from '../state/auto.js';
import { type Book, orderOf } from '../state/book.js';
import type { DeferredWork } from '../state/deferred.js';
import { type Fields, type IntentStatus, type Owner, type Payment, paymentBody, refundBody } from './objects.js';
import {
  invalidRequest,
  notCancellable,
  type Problem,
  paymentNotFound,
  refundNotFound,
  sendProblem,
  serverError,
  unauthorized,
  unknownUrl,
} from './problems.js';
import { readListRequest, readPaymentRequest, readRefundRequest } from './requests.js';

export interface ProviderDependencies {
  readonly book: Book;
  readonly auto: Auto;
  readonly calls: CallLog;
  readonly faults: Faults;
  readonly deferred: DeferredWork;
  readonly keyOwner: () => Owner;
  readonly apiKey: string;
  /** Aborted when the stand-in goes away, so that a slow answer does not commit behind its back. */
  readonly closing: AbortSignal;
}

type Answer = { readonly body: Fields } | { readonly problem: Problem };
type Work = (call: { readonly body: unknown; readonly req: Request }) => Promise<Answer> | Answer;

const SLOW_MS = 5_000;
const PAGE = 10;

/** Hyperswitch as a merchant's server calls it: payments and refunds by ids that the merchant may choose. */
export function providerRoutes(dependencies: ProviderDependencies): Router {
  const router = Router();
  router.use((req, res, next) => {
    res.set('x-request-id', randomUUID());
    // A missing or foreign key is turned away before anything else is looked at.
    if (dependencies.faults.isDown()) sendProblem(res, serverError(503));
    else if (req.get('api-key') === dependencies.apiKey) next();
    else sendProblem(res, unauthorized);
  });
  router.use(express.raw({ type: () => true, limit: '1mb' }));
  const serve = (endpoint: Endpoint, work: Work) => (req: Request, res: Response) =>
    answerWith(dependencies, { endpoint, work }, req, res);
  router.post('/payments', serve('payments.create', createPayment(dependencies)));
  router.get('/payments/:id', serve('payments.read', readPayment(dependencies)));
  router.post('/payments/:id/cancel', serve('payments.cancel', cancelPayment(dependencies)));
  router.post('/refunds', serve('refunds.create', createRefund(dependencies)));
  router.post('/refunds/list', serve('refunds.list', listRefunds(dependencies)));
  router.get('/refunds/:id', serve('refunds.read', readRefund(dependencies)));
  router.use((_req, res) => sendProblem(res, unknownUrl));
  return router;
}

async function answerWith(
  { book, calls, faults, deferred, closing }: ProviderDependencies,
  { endpoint, work }: { readonly endpoint: Endpoint; readonly work: Work },
  req: Request,
  res: Response,
): Promise<void> {
  const bytes = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
  const body = parse(bytes);
  const id = textOf(req.params.id) ?? idIn(endpoint, body);
  const end = calls.begin({ endpoint, id, idempotencyKey: req.get('idempotency-key') ?? null, body: bytes });
  try {
    const fault = faults.strike(({ on }) => on.includes(endpoint));
    if (fault?.kind === 'lands_late') {
      deferred.keep(async () => void (await work({ body, req })), fault.rule.ms);
      return reset(res);
    }
    await answerUnderFault(res, fault, { before: BEFORE, after: AFTER, slowMs: SLOW_MS, closing }, async () => {
      const answer = await work({ body, req });
      // Also a no, or a read: both tell of what may have been written a moment ago.
      await book.onDisk();
      return () => void ('problem' in answer ? sendProblem(res, answer.problem) : res.json(answer.body));
    });
  } finally {
    end();
  }
}

function createPayment({ book, auto, keyOwner }: ProviderDependencies): Work {
  return async ({ body }) => {
    const read = readPaymentRequest(body);
    if ('problem' in read) return read;
    const created = book.createPayment(read.request, keyOwner());
    if ('problem' in created) return created;
    return { body: paymentBody(await auto.paymentCreated(created.object), []) };
  };
}

/** Where it could still be called off (API document): nothing has been captured of it. */
const CANCELLABLE: ReadonlySet<IntentStatus> = new Set([
  'requires_payment_method',
  'requires_capture',
  'requires_confirmation',
  'requires_customer_action',
]);

function cancelPayment({ book, keyOwner }: ProviderDependencies): Work {
  return async ({ req }) => {
    const payment = seen(book.payment(String(req.params.id)), keyOwner());
    if (!payment) return { problem: paymentNotFound };
    if (!CANCELLABLE.has(payment.status)) return { problem: notCancellable(payment.status) };
    const cancelled = (await book.movePayment(payment.id, { to: 'cancelled' })) ?? payment;
    return { body: paymentBody(cancelled, book.refunds(payment.id)) };
  };
}

/** What another merchant made is not there. */
const seen = <T extends { readonly owner: Owner }>(object: T | undefined, key: Owner): T | undefined =>
  object?.owner.merchantId === key.merchantId ? object : undefined;

function createRefund({ book, auto, keyOwner }: ProviderDependencies): Work {
  return async ({ body }) => {
    const read = readRefundRequest(body);
    if ('problem' in read) return read;
    if (!seen<Payment>(book.payment(read.request.payment_id), keyOwner())) return { problem: paymentNotFound };
    const created = book.createRefund(orderOf(read.request));
    if ('problem' in created) return created;
    return { body: refundBody(await auto.refundCreated(created.object)) };
  };
}

function readPayment({ book, keyOwner }: ProviderDependencies): Work {
  return async ({ req }) => {
    const id = String(req.params.id);
    const sync = syncOf(req);
    if (sync === undefined) return { problem: badSync };
    if (sync) await book.sync('payment', id);
    const payment = seen(book.payment(id), keyOwner());
    return payment ? { body: paymentBody(payment, book.refunds(id)) } : { problem: paymentNotFound };
  };
}

function readRefund({ book, keyOwner }: ProviderDependencies): Work {
  return async ({ req }) => {
    const id = String(req.params.id);
    const sync = syncOf(req);
    if (sync === undefined) return { problem: badSync };
    if (sync) await book.sync('refund', id);
    const refund = seen(book.refund(id), keyOwner());
    return refund ? { body: refundBody(refund) } : { problem: refundNotFound };
  };
}

function listRefunds({ book, keyOwner }: ProviderDependencies): Work {
  return ({ body }) => {
    const read = readListRequest(body);
    if ('problem' in read) return read;
    const { payment_id: paymentId, refund_id: refundId, refund_status: statuses, limit, offset } = read.request;
    const matching = book
      .refunds(paymentId ?? undefined)
      .filter((refund) => seen(refund, keyOwner()) !== undefined)
      .filter(({ id, status }) => (refundId == null || id === refundId) && (statuses?.includes(status) ?? true));
    const data = matching.slice(offset ?? 0, (offset ?? 0) + (limit ?? PAGE)).map(refundBody);
    return { body: { count: data.length, total_count: matching.length, data } };
  };
}

const badSync = invalidRequest('Query deserialize error: force_sync is a boolean');

function syncOf(req: Request): boolean | undefined {
  const given = req.query['force_sync'];
  if (given === undefined || given === 'false') return false;
  return given === 'true' ? true : undefined;
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
