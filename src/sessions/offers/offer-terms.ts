import type { AtomicAmount } from '../../domain/money.js';
import type { Protocol } from '../../domain/settlements/settlement-status.js';
import { type KnownToken, knownToken } from '../../protocols/known-tokens.js';
import { lowerHex } from '../../protocols/wire-json.js';
import { canonicalNetwork } from '../../protocols/x402-networks.js';
import {
  checkDecimals,
  checkText,
  type ExposureLimits,
  likeLimits,
  limitsOf,
  type PaidSessionOptions,
  type ProtocolTerms,
  positive,
  type RouteTerms,
  refuse,
  TEXTS,
} from './route-options.js';

/** One entry of `protocols` with nothing left open. */
export interface OfferTerms {
  readonly protocol: Protocol;
  /** CAIP-2. */
  readonly network: string;
  readonly asset: string;
  readonly payTo: string;
  /** Price, or the cap of a metered scheme; atomic units. */
  readonly amount: AtomicAmount;
  readonly decimals: number;
  readonly currency: string;
  readonly domain: KnownToken['domain'];
  /** Limits on credit in its currency. */
  readonly exposure: ExposureLimits;
  /** What credit in it is summed as, where that is not in the route's own currency and decimals. */
  readonly summedAs: string | undefined;
}

interface Route {
  readonly options: PaidSessionOptions;
  readonly terms: RouteTerms;
}

/** The asset that an entry takes: on which network, and whether it is the route's own. */
interface Taken {
  readonly network: string;
  readonly asset: string;
  readonly known: KnownToken | undefined;
  readonly isRoutes: boolean;
}

const USDC = { currency: 'USDC', domain: { name: 'USD Coin', version: '2' } };

/**
 * What an entry states, else what is known of its asset, else what the route states.
 *
 * @throws Error that says what to state, where the route's own would be a guess at somebody else's money
 */
export function offerTerms(entry: ProtocolTerms & { readonly protocol: Protocol }, route: Route): OfferTerms {
  const { options } = route;
  checkEntry(entry);
  const taken = takenBy(entry, options);
  const decimals = entry.decimals ?? (taken.isRoutes ? undefined : taken.known?.decimals) ?? options.decimals;
  if (!taken.isRoutes && taken.known !== undefined && taken.known.decimals !== decimals) {
    const { currency, decimals: right } = taken.known;
    refuse('decimals', `${currency} on ${taken.network} has ${right}`, `decimals: ${right}`);
  }
  const currency = entry.currency ?? (taken.isRoutes ? undefined : taken.known?.currency) ?? currencyOf(options);
  const amount = amountOf(entry, { decimals, currency }, route);
  return {
    protocol: entry.protocol,
    network: taken.network,
    asset: taken.asset,
    payTo: payToOf(entry, taken.network, options),
    amount,
    decimals,
    currency,
    domain: domainOf(entry, taken, options),
    ...exposureOf(entry, { amount, decimals, currency }, route),
  };
}

/** What the route's own asset is called. */
export const currencyOf = ({ currency, network, asset }: PaidSessionOptions): string =>
  currency ?? knownToken(canonicalNetwork(network), asset)?.currency ?? USDC.currency;

const OF_CHANNELS = ['protocol', 'network', 'asset', 'payTo', 'currency'];

/** Channels are sold at the route's amount: what would not be heeded is refused. */
export function checkChannelEntry(entry: ProtocolTerms): void {
  checkEntry(entry);
  const stated = Object.entries(entry).filter(([, value]) => value !== undefined);
  const [more] = stated.find(([name]) => !OF_CHANNELS.includes(name)) ?? [];
  if (more !== undefined)
    refuse('protocols', `tempo is sold at the route's own amount; it takes no ${more}`, "protocols: ['tempo']");
}

function checkEntry({ decimals, currency, domain, ...entry }: ProtocolTerms): void {
  for (const name of TEXTS) if (entry[name] !== undefined) checkText(name, entry[name]);
  if (decimals !== undefined) checkDecimals(decimals);
  const texts: readonly unknown[] = [
    currency ?? 'USDC',
    ...(domain === undefined ? [] : [domain.name, domain.version]),
  ];
  if (texts.every((text) => typeof text === 'string' && text.trim() !== '')) return;
  refuse('protocols', 'currency and domain are of non-empty strings', "domain: { name: 'EURC', version: '2' }");
}

function takenBy(entry: ProtocolTerms, options: PaidSessionOptions): Taken {
  const own = canonicalNetwork(options.network);
  const network = canonicalNetwork(entry.network ?? options.network);
  if (!/^[a-z0-9-]{3,8}:[A-Za-z0-9_-]{1,64}$/.test(network)) {
    refuse('network', `${network} is neither CAIP-2 nor a network name of x402`, "network: 'eip155:8453'");
  }
  if (network !== own && entry.asset === undefined) {
    refuse(
      'protocols',
      `${entry.protocol} on ${network} must state its asset: the route's is a token of ${own}, and whoever has its address elsewhere is somebody else`,
      `protocol: '${entry.protocol}', network: '${network}', asset: '0x…'`,
    );
  }
  const asset = entry.asset ?? options.asset;
  const isRoutes = network === own && lowerHex(asset) === lowerHex(options.asset);
  return { network, asset, known: knownToken(network, asset), isRoutes };
}

function payToOf(entry: ProtocolTerms, network: string, { payTo, network: own }: PaidSessionOptions): string {
  const kind = (caip2: string) => caip2.split(':')[0];
  if (entry.payTo === undefined && kind(network) !== kind(canonicalNetwork(own))) {
    refuse(
      'protocols',
      `${entry.protocol} on ${network} must state its payTo: the route's is an account of another kind of network`,
      `protocol: '${entry.protocol}', network: '${network}', payTo: '…'`,
    );
  }
  return entry.payTo ?? payTo;
}

function amountOf(
  entry: ProtocolTerms,
  { decimals, currency }: { readonly decimals: number; readonly currency: string },
  { options, terms }: Route,
): AtomicAmount {
  const [name, other] = terms.metered ? (['cap', 'price'] as const) : (['price', 'cap'] as const);
  if (entry[other] !== undefined) {
    refuse('protocols', `this route is sold by ${name}, so its entries state ${name} too`, `${name}: '10000'`);
  }
  if (decimals !== options.decimals && terms.metered) {
    refuse(
      'protocols',
      `a handler charges atomic units as it goes, so all assets of a route with a cap have its ${options.decimals} decimals; sell the others on another route`,
      `decimals: ${options.decimals}`,
    );
  }
  if (decimals !== options.decimals && entry[name] === undefined) {
    refuse(
      'protocols',
      `${entry.protocol} takes an asset of ${decimals} decimals, in which the route's ${name} is another amount: state its own`,
      `decimals: ${decimals}, ${name}: '10000'`,
    );
  }
  const isOther = currency.toUpperCase() !== currencyOf(options).toUpperCase();
  if (isOther && entry[name] === undefined) {
    refuse(
      'protocols',
      `${entry.protocol} takes ${currency}, in which the route's ${name} is worth something else: state its own`,
      `currency: '${currency}', ${name}: '10000'`,
    );
  }
  const own = entry[name];
  return own === undefined ? terms.amount : positive(name, own);
}

/** Of x402 alone anything is signed over it, but an offer has one. */
function domainOf(entry: ProtocolTerms, { network, asset, known, isRoutes }: Taken, options: PaidSessionOptions) {
  const routes = options.domain ?? knownToken(canonicalNetwork(options.network), options.asset)?.domain ?? USDC.domain;
  const domain = entry.domain ?? (isRoutes ? routes : known?.domain);
  if (domain === undefined && entry.protocol === 'x402') {
    refuse(
      'protocols',
      `x402 takes ${asset} on ${network}, whose EIP-712 domain is not known here: state it, or nobody could settle what its payers sign`,
      `asset: '${asset}', domain: { name: 'USD Coin', version: '2' }`,
    );
  }
  return domain ?? routes;
}

function exposureOf(
  entry: ProtocolTerms,
  { amount, decimals, currency }: Pick<OfferTerms, 'amount' | 'decimals' | 'currency'>,
  { options, terms }: Route,
): Pick<OfferTerms, 'exposure' | 'summedAs'> {
  const { over } = terms.exposure;
  const own = currencyOf(options);
  const isRoutes = currency.toUpperCase() === own.toUpperCase() && decimals === options.decimals;
  if (isRoutes) {
    if (entry.exposure !== undefined) {
      refuse(
        'protocols',
        `${entry.protocol} takes ${currency} as the route does, and all of it counts to the limits of the route: state them there`,
        "exposure: { perPayer: '1000000' }",
      );
    }
    return { exposure: limitsOf(options.exposure, { amount, over }), summedAs: undefined };
  }
  const exposure = limitsOf(entry.exposure, { amount, over });
  if (!likeLimits(exposure, terms.exposure)) {
    refuse(
      'protocols',
      `${entry.protocol} takes ${currency} of ${decimals} decimals, which is not added to ${own} of ${options.decimals}: each limit of the route, and no other, is stated in it too`,
      "exposure: { perPayer: '1000000' }",
    );
  }
  return { exposure, summedAs: `${currency.toUpperCase()} of ${decimals} decimals` };
}
