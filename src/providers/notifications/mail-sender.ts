import { createTransport } from 'nodemailer';
import type { DeliveryOutcome } from '../../domain/notifications/delivery.js';
import type { MailServer } from '../../domain/notifications/mail-server.js';
import type { Mail } from '../../domain/notifications/message.js';

export interface Letter {
  /** The same for every attempt: the Message-ID is made of it. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly mail: Mail;
}

/** Hands one mail to the server, over a connection of its own; whatever happens is a value. */
export async function sendMail(server: MailServer, letter: Letter, timeoutMs: number): Promise<DeliveryOutcome> {
  const { id, from, to, mail } = letter;
  const transport = createTransport({
    host: server.host,
    port: server.port,
    secure: server.tls === 'always',
    requireTLS: server.tls === 'starttls',
    ignoreTLS: server.tls === 'off',
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    // A server that says a little now and then would keep its connection for ever.
    socketCloseTimeout: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(server.login ? { auth: { user: server.login.user, pass: server.login.password } } : {}),
  });
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const message = {
      signal,
      messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
      from,
      to,
      ...mail,
      // No answer of a machine comes back for it.
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Makegood-Message': id },
    };
    await transport.sendMail(message);
    return { kind: 'delivered', detail: 'the mail server took it' };
  } catch (error) {
    return { kind: 'failed', detail: signal.aborted ? 'the mail server gave no answer in time' : inWords(error) };
  } finally {
    transport.close();
  }
}

/** Its number and no word of it: servers repeat what they were sent. */
function inWords(error: unknown): string {
  const { responseCode, code } = error as { readonly responseCode?: unknown; readonly code?: unknown };
  if (typeof responseCode === 'number') return `the mail server answered ${responseCode}`;
  if (code === 'ETLS') return 'the mail server offers no TLS, or not with a certificate that is known here';
  return typeof code === 'string'
    ? `the mail server was not reached (${code})`
    : 'the mail server gave no answer in time';
}
