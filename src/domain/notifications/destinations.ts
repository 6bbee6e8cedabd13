import { createHash } from 'node:crypto';

/** `first` is told as soon as something needs a person, `escalation` when nobody has ended it for a while. */
export type Stage = 'first' | 'escalation';

/** Whom money that needs a person is told to. */
export type Destination = WebhookDestination | MailDestination;

interface Common {
  /** Names it in the ledger, in logs and metrics: it tells neither its secrets nor its whole address. */
  readonly id: string;
  readonly stage: Stage;
}

export interface WebhookDestination extends Common {
  readonly channel: 'webhook';
  readonly url: string;
  /** `whsec_…`; each message is signed with all of them, so that a receiver can change from one to the next. */
  readonly secrets: readonly string[];
}

export interface MailDestination extends Common {
  readonly channel: 'mail';
  readonly to: string;
}

export const webhookDestination = (stage: Stage, url: string, secrets: readonly string[]): WebhookDestination => ({
  id: `webhook:${new URL(url).host}:${digestOf(`${stage} ${url}`)}`,
  stage,
  channel: 'webhook',
  url,
  secrets,
});

export const mailDestination = (stage: Stage, to: string): MailDestination => ({
  id: `mail:${to.slice(to.lastIndexOf('@') + 1)}:${digestOf(`${stage} ${to}`)}`,
  stage,
  channel: 'mail',
  to,
});

const digestOf = (address: string): string => createHash('sha256').update(address).digest('hex').slice(0, 8);

/** This machine itself: only what is sent there may go unencrypted. */
export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(host);
