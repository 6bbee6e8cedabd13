import type { PayerAccount } from '../../../sandbox/payer/account.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import type { PaymentCredential } from '../../../sandbox/payer/credential.js';
import { answerOffers, type PayOptions } from '../../../sandbox/payer/pay.js';
import { type Asked, ask, type Question } from '../../unit/sessions/support/ask.js';

/** What a client of a server with a certificate of nobody sends to be served; fetch would not talk to it. */
export async function credentialOverTls(
  url: string,
  account: PayerAccount,
  options: Omit<PayOptions, 'account'>,
): Promise<PaymentCredential> {
  const { status, headers, body } = await ask(url);
  const fields = Object.entries(headers).map(([name, value]) => [name, String(value)] as [string, string]);
  return answerOffers(await readOffers(new Response(body, { status, headers: fields })), { ...options, account });
}

export async function buyOverTls(
  url: string,
  account: PayerAccount,
  { http2, onBytes, signal, ...options }: Omit<PayOptions, 'account'> & Pick<Question, 'http2' | 'onBytes' | 'signal'>,
): Promise<Asked> {
  const { headers } = await credentialOverTls(url, account, options);
  return ask(url, {
    headers: { ...headers },
    ...(http2 && { http2 }),
    ...(onBytes && { onBytes }),
    ...(signal && { signal }),
  });
}
