import { systemClock } from '../../src/domain/clock.js';
import { troubleControl } from '../stand-in/control.js';
import { createFaultSwitches } from '../stand-in/fault-rules.js';
import { type Journal, openJournal } from '../stand-in/journal.js';
import type { Listener, StandIn, StandInOptions } from '../stand-in/listener.js';
import { startStandIn } from '../stand-in/start.js';
import { createDisputes, type Disputes } from './connector/disputes.js';
import { createProcessor, type Processor } from './connector/processor.js';
import { createStripeLink } from './connector/stripe-link.js';
import { type CallLog, createCallLog } from './control/call-log.js';
import type { HyperswitchControl, LedgerView } from './control/control.js';
import { controlRoutes } from './control/control-routes.js';
import { SANDBOX_HYPERSWITCH_API_KEY } from './defaults.js';
import { type Faults, faultRuleSchema } from './faults.js';
import { disputeBody, disputeOfPayment, type HeardDispute } from './http/dispute-objects.js';
import { ownId, paymentBody, refundBody } from './http/objects.js';
import { providerRoutes } from './http/provider-routes.js';
import { type Auto, type AutoSettings, createAuto } from './state/auto.js';
import { type Book, type Change, createBook } from './state/book.js';
import { createDeferredWork, type DeferredWork } from './state/deferred.js';
import { createDisputeBook, type DisputeBook } from './state/dispute-book.js';
import { createKeys, type Keys } from './state/keys.js';
import { createWriter, type Writer } from './state/writer.js';
import {
  createWebhooks,
  PAYMENT_EVENTS,
  REFUND_EVENTS,
  type WebhookSettings,
  type Webhooks,
} from './webhooks/webhooks.js';

export interface HyperswitchSandboxOptions extends StandInOptions {
  /** What callers must send as `api-key`; default {@link SANDBOX_HYPERSWITCH_API_KEY}. */
  readonly apiKey?: string;
  readonly webhooks?: WebhookSettings;
  readonly auto?: AutoSettings;
  /** Stripe's stand-in, as the connector behind this one: captures, refunds and disputes are made there too. */
  readonly stripe?: { readonly url: string };
}

export interface HyperswitchSandbox extends HyperswitchControl, StandIn {
  readonly apiKey: string;
}

/**
 * Starts a stateful Hyperswitch on the loopback interface.
 * @throws Error when the port is taken or the journal cannot be read
 */
export async function startHyperswitchSandbox(options: HyperswitchSandboxOptions = {}): Promise<HyperswitchSandbox> {
  const { port, apiKey = SANDBOX_HYPERSWITCH_API_KEY } = options;
  const parts = await assemble({ ...options, apiKey });
  return await startStandIn({ port, journal: parts.journal }, (listener) => {
    const control = { ...controlOf(parts, listener), apiKey };
    const { closing } = listener;
    return {
      control,
      switches: controlRoutes(control),
      provider: [providerRoutes({ ...parts, closing })],
      errorBody: (status, { message }) => ({
        error:
          status < 500
            ? { type: 'invalid_request', code: 'IR_06', message: 'the body was not read' }
            : { type: 'api', code: 'HE_00', message },
      }),
      stop() {
        parts.auto.stop();
        parts.deferred.clear();
      },
      ended: () => parts.webhooks.stop(),
    };
  });
}

interface Parts {
  readonly book: Book;
  readonly disputeBook: DisputeBook;
  readonly processor: Processor;
  readonly disputes: Disputes;
  readonly auto: Auto;
  readonly calls: CallLog;
  readonly faults: Faults;
  readonly deferred: DeferredWork;
  readonly keys: Keys;
  readonly webhooks: Webhooks;
  readonly writer: Writer;
  readonly journal: Journal;
}

async function assemble(options: HyperswitchSandboxOptions & { readonly apiKey: string }): Promise<Parts> {
  const { stateDir, seed, clock = systemClock } = options;
  const { journal, entries } = await openJournal(stateDir, 'hyperswitch.jsonl');
  const webhooks = createWebhooks(clock, journal);
  const writer = createWriter(journal);
  const disputeBook = createDisputeBook(writer, (dispute) => tellOfDispute(dispute, webhooks));
  const book: Book = createBook(clock, writer, (change) => tell(change, { book, disputeBook, webhooks }));
  const stripe = options.stripe === undefined ? undefined : createStripeLink(options.stripe.url);
  const processor = createProcessor(book, stripe);
  const parts: Parts = {
    journal,
    writer,
    webhooks,
    book,
    disputeBook,
    processor,
    disputes: createDisputes({ clock, book, disputes: disputeBook, stripe }),
    auto: createAuto(book, processor),
    calls: createCallLog(clock, journal),
    faults: createFaultSwitches(faultRuleSchema, seed),
    deferred: createDeferredWork(),
    keys: createKeys(options.apiKey),
  };
  for (const entry of entries) {
    if (entry.t === 'reset') forget(parts);
    else if (!book.replay(entry) && !disputeBook.replay(entry) && !webhooks.replay(entry)) parts.calls.replay(entry);
  }
  webhooks.set(options.webhooks ?? {});
  parts.auto.set(options.auto ?? {});
  return parts;
}

function tell(change: Change, { book, disputeBook, webhooks }: Pick<Parts, 'book' | 'disputeBook' | 'webhooks'>): void {
  if (change.kind === 'payment') {
    const { payment } = change;
    const type = PAYMENT_EVENTS[payment.status];
    const object = paymentBody(payment, book.refunds(payment.id), disputeBook.heard(payment.id).map(disputeOfPayment));
    if (type) webhooks.emit(type, { type: 'payment_details', object }, payment.owner);
  } else {
    const { refund } = change;
    const type = REFUND_EVENTS[refund.status];
    if (type) webhooks.emit(type, { type: 'refund_details', object: refundBody(refund) }, refund.owner);
  }
}

/** The event is called as the status is. */
const tellOfDispute = (dispute: HeardDispute, webhooks: Webhooks): void =>
  webhooks.emit(dispute.status, { type: 'dispute_details', object: disputeBody(dispute) }, dispute.owner);

function forget({ book, disputeBook, calls, webhooks }: Parts): void {
  book.clear();
  disputeBook.clear();
  calls.clear();
  webhooks.clear();
}

function controlOf(parts: Parts, listener: Listener): HyperswitchControl {
  const { book, disputeBook, processor, disputes, auto, calls, faults, keys, journal, webhooks } = parts;
  return {
    ...troubleControl(faults, listener),
    ledger: () => ledgerView(book, disputeBook),
    calls: () => ({ calls: calls.calls(), created: calls.created(), totals: calls.totals() }),
    setAuto({ maxRefunds, ...settings }) {
      auto.set(settings);
      if (maxRefunds !== undefined) book.setMaxRefunds(maxRefunds);
    },
    movePayment: (id, move) => processor.movePayment(id, move),
    moveRefund: (id, move) => processor.moveRefund(id, move),
    openDispute: (order) => disputes.open(order),
    changeDispute: (id, change) => disputes.change(id, change),
    async refundInDashboard({ payment_id: paymentId, amount, reason = null, status = 'succeeded' }) {
      const id = ownId('ref');
      const order = { id, paymentId, amount, reason, metadata: null, origin: 'dashboard', type: 'instant' } as const;
      const created = book.createRefund(order);
      if ('problem' in created) return created;
      return { refund: await processor.refundCreated(created.object, status) };
    },
    webhooks: () => webhooks.events(),
    setWebhooks: (settings) => webhooks.set(settings),
    releaseWebhooks: (newestFirst) => webhooks.release(newestFirst),
    redeliver: (eventId) => webhooks.redeliver(eventId),
    landLate: () => parts.deferred.land(),
    setKeyOwner({ apiKey, ...owner }) {
      keys.give(apiKey, owner);
    },
    async reset() {
      faults.clear();
      parts.deferred.clear();
      keys.clear();
      auto.set({});
      forget(parts);
      await journal.append({ t: 'reset' });
    },
  };
}

function ledgerView(book: Book, disputes: DisputeBook): LedgerView {
  const totals: Record<string, { received: number; refunded: number }> = {};
  const of = (currency: string) => {
    totals[currency] ??= { received: 0, refunded: 0 };
    return totals[currency];
  };
  const [payments, refunds] = [book.payments(), book.refunds()];
  for (const { currency, received } of payments) of(currency).received += received;
  for (const { currency, amount, status } of refunds) if (status === 'succeeded') of(currency).refunded += amount;
  return { payments, refunds, disputes: disputes.disputes(), totals };
}
