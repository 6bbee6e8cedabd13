import { createFaultRules } from '../../stand-in/fault-rules.js';
import type { Agenda, MovableClock } from '../state/movable-clock.js';
import type { EventObject, ThinEvent } from './events.js';
import { createSender, type Delivery } from './sender.js';
import { type WebhookFaultKind, type WebhookFaultRule, webhookFaultSchema } from './webhook-faults.js';

export interface WebhookTarget {
  readonly url: string;
  /** More than one while they are rolled: every delivery is signed with each. */
  readonly secrets: readonly string[];
}

/**
 * `delivered`: answered 2xx. `lost`, `held`, `late`, `forged`, `stale`: what a fault made of it. `failed`: answered
 * otherwise or not at all; tried again. `unsent`: nobody listens.
 */
export const EVENT_STATES = [
  'waiting',
  'delivered',
  'failed',
  'unsent',
  'lost',
  'late',
  'held',
  'forged',
  'stale',
] as const;
export type EventState = (typeof EVENT_STATES)[number];

export interface SentEvent {
  readonly event: EventObject | ThinEvent;
  readonly state: EventState;
  /** Every time it went out, with what was answered; null: nothing was. */
  readonly deliveries: readonly Delivery[];
}

export interface EventFilter {
  readonly ids?: readonly string[] | undefined;
  readonly types?: readonly string[] | undefined;
  readonly states?: readonly EventState[] | undefined;
}

export interface Webhooks {
  target(): WebhookTarget | null;
  setTarget(target: WebhookTarget | null): void;
  /** @throws ZodError when a rule does not read */
  setFaults(rules: readonly WebhookFaultRule[], seed?: number): void;
  faults(): readonly WebhookFaultRule[];
  emit(events: readonly (EventObject | ThinEvent)[]): void;
  /** Sends what fits once more, signed properly and without faults. @returns how many */
  redeliver(filter: EventFilter): number;
  events(): readonly SentEvent[];
  /** Resolves when nothing is under way; what is late, held or to be tried again is not. */
  idle(): Promise<void>;
  clear(): void;
  close(): void;
}

interface Entry {
  readonly event: EventObject | ThinEvent;
  state: EventState;
  readonly deliveries: Delivery[];
}

const KEPT = 10_000;
const HOUR_MS = 3_600_000;
/** A sandbox of Stripe tries three times over a few hours (docs.stripe.com/webhooks#automatic-retries). */
const RETRIES_AFTER_MS: readonly number[] = [HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS];
const LATE_MS = 60_000;
/** Twice what verification tolerates. */
const STALE_SECONDS = 600;

export function createWebhooks(clock: MovableClock, agenda: Agenda, seed?: number): Webhooks {
  const book = createFaultRules(webhookFaultSchema, seed);
  const sender = createSender(clock);
  let target: WebhookTarget | null = null;
  let entries: Entry[] = [];
  let held: Entry[] = [];

  const send = (entry: Entry, attempt = 0): void => {
    if (target === null) {
      entry.state = 'unsent';
      return;
    }
    sender.post({ ...target, body: JSON.stringify(entry.event), ageSeconds: 0 }, (delivery) => {
      entry.deliveries.push(delivery);
      if (delivery.ok) entry.state = 'delivered';
      else if (entry.state !== 'delivered') entry.state = 'failed';
      const again = RETRIES_AFTER_MS[attempt];
      if (!delivery.ok && again !== undefined) {
        agenda.at(clock.nowMs() + again, () => send(entry, attempt + 1));
      }
      const waiting = held;
      held = [];
      for (const each of waiting) send(each);
    });
  };
  /** Goes out once, wrong; nobody tries again, because the sender has no reason to. */
  const sendWrongly = (
    entry: Entry,
    state: EventState,
    wrong: { secrets?: readonly string[]; ageSeconds?: number },
  ) => {
    entry.state = target === null ? 'unsent' : state;
    if (target === null) return;
    const message = { ...target, body: JSON.stringify(entry.event), ageSeconds: 0, ...wrong };
    sender.post(message, (delivery) => void entry.deliveries.push(delivery));
  };
  const HANDLE: Readonly<Record<WebhookFaultKind, (entry: Entry, ms: number | undefined) => void>> = {
    lost(entry) {
      entry.state = 'lost';
    },
    late(entry, ms = LATE_MS) {
      entry.state = 'late';
      agenda.at(clock.nowMs() + ms, () => send(entry));
    },
    duplicated(entry) {
      send(entry);
      send(entry);
    },
    out_of_order(entry) {
      entry.state = 'held';
      held.push(entry);
    },
    forged: (entry) => sendWrongly(entry, 'forged', { secrets: ['whsec_of_somebody_else'] }),
    stale: (entry) => sendWrongly(entry, 'stale', { ageSeconds: STALE_SECONDS }),
  };

  return {
    target: () => target,
    setTarget(next) {
      target = next;
    },
    setFaults: (rules, newSeed) => book.set(rules, newSeed),
    faults: () => book.rules(),
    emit(events) {
      for (const event of events) {
        const entry: Entry = { event, state: 'waiting', deliveries: [] };
        entries.push(entry);
        if (entries.length > 2 * KEPT) entries = entries.slice(-KEPT);
        const fault = book.strike(({ types }) => types === undefined || types.includes(event.type));
        if (fault === undefined) send(entry);
        else HANDLE[fault.kind](entry, fault.rule.ms);
      }
    },
    redeliver({ ids, types, states }) {
      const fitting = entries.filter(
        ({ event, state }) =>
          (ids?.includes(event.id) ?? true) &&
          (types?.includes(event.type) ?? true) &&
          (states?.includes(state) ?? true),
      );
      held = held.filter((entry) => !fitting.includes(entry));
      for (const entry of fitting) send(entry);
      return fitting.length;
    },
    events: () =>
      entries
        .slice(-KEPT)
        .map(({ event, state, deliveries }) => ({ event, state, deliveries: Array.from(deliveries) })),
    idle: () => sender.idle(),
    clear() {
      entries = [];
      held = [];
      book.clear();
    },
    close: () => sender.close(),
  };
}
