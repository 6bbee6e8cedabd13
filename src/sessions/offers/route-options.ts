import { parseBytes } from '../../domain/bytes.js';
import type { AtomicAmount } from '../../domain/money.js';
import { parseAtomic } from '../../domain/money.js';
import { PROTOCOLS, type Protocol } from '../../domain/settlements/settlement-status.js';
import type { Discoverable } from './bazaar.js';

/** `tempo`: MPP sessions on payment channels that this server keeps itself; the others are settled by the auth server. */
export type RouteProtocol = Protocol | 'tempo';

const ROUTE_PROTOCOLS: readonly RouteProtocol[] = [...PROTOCOLS, 'tempo'];

/**
 * One way in which a route is paid, where it is not on the route's own terms: whatever it leaves out is the route's. One
 * protocol may have many, for one token of one network each.
 */
export interface ProtocolTerms {
  readonly protocol: RouteProtocol;
  /** On another network than the route's an entry states its `asset` too. */
  readonly network?: string;
  readonly asset?: string;
  /** An account has one address on all EVM networks; a contract, like a shared wallet, may be there on one alone. */
  readonly payTo?: string;
  /** Instead of the route's `price`, in atomic units of this asset; needed where its decimals are others. */
  readonly price?: bigint | string;
  /** Instead of the route's `cap`. */
  readonly cap?: bigint | string;
  /** On a route with a `cap` they are the route's, because its handler charges atomic units. */
  readonly decimals?: number;
  /** The asset's symbol; default what is known of the asset, else the route's. */
  readonly currency?: string;
  /** The asset's EIP-712 domain. By x402 another asset than the route's states it, unless it is known (USDC, EURC). */
  readonly domain?: { readonly name: string; readonly version: string };
  /** Limits in this asset, where the route has limits and this is another currency or has other decimals. */
  readonly exposure?: Omit<ExposureOptions, 'over'>;
}

/**
 * What a paid route sells and on which terms. Exactly one of `price` and `cap`.
 * @typeParam Asked the request as its framework has it
 */
export interface PaidSessionOptions<Asked = unknown> {
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
   * What a client may choose from, in the order in which it is offered. By name a protocol takes the route's own asset;
   * an entry of its own takes another, on another network or at another price. The entries of ATXP are of one currency, amount
   * and decimals, because the auth server chooses between them.
   *
   * `tempo` stands at most once and is paid in TEMPO_CURRENCY to the account of TEMPO_PAYEE_KEY, whatever the route's own
   * terms are; mount the route for all methods, because channels are topped up and closed by POST to the same URL.
   */
  readonly protocols: readonly (RouteProtocol | ProtocolTerms)[];
  /** Who the client is to the application, once it is authenticated: its channel is then found again without a hint. */
  readonly identify?: (req: Asked) => string | undefined;
  /** Atomic units that a payer is asked to put down when opening a channel; default a hundred times the amount. */
  readonly suggestedDeposit?: bigint | string;
  /** The asset's symbol, as ATXP names it; default what is known of the asset, else USDC. */
  readonly currency?: string;
  /** The asset's EIP-712 domain, which x402 clients sign over; default what is known of the asset, else that of USDC. */
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
  /**
   * Whether a paid answer that was lost on its way is had again, by clients that name their payment (x402's extension
   * `payment-identifier`): answers of up to so many bytes are kept, encrypted, for so long. Default 64KiB and 15m; false: none.
   */
  readonly replay?: false | { readonly bytes?: string | number; readonly for?: string | number };
  /**
   * Names the route in exposure sums and in the ledger; default its path as it was declared. Below a prefix of Express that is
   * what follows the prefix, so that routes of several prefixes that are declared alike share their limits.
   */
  readonly name?: string;
  readonly description?: string;
  readonly mimeType?: string;
  /**
   * Lists the route where resources of x402 are found: its 402 carries the extension `bazaar`, which facilitators read, and
   * `discovery` names it in `/.well-known/x402`. `true`: it is a GET without input.
   */
  readonly discoverable?: boolean | Discoverable;
}

/** The same whatever framework the route is declared with. */
export type RouteOptions = Omit<PaidSessionOptions, 'identify'>;

/**
 * Charging after serving is credit: limits on open caps plus unsettled charges, in atomic units. What the route takes in
 * another currency, or with other decimals, is summed by itself, up to limits of its own.
 */
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
  /** The limits in the route's own currency; each offer has its own. */
  readonly exposure: ExposureLimits & { readonly over: '429' | 'settle-first' };
  readonly longestMs: number;
  /** undefined: a lost answer is not had again. */
  readonly replay?: { readonly bytes: number; readonly forMs: number };
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
const DEFAULT_REPLAY = { bytes: '64KiB', for: '15m' };
/** What is kept of one answer is read and written in one piece, and with those of other closes in one commit. */
const MOST_REPLAYED_BYTES = 1024 * 1024;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @throws Error that names the option and gives an example: a route that cannot be charged must not start */
export function checkRouteOptions(options: RouteOptions, bounds: ValidityBounds): RouteTerms {
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
  checkDecimals(options.decimals);
  for (const name of TEXTS) checkText(name, options[name]);
  const longestMs = duration('longest', options.longest ?? DEFAULT_LONGEST);
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
    ...(options.settleFirstBuffer !== undefined && {
      settleFirstBuffer: byteCount('settleFirstBuffer', options.settleFirstBuffer),
    }),
    exposure: exposureOf(options.exposure, amount),
    longestMs,
    ...replayOf(options.replay),
    ...(options.name !== undefined && { name: options.name }),
    ...(options.description !== undefined && { description: options.description }),
    ...(options.mimeType !== undefined && { mimeType: options.mimeType }),
  };
}

/** What the route states about channels; undefined where it does not sell by them. */
export const channelEntry = (options: RouteOptions): ProtocolTerms | undefined =>
  entriesOf(options).find((entry) => entry.protocol === 'tempo');

/** `protocols`, each with what it states itself. */
export function entriesOf({ protocols }: RouteOptions): readonly ProtocolTerms[] {
  const names = ROUTE_PROTOCOLS.join(', ');
  if (!Array.isArray(protocols) || protocols.length === 0) {
    refuse('protocols', `at least one of ${names}`, "protocols: ['atxp', 'x402', 'mpp']");
  }
  const entries = (protocols as PaidSessionOptions['protocols']).map(
    (entry): ProtocolTerms => (typeof entry === 'string' ? { protocol: entry } : entry),
  );
  if (entries.some(({ protocol }) => !ROUTE_PROTOCOLS.includes(protocol))) {
    refuse('protocols', `each one of ${names}`, "protocols: ['atxp', 'x402', 'mpp']");
  }
  if (entries.filter(({ protocol }) => protocol === 'tempo').length > 1) {
    refuse('protocols', 'tempo at most once: this server keeps channels of one token', "protocols: ['tempo']");
  }
  return entries;
}

export function checkDecimals(decimals: unknown): void {
  if (typeof decimals !== 'number' || !Number.isInteger(decimals) || decimals < 0 || decimals > 78) {
    refuse('decimals', 'the number of decimals of the asset', 'decimals: 6');
  }
}

export const TEXTS = ['asset', 'payTo', 'network'] as const;

export function checkText(name: (typeof TEXTS)[number], value: unknown): void {
  if (typeof value !== 'string' || value.trim() === '') refuse(name, 'a non-empty string', EXAMPLES[name]);
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

const LIMITS = ['perPayer', 'total'] as const;

/** Limits on credit, in atomic units; none where nothing is stated. */
export type ExposureLimits = { readonly [Limit in (typeof LIMITS)[number]]?: AtomicAmount };

function exposureOf(exposure: ExposureOptions | undefined, amount: AtomicAmount): RouteTerms['exposure'] {
  const over = oneOf('exposure.over', exposure?.over, ['429', 'settle-first']);
  return { ...limitsOf(exposure, { amount, over }), over };
}

/** @param of what one response may cost, and what becomes of one above a limit */
export function limitsOf(
  exposure: Omit<ExposureOptions, 'over'> | undefined,
  { amount, over }: { readonly amount: AtomicAmount; readonly over: RouteTerms['exposure']['over'] },
): ExposureLimits {
  const limits = LIMITS.filter((name) => exposure?.[name] !== undefined).map((name) => {
    const checked = positive(`exposure.${name}`, exposure?.[name]);
    if (over === '429' && BigInt(checked) < BigInt(amount)) {
      refuse(
        `exposure.${name}`,
        `below ${amount}, the amount of one response, nobody could ever be served`,
        `exposure: { ${name}: '${amount}' }`,
      );
    }
    return [name, checked] as const;
  });
  return Object.fromEntries(limits);
}

/** Whether both limit the same. */
export const sameLimits = (one: ExposureLimits, other: ExposureLimits): boolean =>
  LIMITS.every((name) => one[name] === other[name]);

/** Whether both limit payers, and the whole route, or neither does. */
export const likeLimits = (one: ExposureLimits, other: ExposureLimits): boolean =>
  LIMITS.every((name) => (one[name] === undefined) === (other[name] === undefined));

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

function replayOf(replay: PaidSessionOptions['replay'] = {}): Pick<RouteTerms, 'replay'> {
  if (replay === false) return {};
  const bytes = byteCount('replay.bytes', replay.bytes ?? DEFAULT_REPLAY.bytes);
  if (bytes > MOST_REPLAYED_BYTES) refuse('replay.bytes', 'at most 1MiB of one answer', "replay: { bytes: '64KiB' }");
  return { replay: { bytes, forMs: duration('replay.for', replay.for ?? DEFAULT_REPLAY.for) } };
}

function duration(option: string, value: string | number): number {
  const match = typeof value === 'string' ? /^([0-9]{1,9})(ms|s|m|h|d)$/.exec(value) : undefined;
  const ms = typeof value === 'number' ? value : match ? Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0) : Number.NaN;
  return Number.isInteger(ms) && ms > 0
    ? ms
    : refuse(option, 'a duration like 500ms, 30s, 5m, or whole milliseconds', `${option.split('.').at(-1)}: '5m'`);
}

function byteCount(option: string, value: string | number): number {
  const bytes = typeof value === 'number' ? value : parseBytes(value);
  return bytes !== undefined && Number.isSafeInteger(bytes) && bytes > 0
    ? bytes
    : refuse(option, 'a size like 64KiB, 1MiB, or whole bytes', `${option.split('.').at(-1)}: '1MiB'`);
}
