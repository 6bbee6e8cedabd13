import { systemClock } from '../../src/domain/clock.js';
import { troubleControl } from '../stand-in/control.js';
import { createFaultSwitches } from '../stand-in/fault-rules.js';
import { type Journal, openJournal } from '../stand-in/journal.js';
import type { Listener, StandIn, StandInOptions } from '../stand-in/listener.js';
import { startStandIn } from '../stand-in/start.js';
import { type CallLog, createCallLog } from './control/call-log.js';
import type { HyperswitchControl, LedgerView } from './control/control.js';
import { controlRoutes } from './control/control-routes.js';
import { SANDBOX_HYPERSWITCH_API_KEY } from './defaults.js';
import { type Faults, faultRuleSchema } from './faults.js';
import {
  type Owner,
  ownId,
  type Payment,
  paymentBody,
  type Refund,
  refundBody,
  SANDBOX_OWNER,
} from './http/objects.js';
import { providerRoutes } from './http/provider-routes.js';
import { type Auto, type AutoSettings, createAuto } from './state/auto.js';
import { type Book, type Change, createBook } from './state/book.js';
import { createDeferredWork, type DeferredWork } from './state/deferred.js';
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
}

export interface HyperswitchSandbox extends HyperswitchControl, StandIn {
  readonly apiKey: string;
}

/**
 * Starts a stateful Hyperswitch on the loopback interface.
 * @throws Error when the port is taken or the journal cannot be read
 */
export async function startHyperswitchSandbox(options: HyperswitchSandboxOptions = {}): Promise<HyperswitchSandbox> {
  const parts = await assemble(options);
  const { port, apiKey = SANDBOX_HYPERSWITCH_API_KEY } = options;
  return await startStandIn({ port, journal: parts.journal }, (listener) => {
    const control = { ...controlOf(parts, listener), apiKey };
    const { closing } = listener;
    return {
      control,
      switches: controlRoutes(control),
      provider: [providerRoutes({ ...parts, apiKey, closing, keyOwner: () => parts.key.owner })],
      errorBody: () => ({ error: { type: 'invalid_request', code: 'IR_06', message: 'the body was not read' } }),
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
  readonly auto: Auto;
  readonly calls: CallLog;
  readonly faults: Faults;
  readonly deferred: DeferredWork;
  readonly key: { owner: Owner };
  readonly webhooks: Webhooks;
  readonly journal: Journal;
}

async function assemble(options: HyperswitchSandboxOptions): Promise<Parts> {
  const { stateDir, seed, clock = systemClock } = options;
  const { journal, entries } = await openJournal(stateDir, 'hyperswitch.jsonl');
  const webhooks = createWebhooks(clock, journal);
  const book: Book = createBook(clock, journal, (change) => tell(change, book, webhooks));
  const parts: Parts = {
    journal,
    webhooks,
    book,
    auto: createAuto(book),
    calls: createCallLog(clock, journal),
    faults: createFaultSwitches(faultRuleSchema, seed),
    deferred: createDeferredWork(),
    key: { owner: SANDBOX_OWNER },
  };
  for (const entry of entries) {
    if (entry.t === 'reset') forget(parts);
    else if (!book.replay(entry) && !webhooks.replay(entry)) parts.calls.replay(entry);
  }
  webhooks.set(options.webhooks ?? {});
  parts.auto.set(options.auto ?? {});
  return parts;
}

function tell(change: Change, book: Book, webhooks: Webhooks): void {
  if (change.kind === 'payment') {
    const { payment } = change;
    const type = PAYMENT_EVENTS[payment.status];
    const object = paymentBody(payment, book.refunds(payment.id));
    if (type) webhooks.emit(type, { type: 'payment_details', object });
  } else {
    const type = REFUND_EVENTS[change.refund.status];
    if (type) webhooks.emit(type, { type: 'refund_details', object: refundBody(change.refund) });
  }
}

function forget({ book, calls, webhooks }: Parts): void {
  book.clear();
  calls.clear();
  webhooks.clear();
}

function controlOf(parts: Parts, listener: Listener): HyperswitchControl {
  const { book, auto, calls, faults, journal, webhooks } = parts;
  return {
    ...troubleControl(faults, listener),
    ledger: () => ledgerView(book.payments(), book.refunds()),
    calls: () => ({ calls: calls.calls(), created: calls.created(), totals: calls.totals() }),
    setAuto({ maxRefunds, ...settings }) {
      auto.set(settings);
      if (maxRefunds !== undefined) book.setMaxRefunds(maxRefunds);
    },
    movePayment: (id, move) => book.movePayment(id, move),
    moveRefund: (id, move) => book.moveRefund(id, move),
    async refundInDashboard({ payment_id: paymentId, amount, reason = null, status = 'succeeded' }) {
      const id = ownId('ref');
      const order = { id, paymentId, amount, reason, metadata: null, origin: 'dashboard', type: 'instant' } as const;
      const created = book.createRefund(order);
      if ('problem' in created) return created;
      return { refund: (await book.moveRefund(id, { to: status })) ?? created.object };
    },
    webhooks: () => webhooks.events(),
    setWebhooks: (settings) => webhooks.set(settings),
    releaseWebhooks: (newestFirst) => webhooks.release(newestFirst),
    redeliver: (eventId) => webhooks.redeliver(eventId),
    landLate: () => parts.deferred.land(),
    setKeyOwner(owner) {
      parts.key.owner = { ...SANDBOX_OWNER, ...owner };
    },
    async reset() {
      faults.clear();
      parts.deferred.clear();
      parts.key.owner = SANDBOX_OWNER;
      auto.set({});
      forget(parts);
      await journal.append({ t: 'reset' });
    },
  };
}

function ledgerView(payments: readonly Payment[], refunds: readonly Refund[]): LedgerView {
  const totals: Record<string, { received: number; refunded: number }> = {};
  const of = (currency: string) => {
    totals[currency] ??= { received: 0, refunded: 0 };
    return totals[currency];
  };
  for (const { currency, received } of payments) of(currency).received += received;
  for (const { currency, amount, status } of refunds) if (status === 'succeeded') of(currency).refunded += amount;
  return { payments, refunds, totals };
}
