import type { z } from 'zod';
import {
  type Destination,
  isLoopback,
  mailDestination,
  webhookDestination,
} from '../domain/notifications/destinations.js';
import { type MailServer, parseMailServer } from '../domain/notifications/mail-server.js';
import { parseQuietHours, type QuietHours } from '../domain/notifications/quiet-hours.js';
import type { TellingRules } from '../domain/notifications/when-told.js';
import { approvalThreshold, DAY, duration, matching, quoted, SECOND, text, Wrong } from './config-values.js';
import { optional, standard } from './describe.js';

/** `https://… whsec_…[ whsec_…]`, comma-separated. Never quoted: an address of a receiver may itself be a secret. */
const webhookReceivers = () =>
  text((raw): readonly { readonly url: string; readonly secrets: readonly string[] }[] => {
    const receivers = raw.split(',').map((part, index) => webhookReceiver(part.trim(), `entry ${index + 1}`));
    if (new Set(receivers.map(({ url }) => url)).size !== receivers.length)
      throw new Wrong('holds the same address twice');
    return receivers;
  });

const SECRET_BYTES = { least: 24, most: 64 };

function webhookReceiver(entry: string, which: string): { readonly url: string; readonly secrets: readonly string[] } {
  const [address = '', ...secrets] = entry.split(/\s+/);
  const parsed = URL.canParse(address) ? new URL(address) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) throw new Wrong(`${which} does not begin with a URL`);
  if (parsed.protocol === 'http:' && !isLoopback(parsed.hostname))
    throw new Wrong(`${which} is not https:// although it is not this machine`);
  if (parsed.username !== '' || parsed.password !== '' || parsed.hash !== '')
    throw new Wrong(`${which} holds a user name, password or fragment`);
  if (secrets.length === 0) throw new Wrong(`${which} has no secret after its URL`);
  for (const secret of secrets) {
    const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
    const { length } = Buffer.from(base64 ?? '', 'base64');
    if (length < SECRET_BYTES.least || length > SECRET_BYTES.most)
      throw new Wrong(
        `${which} has a secret that is not whsec_ and ${SECRET_BYTES.least} to ${SECRET_BYTES.most} bytes as base64`,
      );
  }
  if (new Set(secrets).size !== secrets.length) throw new Wrong(`${which} holds the same secret twice`);
  return { url: parsed.href, secrets };
}

const MAIL_ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*$/;

const mailAddress = () => matching(MAIL_ADDRESS, 'a mail address, alone and without a name');

/** Comma-separated. */
const mailAddresses = () =>
  text((raw) => {
    const addresses = raw.split(',').map((part) => part.trim());
    const wrong = addresses.find((address) => !MAIL_ADDRESS.test(address));
    if (wrong !== undefined) throw new Wrong(`${quoted(wrong)} is not a mail address, alone and without a name`);
    if (new Set(addresses).size !== addresses.length) throw new Wrong('holds the same address twice');
    return addresses;
  });

/** Never quoted: it may carry a password. */
const mailServer = () =>
  text((raw): MailServer => {
    const server = parseMailServer(raw);
    if (!server) throw new Wrong('is not smtp://[user:password@]host[:port] or smtps://…, without a path');
    return server;
  });

const quietHours = () =>
  text((raw): QuietHours => {
    const hours = parseQuietHours(raw);
    if (!hours) throw new Wrong(`${quoted(raw)} is not hh:mm-hh:mm and a time zone`);
    return hours;
  });

/** Whom money that needs a person is told to, and when. */
export const NOTIFICATION_VARIABLES = {
  NOTIFY_WEBHOOKS: optional(webhookReceivers(), {
    secret: true,
    description:
      'Receivers that are told of money that needs a person: a URL and its signing secret (two while it is changed), comma-separated.',
    example: 'https://ops.example.com/makegood whsec_$(openssl rand -base64 24)',
  }),
  NOTIFY_EMAIL_TO: optional(mailAddresses(), {
    description: 'Mail addresses that are told of money that needs a person, comma-separated.',
    example: 'ops@example.com',
  }),
  NOTIFY_ESCALATE_WEBHOOKS: optional(webhookReceivers(), {
    secret: true,
    description: 'Receivers that are told of what nobody has ended NOTIFY_ESCALATE_AFTER later; as NOTIFY_WEBHOOKS.',
    example: 'https://pager.example.com/makegood whsec_$(openssl rand -base64 24)',
  }),
  NOTIFY_ESCALATE_EMAIL_TO: optional(mailAddresses(), {
    description: 'Mail addresses that are told of what nobody has ended NOTIFY_ESCALATE_AFTER later, comma-separated.',
    example: 'head-of-ops@example.com',
  }),
  NOTIFY_ESCALATE_AFTER: standard(
    duration(SECOND, 30 * DAY),
    '1h',
    'What is still open so long after it was told is told to those of NOTIFY_ESCALATE_….',
  ),
  NOTIFY_GROUP_WINDOW: standard(
    duration(SECOND, DAY),
    '5m',
    'What comes up within so long after the first of a reason is told in one message with it.',
  ),
  NOTIFY_QUIET_HOURS: optional(quietHours(), {
    description: 'Hours and time zone in which only what is urgent is told; the rest waits for their end.',
    example: '22:00-07:00 Europe/Berlin',
  }),
  NOTIFY_URGENT_AMOUNT: standard(
    approvalThreshold(),
    '100000',
    'From so much together on, what needs a person is told in quiet hours too, whatever its reason: as APPROVAL_THRESHOLD; what is not listed is always told.',
  ),
  SMTP_URL: optional(mailServer(), {
    secret: true,
    description:
      'Server that takes mail, smtp:// (with STARTTLS, unless it is this machine or ?tls=off is said) or smtps://.',
    example: 'smtp://makegood:password@mail.example.com:587',
  }),
  NOTIFY_EMAIL_FROM: optional(mailAddress(), {
    description: 'Mail address that messages come from.',
    example: 'makegood@example.com',
  }),
};

type Values = z.output<z.ZodObject<typeof NOTIFICATION_VARIABLES>>;

export interface NotificationSettings {
  readonly destinations: readonly Destination[];
  readonly mail: { readonly server: MailServer; readonly from: string } | undefined;
  readonly rules: TellingRules;
}

/** Undefined: nobody is told of what needs a person. */
export function notificationsOf(values: Values): NotificationSettings | undefined {
  const { SMTP_URL: server, NOTIFY_EMAIL_FROM: from } = values;
  const destinations = [
    ...(values.NOTIFY_WEBHOOKS ?? []).map(({ url, secrets }) => webhookDestination('first', url, secrets)),
    ...(values.NOTIFY_EMAIL_TO ?? []).map((to) => mailDestination('first', to)),
    ...(values.NOTIFY_ESCALATE_WEBHOOKS ?? []).map(({ url, secrets }) =>
      webhookDestination('escalation', url, secrets),
    ),
    ...(values.NOTIFY_ESCALATE_EMAIL_TO ?? []).map((to) => mailDestination('escalation', to)),
  ];
  if (destinations.length === 0) return undefined;
  return {
    destinations,
    mail: server && from ? { server, from } : undefined,
    rules: {
      groupWindowMs: values.NOTIFY_GROUP_WINDOW,
      escalateAfterMs: values.NOTIFY_ESCALATE_AFTER,
      quietHours: values.NOTIFY_QUIET_HOURS,
      urgentAmount: values.NOTIFY_URGENT_AMOUNT,
    },
  };
}
