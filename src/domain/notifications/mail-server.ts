import { isLoopback } from './destinations.js';

/** Where mail is handed in, as SMTP_URL says. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** `always`: TLS from the first byte. `starttls`: nothing is said before it. `off`: this machine, or `?tls=off`. */
  readonly tls: 'always' | 'starttls' | 'off';
  readonly login: { readonly user: string; readonly password: string } | undefined;
}

/** `smtp://user:password@host:587`, `smtps://…`; undefined: not of that form. */
export function parseMailServer(text: string): MailServer | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === '' || !/^\/?$/.test(url.pathname) || url.hash !== '')
    return undefined;
  if (url.search !== '' && url.search !== '?tls=off') return undefined;
  const secure = url.protocol === 'smtps:';
  if (secure && url.search !== '') return undefined;
  const [user, password] = [wordOf(url.username), wordOf(url.password)];
  if (user === undefined || password === undefined) return undefined;
  const plain = url.search !== '' || isLoopback(url.hostname);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    tls: secure ? 'always' : plain ? 'off' : 'starttls',
    login: user === '' ? undefined : { user, password },
  };
}

/** Undefined: a percent sign of it stands for nothing. */
function wordOf(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
