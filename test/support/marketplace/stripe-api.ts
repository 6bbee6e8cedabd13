import { request } from 'node:http';
import { afterAll, beforeEach } from 'vitest';
import { type StripeSandboxOptions, startStripeSandbox } from '../../../sandbox/stripe/start.js';
import { FUNDED } from './funded-stripe.js';

/** Plain HTTP to a Stripe API: no library of anybody between the test and the bytes. */
export interface ApiOptions {
  readonly idempotencyKey?: string;
  /** Default `sk_test_sandbox`; null: no credentials at all. */
  readonly secretKey?: string | null;
  readonly account?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

export interface StripeApi {
  get(path: string, params?: Readonly<Record<string, string>>, options?: ApiOptions): Promise<ApiAnswer>;
  post(path: string, params?: Readonly<Record<string, string>>, options?: ApiOptions): Promise<ApiAnswer>;
}

export function stripeApi(baseUrl: string): StripeApi {
  return {
    get: (path, params = {}, options = {}) => {
      const query = new URLSearchParams(params).toString();
      return exchange('GET', `${baseUrl}${path}${query === '' ? '' : `?${query}`}`, '', options);
    },
    post: (path, params = {}, options = {}) =>
      exchange('POST', `${baseUrl}${path}`, new URLSearchParams(params).toString(), options),
  };
}

interface ForFileOptions extends StripeSandboxOptions {
  /** The platform has plenty, which is not what a new one has. */
  readonly funded?: boolean;
}

/** One stand-in of Stripe for all tests of the file that calls this while it is read, empty before each but for that, and HTTP to it. */
export async function stripeSandboxForFile({ funded = true, ...options }: ForFileOptions = {}) {
  const sandbox = await startStripeSandbox(options);
  const topups = Object.fromEntries(FUNDED.map((currency) => [currency, 100_000_000_000]));
  beforeEach(async () => {
    await sandbox.reset();
    for (const livemode of funded ? [false, true] : []) await sandbox.seed({ topups, livemode });
  });
  afterAll(() => sandbox.close());
  return { sandbox, api: stripeApi(sandbox.url) };
}

/** One connection a call, so that a cut one takes no other call with it. */
function exchange(method: string, url: string, body: string, options: ApiOptions): Promise<ApiAnswer> {
  const { idempotencyKey, secretKey = 'sk_test_sandbox', account, headers = {} } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method,
        agent: false,
        headers: {
          ...(body === '' ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' }),
          ...(secretKey === null ? {} : { Authorization: `Bearer ${secretKey}` }),
          ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
          ...(account === undefined ? {} : { 'Stripe-Account': account }),
          ...headers,
        },
      },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (chunk: string) => {
          text += chunk;
        });
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json: parsed(text) }),
        );
        incoming.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const SELLER = 'acct_1Seller';

/** The parameters of a plain transfer of 10.00 USD to {@link SELLER}. */
export const transferOf = (params: Readonly<Record<string, string>> = {}) => ({
  amount: '1000',
  currency: 'usd',
  destination: SELLER,
  ...params,
});
