import type { Request } from 'express';
import { parseBytes } from '../../domain/bytes.js';
import type { AtomicAmount } from '../../domain/money.js';
import { parseAtomic } from '../../domain/money.js';
import { PROTOCOLS, type Protocol } from '../../domain/settlements/settlement-status.js';
import type { Discoverable } from './bazaar.js';

/** `tempo`: MPP sessions on payment channels that this server keeps itself; the others are settled by the auth server. */
export type RouteProtocol = Protocol | 'tempo';

const ROUTE_PROTOCOLS: readonly RouteProtocol[] = [...PROTOCOLS, 'tempo'];

/** One protocol of a route, where it is paid on another network or to another address than the route's own. */
export interface ProtocolTerms {
  readonly protocol: RouteProtocol;
  readonly network?: string;
  readonly asset?: string;
  readonly payTo?: string;
}

/** What a paid route sells and on which terms. Exactly one of `price` and `cap`. */
export interface PaidSessionOptions {
  /** Atomic units of one response: sold whole, also by schemes that cannot be metered. */
  readonly price?: bigint | string;
  /** Atomic units that one response may cost at most: metered, so all-or-nothing schemes are not offered. */
  readonly cap?: bigint | string;
  /** The token's address (or mint) on `network`. */
  readonly asset: string;
  readonly decimals: number;
  readonly payTo: string;
  /** CAIP-2 (`eip155:8453`), or a name of x402 v1 (`base`, `base-sepolia`). */
  readonly network: string;
  /**
   * Each at most once. `tempo` is paid in TEMPO_CURRENCY to the account of TEMPO_PAYEE_KEY, whatever the route's own
   * terms are; mount the route for all methods, because channels are topped up and closed by POST to the same URL.
   */
  readonly protocols: readonly (RouteProtocol | ProtocolTerms)[];
  /** Who the client is to the application, once it is authenticated: its channel is then found again without a hint. */
  readonly identify?: (req: Request) => string | undefined;
  /** Atomic units that a payer is asked to put down when opening a channel; default a hundred times the amount. */
  readonly suggestedDeposit?: bigint | string;
  /** The asset's symbol, as ATXP names it; default USDC. */
  readonly currency?: string;
  /** The asset's EIP-712 domain, which x402 clients sign over; default that of USDC. */
  readonly domain?: { readonly name: string; readonly version: string };
  /** When the auth server is asked to settle; default after the response, by the durable workflow. */
  readonly settle?: 'after' | 'before-release';
  /** The most bytes of one response that wait until it is settled, `1MiB` or a number; default SETTLE_FIRST_BUFFER. */
  readonly settleFirstBuffer?: string | number;
  readonly exposure?: ExposureOptions;
  /** The longest one response may take, `5m` or milliseconds; default 5m. Then it is closed and cut off. */
  readonly longest?: string | number;
  /** States that responses are streamed, which only a `cap` can be sold as. */
  readonly streamed?: boolean;
  /** Names the route in exposure sums and in the ledger; default its path. */
  readonly name?: string;
  readonly description?: string;
  readonly mimeType?: string;
  /**
   * Lists the route where resources of x402 are found: its 402 carries the extension `bazaar`, which facilitators read, and
   * `discovery` names it in `/.well-known/x402`. `true`: it is a GET without input.
   */
  readonly discoverable?: boolean | Discoverable;
}

/** Charging after serving is credit: limits on open caps plus unsettled charges, in atomic units. */
export interface ExposureOptions {
  readonly perPayer?: bigint | string;
  readonly total?: bigint | string;
  /** Above a limit: refuse with 429 (default), or settle before any byte is released. */
  readonly over?: '429' | 'settle-first';
}

/** The options once checked; amounts are digits, durations milliseconds. */
export interface RouteTerms {
  readonly amount: AtomicAmount;
  readonly metered: boolean;
  readonly settle: 'after' | 'before-release';
  /** Bytes. */
  readonly settleFirstBuffer?: number;
  readonly exposure: {
    readonly perPayer?: AtomicAmount;
    readonly total?: AtomicAmount;
    readonly over: '429' | 'settle-first';
  };
  readonly longestMs: number;
  readonly name?: string;
  readonly description?: string;
  readonly mimeType?: string;
}

export interface ValidityBounds {
  /** What our challenges ask credentials to be valid for. */
  readonly credentialValidityMs: number;
  /** What must be left of it once the longest response has ended. */
  readonly minRetryWindowMs: number;
}

const DEFAULT_LONGEST = '5m';
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @throws Error that names the option and gives an example: a route that cannot be charged must not start */
export function checkRouteOptions(options: PaidSessionOptions, bounds: ValidityBounds): RouteTerms {
  const { price, cap } = options;
  if ((price === undefined) === (cap === undefined)) {
    refuse('price', 'give either price (sold whole) or cap (metered), not both', "price: '10000'");
  }
  const metered = cap !== undefined;
  const amount = positive(metered ? 'cap' : 'price', metered ? cap : price);
  if (options.streamed === true && !metered) {
    refuse('streamed', 'a streamed route is metered, give cap instead of price', "cap: '10000', streamed: true");
  }
  if (options.streamed === true && (options.settle === 'before-release' || options.exposure?.over === 'settle-first')) {
    refuse(
      options.settle === 'before-release' ? 'settle' : 'exposure.over',
      'a stream leaves while it is charged for, so it cannot be settled before it is released',
      "streamed: true, settle: 'after', exposure: { over: '429' }",
    );
  }
  if (!Number.isInteger(options.decimals) || options.decimals < 0 || options.decimals > 78) {
    refuse('decimals', 'the number of decimals of the asset', 'decimals: 6');
  }
  for (const name of ['asset', 'payTo', 'network'] as const) {
    if (typeof options[name] !== 'string' || options[name].trim() === '')
      refuse(name, 'a non-empty string', EXAMPLES[name]);
  }
  const longestMs = duration(options.longest ?? DEFAULT_LONGEST);
  if (longestMs + bounds.minRetryWindowMs >= bounds.credentialValidityMs) {
    refuse(
      'longest',
      `with SETTLEMENT_MIN_RETRY_WINDOW it must stay below SETTLEMENT_CREDENTIAL_VALIDITY (${bounds.credentialValidityMs} ms), or every credential would be refused`,
      "longest: '5m'",
    );
  }
  return {
    amount,
    metered,
    settle: oneOf('settle', options.settle, ['after', 'before-release']),
    ...(options.settleFirstBuffer !== undefined && { settleFirstBuffer: byteCount(options.settleFirstBuffer) }),
    exposure: exposureOf(options.exposure, amount),
    longestMs,
    ...(options.name !== undefined && { name: options.name }),
    ...(options.description !== undefined && { description: options.description }),
    ...(options.mimeType !== undefined && { mimeType: options.mimeType }),
  };
}

export type OfferedTerms = Required<Omit<ProtocolTerms, 'protocol'>> & { readonly protocol: Protocol };

/** Each protocol of the auth server once, with the terms it is sold on. */
export function protocolTerms(options: PaidSessionOptions): readonly OfferedTerms[] {
  return entriesOf(options).flatMap(({ protocol, network, asset, payTo }) =>
    protocol === 'tempo'
      ? []
      : [
          {
            protocol,
            network: network ?? options.network,
            asset: asset ?? options.asset,
            payTo: payTo ?? options.payTo,
          },
        ],
  );
}

/** What the route states about channels; undefined where it does not sell by them. */
export const channelEntry = (options: PaidSessionOptions): ProtocolTerms | undefined =>
  entriesOf(options).find((entry) => entry.protocol === 'tempo');

function entriesOf(options: PaidSessionOptions): readonly ProtocolTerms[] {
  const { protocols } = options;
  const names = ROUTE_PROTOCOLS.join(', ');
  if (!Array.isArray(protocols) || protocols.length === 0) {
    refuse('protocols', `at least one of ${names}`, "protocols: ['atxp', 'x402', 'mpp']");
  }
  const seen = new Set<string>();
  return options.protocols.map((entry) => {
    const terms = typeof entry === 'string' ? { protocol: entry } : entry;
    if (!ROUTE_PROTOCOLS.includes(terms.protocol) || seen.has(terms.protocol)) {
      refuse('protocols', `each of ${names} at most once`, "protocols: ['atxp', 'x402', 'mpp']");
    }
    seen.add(terms.protocol);
    return terms;
  });
}

/** @throws always: an option that would lose or double money must not start a server */
export function refuse(option: string, what: string, example: string): never {
  throw new Error(`paidSession option ${option}: ${what}; for example { ${example} }`);
}

const EXAMPLES = {
  asset: "asset: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913'",
  payTo: "payTo: '0x209693Bc6afc0C5328bA36FaF03C514EF312287C'",
  network: "network: 'eip155:8453'",
};

function exposureOf(exposure: ExposureOptions | undefined, amount: AtomicAmount): RouteTerms['exposure'] {
  const limit = (name: 'perPayer' | 'total') => {
    const given = exposure?.[name];
    if (given === undefined) return {};
    const checked = positive(`exposure.${name}`, given);
    const over = exposure?.over ?? '429';
    if (over === '429' && BigInt(checked) < BigInt(amount)) {
      refuse(
        `exposure.${name}`,
        `below ${amount}, the amount of one response, nobody could ever be served`,
        `exposure: { ${name}: '${amount}' }`,
      );
    }
    return { [name]: checked };
  };
  return {
    ...limit('perPayer'),
    ...limit('total'),
    over: oneOf('exposure.over', exposure?.over, ['429', 'settle-first']),
  };
}

export function positive(option: string, value: unknown): AtomicAmount {
  const digits = typeof value === 'bigint' ? value.toString() : value;
  const amount = typeof digits === 'string' ? parseAtomic(digits) : undefined;
  if (amount === undefined || amount === '0') {
    return refuse(
      option,
      "a positive amount in the asset's atomic units, as a bigint or digits",
      `${option.split('.').at(-1)}: '10000'`,
    );
  }
  return amount;
}

function oneOf<T extends string>(option: string, value: T | undefined, allowed: readonly [T, ...T[]]): T {
  const chosen = value ?? allowed[0];
  return allowed.includes(chosen)
    ? chosen
    : refuse(option, `one of ${allowed.join(', ')}`, `${option.split('.').at(-1)}: '${allowed[0]}'`);
}

function duration(value: string | number): number {
  const match = typeof value === 'string' ? /^([0-9]{1,9})(ms|s|m|h|d)$/.exec(value) : undefined;
  const ms = typeof value === 'number' ? value : match ? Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0) : Number.NaN;
  return Number.isInteger(ms) && ms > 0
    ? ms
    : refuse('longest', 'a duration like 500ms, 30s, 5m, or whole milliseconds', "longest: '5m'");
}

function byteCount(value: string | number): number {
  const bytes = typeof value === 'number' ? value : parseBytes(value);
  return bytes !== undefined && Number.isSafeInteger(bytes) && bytes > 0
    ? bytes
    : refuse('settleFirstBuffer', 'a size like 64KiB, 1MiB, or whole bytes', "settleFirstBuffer: '1MiB'");
}
