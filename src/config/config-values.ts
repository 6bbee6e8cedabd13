import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import { parseBytes } from '../domain/bytes.js';
import type { ApprovalThreshold } from '../domain/decisions/approval-threshold.js';
import { durationInWords, parseDuration } from '../domain/durations.js';
import { parseCurrency } from '../domain/marketplace/currencies.js';
import { type ApiToken, ROLES } from '../domain/roles.js';

/**
 * Parsers of one environment variable each: text in, value out, or what is wrong with the text.
 * A message quotes the text only where it cannot be a secret.
 */

export const quoted = (raw: string): string => JSON.stringify(raw.length > 40 ? `${raw.slice(0, 40)}…` : raw);

/** @param read returns the value, or throws {@link Wrong} with what is wrong with the text. */
export function text<T>(read: (raw: string) => T) {
  return z
    .string({ error: 'is missing' })
    .min(1, { error: 'is empty', abort: true })
    .transform((raw, context): T => {
      try {
        return read(raw);
      } catch (error) {
        if (!(error instanceof Wrong)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
        return z.NEVER;
      }
    });
}

export class Wrong extends Error {}

export const anyText = () => text((raw) => raw);

export const matching = (pattern: RegExp, what: string) =>
  text((raw) => {
    if (!pattern.test(raw)) throw new Wrong(`is not ${what}`);
    return raw;
  });

export const secretOf = (minLength: number) =>
  text((raw) => {
    if (raw.length < minLength) throw new Wrong(`has ${raw.length} characters; at least ${minLength} are needed`);
    return raw;
  });

export const integer = (min: number, max: number) =>
  text((raw) => {
    const value = /^[0-9]{1,15}$/.test(raw) ? Number(raw) : Number.NaN;
    if (!(value >= min && value <= max)) throw new Wrong(`${quoted(raw)} is not a whole number from ${min} to ${max}`);
    return value;
  });

/** A part of something, in hundredths: `50%`. */
export const percent = (min: number) =>
  text((raw) => {
    const value = /^[0-9]{1,3}%$/.test(raw) ? Number(raw.slice(0, -1)) : Number.NaN;
    if (!(value >= min && value <= 100)) throw new Wrong(`${quoted(raw)} is not a whole part from ${min}% to 100%`);
    return value;
  });

/** An amount in atomic or minor units. */
export const amount = (min: bigint) =>
  text((raw) => {
    const value = /^[0-9]{1,39}$/.test(raw) ? BigInt(raw) : -1n;
    if (value < min) throw new Wrong(`${quoted(raw)} is not a whole amount of at least ${min} (digits only)`);
    return value;
  });

/** `10000`, or by currency or asset `usd:10000,jpy:15000`; an asset's own name may hold colons. */
export const approvalThreshold = () =>
  text((raw): ApprovalThreshold => {
    if (/^[0-9]{1,39}$/.test(raw)) return BigInt(raw);
    const limits = new Map<string, bigint>();
    for (const part of raw.split(',')) {
      const [, name, digits] = /^([A-Za-z0-9][A-Za-z0-9:/._-]{0,127}):([0-9]{1,39})$/.exec(part.trim()) ?? [];
      if (name === undefined || digits === undefined)
        throw new Wrong(`${quoted(part.trim())} is neither an amount (digits only) nor currency:amount`);
      const currency = name.toLowerCase();
      if (limits.has(currency)) throw new Wrong(`holds ${currency} twice`);
      limits.set(currency, BigInt(digits));
    }
    return limits;
  });

/** By currency, in its minor units: `usd:1500,eur:2000`. @returns by ISO code in upper case */
export const amountsByCurrency = () =>
  text((raw): ReadonlyMap<string, bigint> => {
    const amounts = new Map<string, bigint>();
    for (const part of raw.split(',')) {
      const [, code = '', digits = ''] = /^([A-Za-z]{3}):([0-9]{1,18})$/.exec(part.trim()) ?? [];
      const currency = parseCurrency(code);
      if (currency === undefined) throw new Wrong(`${quoted(part.trim())} is not currency:amount (digits only)`);
      if (amounts.has(currency)) throw new Wrong(`holds ${currency.toLowerCase()} twice`);
      amounts.set(currency, BigInt(digits));
    }
    return amounts;
  });

export const flag = () =>
  text((raw) => {
    if (raw !== 'true' && raw !== 'false' && raw !== '1' && raw !== '0')
      throw new Wrong(`${quoted(raw)} is not true or false`);
    return raw === 'true' || raw === '1';
  });

export const oneOf = <const T extends string>(choices: readonly T[]) =>
  text((raw) => {
    const choice = choices.find((candidate) => candidate === raw);
    if (choice === undefined) throw new Wrong(`${quoted(raw)} is not one of ${choices.join(', ')}`);
    return choice;
  });

export const SECOND = 1_000;
export const HOUR = 3_600 * SECOND;
export const DAY = 24 * HOUR;
/** `500ms`, `1s`, `1m`, `1h`, `30d` → milliseconds. */
export const duration = (minMs = 1, maxMs = 365 * DAY) =>
  text((raw) => {
    const ms = parseDuration(raw);
    if (ms === undefined) throw new Wrong(`${quoted(raw)} is not a duration: a whole number and one of ms, s, m, h, d`);
    if (ms < minMs) throw new Wrong(`${quoted(raw)} is shorter than ${durationInWords(minMs)}`);
    if (ms > maxMs) throw new Wrong(`${quoted(raw)} is longer than ${durationInWords(maxMs)}`);
    return ms;
  });

/** `64KiB`, `1MiB` → bytes. */
export const bytes = (min: number, max: number) =>
  text((raw) => {
    const size = parseBytes(raw);
    if (size === undefined) throw new Wrong(`${quoted(raw)} is not a size: a whole number and one of B, KiB, MiB, GiB`);
    if (size < min || size > max) throw new Wrong(`${quoted(raw)} is not between ${min} and ${max} bytes`);
    return size;
  });

/** A URL without its trailing slash, so that a path can be appended. Never quoted: it may carry a password. */
export const url = (protocols: readonly string[]) =>
  text((raw) => {
    const parsed = URL.canParse(raw) ? new URL(raw) : undefined;
    if (!parsed || !protocols.includes(parsed.protocol)) {
      throw new Wrong(`is not a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`);
    }
    return raw.replace(/\/+$/, '');
  });

/** Base of a provider's API: plain http(s) without query or fragment, because paths are appended to it. */
export const apiBase = () =>
  url(['https:', 'http:']).transform((value, context) => {
    const { search, hash, username, password } = new URL(value);
    if (search === '' && hash === '' && username === '' && password === '') return value;
    context.addIssue({
      code: 'custom',
      message: 'holds a user name, password, query or fragment; give the bare base URL',
    });
    return z.NEVER;
  });

export const hostAndPort = () =>
  text((raw) => {
    const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$/.exec(raw);
    const port = Number(match?.[2]);
    if (!(port >= 1 && port <= 65_535)) throw new Wrong(`${quoted(raw)} is not host:port`);
    return raw;
  });

/** @returns what stands in the file */
export const file = () =>
  text((path): Buffer => {
    try {
      return readFileSync(path);
    } catch (error) {
      throw new Wrong(
        `names a file that cannot be read (${error instanceof Error ? error.message.split(',')[0] : 'unknown reason'})`,
      );
    }
  });

/** Comma-separated secrets, all of them accepted while they are rotated. An empty one would accept a forged signature. */
export const secretList = () =>
  text((raw) => {
    const secrets = raw.split(',').map((secret) => secret.trim());
    if (secrets.includes('')) throw new Wrong('holds an empty secret: anybody could sign with it');
    if (new Set(secrets).size !== secrets.length) throw new Wrong('holds the same secret twice');
    return secrets;
  });

/** `network=url`, comma-separated: the nodes of some EVM chains, each network once. */
export const rpcUrls = () =>
  text((raw) => {
    const urls = new Map<string, string>();
    for (const part of raw.split(',')) {
      const [, network, address] = /^\s*(eip155:[1-9][0-9]{0,15})=(\S+)\s*$/.exec(part) ?? [];
      if (network === undefined || address === undefined) throw new Wrong('is not a list of networks with their nodes');
      if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
        throw new Wrong(`holds no http or https address for ${network}`);
      if (urls.has(network)) throw new Wrong(`holds ${network} twice`);
      urls.set(network, address);
    }
    return urls;
  });

/** Origins as browsers send them: scheme, host and port only. */
export const origins = () =>
  text((raw) =>
    raw.split(',').map((part) => {
      const origin = part.trim();
      const valid =
        URL.canParse(origin) && /^https?:$/.test(new URL(origin).protocol) && new URL(origin).origin === origin;
      if (!valid)
        throw new Wrong(`${quoted(origin)} is not an origin (scheme and host, without a path or a trailing slash)`);
      return origin;
    }),
  );

const NAMED_SUBNETS = ['loopback', 'linklocal', 'uniquelocal'];
const MOST_HOPS = 32;

/** What Express takes as `trust proxy`: so many hops before us, or these addresses and subnets. */
export type TrustedProxies = number | readonly string[];

export const trustedProxies = () =>
  text((raw): TrustedProxies => {
    if (/^true$/i.test(raw.trim()))
      throw new Wrong(
        'is true: whoever sends X-Forwarded-For would name his own address; name the proxies, or say how many',
      );
    if (/^[0-9]+$/.test(raw)) {
      const hops = Number(raw);
      if (hops < 1 || hops > MOST_HOPS)
        throw new Wrong(`${quoted(raw)} is not from 1 to ${MOST_HOPS} hops; leave it out for none`);
      return hops;
    }
    return raw.split(',').map((part) => trustedProxy(part.trim()));
  });

function trustedProxy(entry: string): string {
  const [, address = '', bits] = /^([^/]*)(?:\/([0-9]{1,3}))?$/.exec(entry) ?? [];
  const family = isIP(address);
  const isSubnet = bits === undefined || (Number(bits) >= 1 && Number(bits) <= (family === 4 ? 32 : 128));
  if (NAMED_SUBNETS.includes(entry) || (family !== 0 && isSubnet)) return entry;
  throw new Wrong(
    `${quoted(entry)} is neither a number of hops nor an address, a subnet (of 1 bit or more) or one of ${NAMED_SUBNETS.join(', ')}`,
  );
}

export interface EncryptionKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** `id:base64[,id:base64…]`; the first encrypts. A bare base64 value has id 1. */
export const encryptionKeys = () =>
  text((raw) => {
    const keys = raw.split(',').map((part, index): EncryptionKey => {
      const entry = part.trim();
      const colon = entry.indexOf(':');
      const id = colon < 0 ? '1' : entry.slice(0, colon);
      const base64 = entry.slice(colon + 1);
      if (!/^[A-Za-z0-9_-]{1,32}$/.test(id)) throw new Wrong(`entry ${index + 1} has no usable id before its colon`);
      if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new Wrong(`entry ${index + 1} is not base64`);
      const key = Buffer.from(base64, 'base64');
      if (key.length !== 32) throw new Wrong(`entry ${index + 1} has ${key.length} bytes; 32 are needed`);
      return { id, key };
    });
    if (new Set(keys.map(({ id }) => id)).size !== keys.length) throw new Wrong('holds the same key id twice');
    if (new Set(keys.map(({ key }) => key.toString('hex'))).size !== keys.length)
      throw new Wrong('holds the same key twice');
    return keys;
  });

const TOKEN_MIN_LENGTH = 16;

/** `name:role:token,…` */
export const apiTokens = () =>
  text((raw) => {
    const tokens = raw.split(',').map((part, index) => apiToken(part.trim(), `entry ${index + 1}`));
    if (new Set(tokens.map(({ token }) => token)).size !== tokens.length) throw new Wrong('holds the same token twice');
    // Two spellings of one name would count as two persons where two persons are required.
    const names = new Set(tokens.map(({ name }) => name));
    if (new Set([...names].map((name) => name.toLowerCase())).size !== names.size) {
      throw new Wrong('holds two names that differ only by case: one person would count as two');
    }
    return tokens;
  });

function apiToken(entry: string, which: string): ApiToken {
  const [name = '', roleText, ...rest] = entry.split(':');
  const role = ROLES.find((candidate) => candidate === roleText);
  const token = rest.join(':');
  if (!/^[A-Za-z0-9._@-]{1,64}$/.test(name))
    throw new Wrong(`${which} is not name:role:token with a name of letters, digits or . _ @ -`);
  if (!role) throw new Wrong(`${which} has no role of ${ROLES.join(', ')} after its name`);
  if (!/^[\x21-\x7e]*$/.test(token)) throw new Wrong(`${which} has a token with characters that no header can carry`);
  if (token.length < TOKEN_MIN_LENGTH)
    throw new Wrong(`${which} has a token of ${token.length} characters; at least ${TOKEN_MIN_LENGTH} are needed`);
  return { name, role, token };
}
