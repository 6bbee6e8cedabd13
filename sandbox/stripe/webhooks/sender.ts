import { setMaxListeners } from 'node:events';
import type { MovableClock } from '../state/movable-clock.js';
import { stripeSignature } from './webhook-signature.js';

export interface Message {
  readonly url: string;
  readonly secrets: readonly string[];
  readonly body: string;
  /** By how much the signature claims to be older than it is. */
  readonly ageSeconds: number;
}

export interface Delivery {
  readonly at: number;
  /** Null: no answer. */
  readonly status: number | null;
  readonly ok: boolean;
}

/** Posts messages, a few at once and in the order given; what arrives first is up to the network, as with Stripe. */
export interface Sender {
  post(message: Message, done: (delivery: Delivery) => void): void;
  idle(): Promise<void>;
  close(): void;
}

interface Posted {
  readonly message: Message;
  readonly done: (delivery: Delivery) => void;
}

const AT_ONCE = 8;
const PATIENCE_MS = 10_000;

export function createSender(clock: MovableClock): Sender {
  const queue: Posted[] = [];
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  let underWay = 0;
  let waiting: (() => void)[] = [];

  const sendOne = async ({ message, done }: Posted): Promise<void> => {
    underWay += 1;
    const delivery = await deliver(message, clock, closing.signal);
    underWay -= 1;
    if (closing.signal.aborted) return;
    done(delivery);
    next();
  };
  const next = (): void => {
    for (const posted of queue.splice(0, AT_ONCE - underWay)) void sendOne(posted);
    if (underWay > 0 || queue.length > 0) return;
    const told = waiting;
    waiting = [];
    for (const tell of told) tell();
  };
  return {
    post(message, done) {
      queue.push({ message, done });
      next();
    },
    idle: () =>
      underWay === 0 && queue.length === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve)),
    close: () => closing.abort(),
  };
}

async function deliver(
  { url, secrets, body, ageSeconds }: Message,
  clock: MovableClock,
  closing: AbortSignal,
): Promise<Delivery> {
  const at = clock.nowMs();
  // By the clock of whoever is told, who knows nothing of the days that were let pass here.
  const sentAt = at - clock.offsetMs();
  const signature = stripeSignature(body, secrets, Math.floor(sentAt / 1000) - ageSeconds);
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json; charset=utf-8', 'Stripe-Signature': signature },
      body,
      // Stripe takes a redirect for a failure.
      redirect: 'manual',
      signal: AbortSignal.any([closing, AbortSignal.timeout(PATIENCE_MS)]),
    });
    await answer.arrayBuffer();
    return { at, status: answer.status, ok: answer.ok };
  } catch {
    return { at, status: null, ok: false };
  }
}
