import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../../src/domain/clock.js';
import type { Journal } from '../../stand-in/journal.js';
import { SANDBOX_HYPERSWITCH_WEBHOOK_SECRET } from '../defaults.js';
import type { Fields, IntentStatus, Owner, RefundStatus } from '../http/objects.js';
import { createSender, type Message } from './sender.js';

/** What may go wrong between Hyperswitch and its merchant. */
const MISHAPS = ['lost', 'late', 'duplicated', 'forged', 'held'] as const;
type Mishap = (typeof MISHAPS)[number];

const ruleSchema = z.strictObject({
  /** The first rule that an event matches decides. */
  what: z.enum(MISHAPS),
  /** Event types; absent: all. */
  on: z.array(z.string()).min(1).optional(),
  /** So many events, then it ends; absent: until it is taken away. */
  times: z.int().min(1).optional(),
  /** `late`: how long. */
  ms: z.int().min(0).max(3_600_000).default(1_000),
});
export type WebhookRule = z.input<typeof ruleSchema>;

export const webhooksSchema = z.strictObject({
  /** null: nowhere. */
  url: z.url().nullable().optional(),
  /** The profile's payment response hash key. */
  secret: z.string().min(1).optional(),
  rules: z.array(ruleSchema).optional(),
  /** Waits between deliveries that get no 2xx. */
  retryMs: z.array(z.int().min(0).max(86_400_000)).max(20).optional(),
});
export type WebhookSettings = z.input<typeof webhooksSchema>;

/** One event with every attempt to deliver it. */
export interface SentEvent {
  readonly eventId: string;
  readonly type: string;
  /** The bytes that are signed; every delivery sends them again. */
  readonly body: string;
  readonly mishap: Mishap | null;
  /** HTTP status, or why there was none. */
  readonly deliveries: readonly (number | string)[];
}

export interface Webhooks {
  set(settings: WebhookSettings): void;
  emit(type: string, content: { readonly type: string; readonly object: Fields }, owner: Owner): void;
  events(): readonly SentEvent[];
  /** Lets the held events go, newest first if so asked: out of order. */
  release(newestFirst: boolean): Promise<void>;
  /** Delivers an event that was delivered before: same id, same bytes. False: no such event. */
  redeliver(eventId: string): Promise<boolean>;
  replay(entry: Fields): boolean;
  clear(): void;
  /** No delivery begins after this; resolves once those under way have ended. */
  stop(): Promise<void>;
}

type Rule = z.output<typeof ruleSchema>;
interface Entry extends Message {
  readonly eventId: string;
  readonly type: string;
  mishap: Mishap | null;
}

/** Shorter than Hyperswitch's own 24 hours: a stand-in rarely lives that long. */
const RETRIES_MS = [60_000, 300_000, 300_000];

export function createWebhooks(clock: Clock, journal: Journal): Webhooks {
  let destination: { url: string | null; secret: string } = { url: null, secret: SANDBOX_HYPERSWITCH_WEBHOOK_SECRET };
  let retryMs: readonly number[] = RETRIES_MS;
  const rules = createRules();
  const events = new Map<string, Entry>();
  const sender = createSender(() => destination);
  let held: Entry[] = [];

  const remember = ({ eventId, type, body }: Pick<SentEvent, 'eventId' | 'type' | 'body'>): Entry => {
    const entry: Entry = {
      eventId,
      type,
      body,
      mishap: null,
      deliveries: [],
      isForged: () => entry.mishap === 'forged',
    };
    events.set(eventId, entry);
    return entry;
  };
  const send = (entry: Entry, rule: Rule | undefined): void => {
    entry.mishap = rule?.what ?? null;
    if (rule?.what === 'lost') return;
    if (rule?.what === 'held') held.push(entry);
    else if (rule?.what === 'late') sender.later(rule.ms, () => sender.deliver(entry, retryMs));
    else {
      void sender.deliver(entry, retryMs);
      if (rule?.what === 'duplicated') void sender.deliver(entry, []);
    }
  };

  return {
    set(settings) {
      const parsed = webhooksSchema.parse(settings);
      const { url = destination.url, secret = destination.secret } = parsed;
      destination = { url, secret };
      retryMs = parsed.retryMs ?? retryMs;
      if (parsed.rules !== undefined) rules.set(parsed.rules);
    },
    emit(type, content, { merchantId }) {
      const eventId = `evt_${randomUUID().replaceAll('-', '')}`;
      const timestamp = new Date(clock.nowMs()).toISOString();
      const body = JSON.stringify({
        merchant_id: merchantId,
        event_id: eventId,
        event_type: type,
        content,
        timestamp,
      });
      journal.append({ t: 'event', eventId, type, body }).catch(() => undefined);
      send(remember({ eventId, type, body }), rules.strike(type));
    },
    events: () =>
      Array.from(events.values(), ({ eventId, type, body, mishap, deliveries }) => ({
        eventId,
        type,
        body,
        mishap,
        deliveries,
      })),
    async release(newestFirst) {
      const going = newestFirst ? held.reverse() : held;
      held = [];
      for (const entry of going) await sender.deliver(entry, retryMs);
    },
    async redeliver(eventId) {
      const entry = events.get(eventId);
      if (entry === undefined) return false;
      // Whatever befell it the first time, this one is signed and sent as it should be.
      entry.mishap = null;
      await sender.deliver(entry, []);
      return true;
    },
    replay(entry) {
      if (entry.t !== 'event') return false;
      remember(entry as unknown as SentEvent);
      return true;
    },
    clear() {
      sender.forget();
      held = [];
      events.clear();
      rules.set([]);
    },
    stop: () => sender.stop(),
  };
}

function createRules() {
  let rules: { readonly rule: Rule; left: number }[] = [];
  return {
    set(given: readonly Rule[]): void {
      rules = given.map((rule) => ({ rule, left: rule.times ?? Number.POSITIVE_INFINITY }));
    },
    strike(type: string): Rule | undefined {
      const struck = rules.find(({ rule, left }) => left > 0 && (rule.on?.includes(type) ?? true));
      if (struck !== undefined) struck.left -= 1;
      return struck?.rule;
    },
  };
}

/** What Hyperswitch tells its merchant when a payment turns to this; null: nothing, so only reading shows it. */
export const PAYMENT_EVENTS: Readonly<Record<IntentStatus, string | null>> = {
  succeeded: 'payment_succeeded',
  failed: 'payment_failed',
  cancelled: 'payment_cancelled',
  processing: 'payment_processing',
  requires_customer_action: 'action_required',
  requires_merchant_action: 'action_required',
  requires_capture: 'payment_authorized',
  partially_captured: 'payment_captured',
  cancelled_post_capture: 'payment_cancelled_post_capture',
  requires_payment_method: null,
  requires_confirmation: null,
  partially_captured_and_capturable: null,
  partially_authorized_and_requires_capture: null,
  conflicted: null,
  expired: null,
};

export const REFUND_EVENTS: Readonly<Record<RefundStatus, string | null>> = {
  succeeded: 'refund_succeeded',
  failed: 'refund_failed',
  pending: null,
  review: null,
};
