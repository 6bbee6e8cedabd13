import type { PayerAccount } from '../../../sandbox/payer/account.js';
import type { PaymentCredential } from '../../../sandbox/payer/credential.js';
import { askFor, type PayOptions, withCredential } from '../../../sandbox/payer/pay.js';

/** What a client has in its hands after one request; nothing is thrown, because a broken response is a result here. */
export interface Received {
  /** Undefined: the connection broke before a status came. */
  readonly status: number | undefined;
  readonly headers: Headers;
  /** Every byte that came, also of a response that broke off. */
  readonly body: string;
  /** True when the response came to its proper end. */
  readonly complete: boolean;
  readonly tookMs: number;
}

export const served = ({ status, complete }: Received): boolean => status === 200 && complete;

/** Server-sent ticks of /demo/stream that arrived. */
export const ticksIn = ({ body }: Received): number => body.split('event: tick').length - 1;

/** Asks for the 402 and makes a credential that answers it. @throws when nothing fits, however often it asks */
export async function credentialFor(
  url: string,
  account: PayerAccount,
  options: Omit<PayOptions, 'account'>,
): Promise<PaymentCredential> {
  const asked = await askFor(url, { ...options, account });
  if ('credential' in asked) return asked.credential;
  throw new Error(`no payment is asked for: ${asked.answer.status}`);
}

/** @param onBytes hears of each piece as it arrives */
export async function request(
  url: string,
  init: RequestInit = {},
  onBytes?: (text: string) => void,
): Promise<Received> {
  const started = performance.now();
  const took = () => performance.now() - started;
  const none = { headers: new Headers(), body: '', complete: false };
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch {
    return { ...none, status: undefined, tookMs: took() };
  }
  const decoder = new TextDecoder();
  const { status, headers } = response;
  let body = '';
  try {
    for await (const piece of response.body ?? []) {
      const text = decoder.decode(piece as Uint8Array, { stream: true });
      body += text;
      onBytes?.(text);
    }
    return { status, headers, body, complete: true, tookMs: took() };
  } catch {
    return { status, headers, body, complete: false, tookMs: took() };
  }
}

export const pay = (
  url: string,
  credential: PaymentCredential,
  init?: RequestInit,
  onBytes?: (text: string) => void,
): Promise<Received> => request(url, withCredential(credential, init), onBytes);
