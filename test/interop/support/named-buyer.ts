import { ExactEvmScheme } from '@x402/evm/exact/client';
import { appendPaymentIdentifierToExtensions, PAYMENT_IDENTIFIER } from '@x402/extensions/payment-identifier';
import { wrapFetchWithPayment, x402Client, x402HTTPClient } from '@x402/fetch';
import { stockWallet } from './stock-wallet.js';

/** Names each payment, as the authors of the extension have clients do it. */
const namingClient = (id?: string): x402Client =>
  new x402Client().register('eip155:*', new ExactEvmScheme(stockWallet)).registerExtension({
    key: PAYMENT_IDENTIFIER,
    enrichPaymentPayload: async (payload) => ({
      ...payload,
      extensions: appendPaymentIdentifierToExtensions({ ...payload.extensions }, id),
    }),
  });

/** Tries a request that got no answer again, to the letter: all that a client needs who names what it buys. */
export const persistent =
  (tries: { times: number } = { times: 0 }): typeof fetch =>
  async (input, init) => {
    for (let left = 3; ; left -= 1) {
      try {
        tries.times += 1;
        const response = await fetch(input instanceof Request ? input.clone() : input, init);
        const body = await response.arrayBuffer();
        // No content may come with these.
        const content = [204, 304].includes(response.status) ? null : body;
        return new Response(content, { status: response.status, headers: response.headers });
      } catch (error) {
        if (left === 0) throw error;
      }
    }
  };

export const namedFetch = (id?: string, tries?: { times: number }): typeof fetch =>
  wrapFetchWithPayment(persistent(tries), namingClient(id)) as typeof fetch;

/** The head of a request that pays for this URL, as the client makes it. */
export async function namedPayment(url: string, id?: string): Promise<Record<string, string>> {
  const client = namingClient(id);
  const asked = await fetch(url);
  const http = new x402HTTPClient(client);
  const required = http.getPaymentRequiredResponse((name) => asked.headers.get(name), await asked.json());
  return http.encodePaymentSignatureHeader(await client.createPaymentPayload(required));
}
