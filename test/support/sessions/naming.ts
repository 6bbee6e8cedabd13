import { randomUUID } from 'node:crypto';
import type { PaymentCredential } from '../../../sandbox/payer/credential.js';

const HEADER = 'PAYMENT-SIGNATURE';

/** The same payment of x402 v2, under a name that its client gives it. */
export function named({ headers }: Pick<PaymentCredential, 'headers'>, id: string = `pay_${randomUUID()}`) {
  const { [HEADER]: payment, ...rest } = headers;
  if (payment === undefined) throw new Error('only a payment of x402 v2 has a name');
  const content = JSON.parse(Buffer.from(payment, 'base64').toString());
  const extensions = { 'payment-identifier': { info: { required: false, id } } };
  return { headers: { ...rest, [HEADER]: Buffer.from(JSON.stringify({ ...content, extensions })).toString('base64') } };
}
