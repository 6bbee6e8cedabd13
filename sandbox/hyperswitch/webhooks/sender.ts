import { createHmac } from 'node:crypto';

/** A message is delivered again and again with the same bytes; only the signature of a forged one is wrong. */
export interface Message {
  readonly body: string;
  readonly isForged: () => boolean;
  /** HTTP status of each attempt, or why there was none. */
  readonly deliveries: (number | string)[];
}

export interface Destination {
  readonly url: string | null;
  readonly secret: string;
}

export interface Sender {
  /** Resolves after the first attempt; `waitsMs` are the pauses before further ones, while none is answered 2xx. */
  deliver(message: Message, waitsMs: readonly number[]): Promise<void>;
  later(ms: number, act: () => unknown): void;
  /** Forgets what was to be delivered later. */
  forget(): void;
  /** Nothing begins after this; resolves once what is under way has ended. */
  stop(): Promise<void>;
}

/** Hyperswitch waits no longer for its 2xx. */
const PATIENCE_MS = 5_000;

export function createSender(destination: () => Destination): Sender {
  const timers = new Set<NodeJS.Timeout>();
  const underWay = new Set<Promise<void>>();
  let isStopped = false;

  const forget = (): void => {
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
  };
  const later = (ms: number, act: () => unknown): void => {
    if (isStopped) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, ms);
    timers.add(timer);
  };
  const attempt = async (message: Message, waitsMs: readonly number[]): Promise<void> => {
    const outcome = await post(destination(), message);
    message.deliveries.push(outcome);
    const isTaken = typeof outcome === 'number' && outcome >= 200 && outcome < 300;
    const [waitMs, ...rest] = waitsMs;
    if (!isTaken && waitMs !== undefined) later(waitMs, () => deliver(message, rest));
  };
  const deliver = async (message: Message, waitsMs: readonly number[]): Promise<void> => {
    if (isStopped) return;
    const delivery = attempt(message, waitsMs);
    underWay.add(delivery);
    try {
      await delivery;
    } finally {
      underWay.delete(delivery);
    }
  };
  return {
    deliver,
    later,
    forget,
    async stop() {
      isStopped = true;
      forget();
      await Promise.all(underWay);
    },
  };
}

async function post({ url, secret }: Destination, { body, isForged }: Message): Promise<number | string> {
  if (url === null) return 'no url';
  const key = isForged() ? `${secret} of somebody else` : secret;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-webhook-signature-512': createHmac('sha512', key).update(body).digest('hex'),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    await response.arrayBuffer();
    return response.status;
  } catch (error) {
    return error instanceof Error ? error.name : 'failed';
  }
}
