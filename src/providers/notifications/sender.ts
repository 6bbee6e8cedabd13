import type { Clock } from '../../domain/clock.js';
import type { DeliveryOutcome } from '../../domain/notifications/delivery.js';
import type { Destination } from '../../domain/notifications/destinations.js';
import type { MailServer } from '../../domain/notifications/mail-server.js';
import { type Message, mailOf, testMessage, webhookBody } from '../../domain/notifications/message.js';
import { sendMail } from './mail-sender.js';
import { sendWebhook } from './webhook-sender.js';

export interface SenderSettings {
  /** Undefined: no mail is sent, and no destination of this kind is set. */
  readonly mail: { readonly server: MailServer; readonly from: string } | undefined;
  readonly publicUrl: string | undefined;
  readonly clock: Clock;
  /** For a whole attempt; default ten seconds. */
  readonly timeoutMs?: number | undefined;
}

/** Sends a message to its destination, once; whatever happens is a value. */
export interface Sender {
  send(destination: Destination, message: Message): Promise<DeliveryOutcome>;
  /** A message that tells of no item. */
  sendTest(destination: Destination, id: string): Promise<DeliveryOutcome>;
}

const TIMEOUT_MS = 10_000;

export function createSender({ mail, publicUrl, clock, timeoutMs = TIMEOUT_MS }: SenderSettings): Sender {
  async function deliver(
    destination: Destination,
    id: string,
    written: { readonly body: () => string; readonly mail: () => ReturnType<typeof mailOf> },
  ): Promise<DeliveryOutcome> {
    if (destination.channel === 'webhook')
      return await sendWebhook(destination, { id, body: written.body() }, { nowMs: clock.nowMs(), timeoutMs });
    if (!mail) return { kind: 'failed', detail: 'no mail server is set here' };
    const letter = { id, from: mail.from, to: destination.to, mail: written.mail() };
    return await sendMail(mail.server, letter, timeoutMs);
  }

  return {
    send: (destination, message) =>
      deliver(destination, message.id, {
        body: () => webhookBody(message, publicUrl),
        mail: () => mailOf(message, publicUrl),
      }),
    sendTest(destination, id) {
      const test = testMessage(id, new Date(clock.nowMs()).toISOString());
      return deliver(destination, id, { body: () => test.body, mail: () => test.mail });
    },
  };
}
