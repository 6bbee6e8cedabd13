import type { PaymentId } from '../domain/ids.js';
import type { Sealed, Sealer } from './sealer.js';

export const CLIENT_SECRET_PLACE = (id: PaymentId) => ({
  table: 'payments',
  row: id,
  column: 'sealed_client_secret',
});

/** The buyer's client secret as it is kept: encrypted, bound to this payment, and erased when the payment is final. */
export const sealClientSecret = (sealer: Sealer, id: PaymentId, secret: string): Sealed =>
  sealer.seal(secret, CLIENT_SECRET_PLACE(id));
