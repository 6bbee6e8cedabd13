import { setTimeout as wait } from 'node:timers/promises';
import type { PayerAccount } from './account.js';
import { atxpCredential } from './atxp.js';
import { type PaymentOffers, readOffers } from './challenge.js';
import type { JsonLayout, PaymentCredential } from './credential.js';
import { mppCredential } from './mpp.js';
import { x402Credential } from './x402.js';

export interface PayOptions {
  readonly protocol: 'atxp' | 'x402' | 'mpp';
  readonly account: PayerAccount;
  /** x402 only; default 2. */
  readonly version?: 1 | 2;
  /** x402 only; default: the first offer. */
  readonly scheme?: 'exact' | 'upto';
  /** x402 and MPP: which token, and where; default: the first offer. Networks as the 402 writes them, chain ids for MPP. */
  readonly network?: string;
  readonly asset?: string;
  /** MPP only; default: the first challenge. */
  readonly intent?: 'charge' | 'session';
  readonly layout?: JsonLayout;
  readonly init?: RequestInit;
  /** Unix ms, for validity windows; default: this machine's clock. */
  readonly nowMs?: number;
  readonly fetch?: typeof fetch;
}

/** A server that has not heard from its auth server yet offers less than it sells. */
const ASK_AGAIN = { times: 50, afterMs: 100 };

/**
 * Asks, reads the 402, pays and asks again; an answer other than 402 to the first request is returned as it is.
 * @throws Error when the 402 offers nothing that fits, and goes on doing so
 */
export async function pay(url: string, options: PayOptions): Promise<Response> {
  const asked = await askFor(url, options);
  return 'answer' in asked
    ? asked.answer
    : (options.fetch ?? fetch)(url, withCredential(asked.credential, options.init));
}

/** A credential for what the 402 of `url` offers; an answer other than 402 where it needs none. @throws Error as `pay` does */
export async function askFor(
  url: string,
  options: PayOptions,
): Promise<{ readonly credential: PaymentCredential } | { readonly answer: Response }> {
  for (let left = ASK_AGAIN.times; ; left -= 1) {
    const answer = await (options.fetch ?? fetch)(url, options.init);
    if (answer.status !== 402) return { answer };
    const offers = await readOffers(answer);
    await answer.body?.cancel();
    try {
      return { credential: await answerOffers(offers, options) };
    } catch (error) {
      if (left === 0 || !(error instanceof NothingFits)) throw error;
    }
    await wait(ASK_AGAIN.afterMs);
  }
}

/** The same request with the payment in its headers. */
export function withCredential(credential: PaymentCredential, init: RequestInit = {}): RequestInit {
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(credential.headers)) headers.set(name, value);
  return { ...init, headers };
}

/** Makes the credential for one of the offers. @throws Error when none fits */
export async function answerOffers(offers: PaymentOffers, options: PayOptions): Promise<PaymentCredential> {
  const { account, layout } = options;
  if (options.protocol === 'atxp') {
    if (offers.atxp === undefined) throw new NothingFits('no X-ATXP-Payment-Request header');
    return atxpCredential({ account, layout, paymentRequestId: offers.atxp.paymentRequestId });
  }
  if (options.protocol === 'x402') return answerX402(offers, options);
  const challenge = offers.mpp.find(
    ({ intent, request }) =>
      (options.intent === undefined || intent === options.intent) &&
      wants(options, chainOf(request.methodDetails), request.currency),
  );
  if (challenge === undefined) throw new NothingFits(`no MPP challenge of intent ${options.intent ?? 'any'}`);
  return mppCredential({ account, challenge, layout });
}

async function answerX402(offers: PaymentOffers, options: PayOptions): Promise<PaymentCredential> {
  const { account, layout, nowMs, version = 2 } = options;
  // A v2 offer says all that a v1 payment needs, so servers that print only v2 can be paid by v1 clients too.
  const offered = offers.x402[version] ?? offers.x402[2];
  const accept = offered?.accepts.find(
    ({ scheme, network, asset }) =>
      (options.scheme === undefined || scheme === options.scheme) && wants(options, network, asset),
  );
  if (accept === undefined) throw new NothingFits(`no x402 v${version} offer of scheme ${options.scheme ?? 'any'}`);
  return x402Credential({ account, accept, version, layout, nowMs, resource: offers.x402[2]?.resource });
}

const wants = (want: PayOptions, network: unknown, asset: unknown): boolean =>
  (want.network === undefined || want.network === network) &&
  (want.asset === undefined || want.asset.toLowerCase() === String(asset).toLowerCase());

const chainOf = (methodDetails: unknown): string =>
  String((methodDetails as { chainId?: number } | undefined)?.chainId);

class NothingFits extends Error {
  constructor(what: string) {
    super(`the 402 answer cannot be paid like this: ${what}`);
  }
}
