import type { PaymentTerms } from './payment-capture.js';

/** What of a payment's terms Stripe cannot be made to do, by its place in the request. */
export interface NotAtStripe {
  readonly pointer: string;
  readonly message: string;
}

/** Stripe keeps fifty entries, of which three are ours (docs.stripe.com/api/metadata). */
const MOST_METADATA = 47;

/** Empty: a payment of these terms can be made at Stripe. */
export function notAtStripe({ captureMethod, profileId, passedOn }: PaymentTerms): readonly NotAtStripe[] {
  const found: NotAtStripe[] = [];
  const not = (pointer: string, message: string) => found.push({ pointer, message });
  // docs.stripe.com/payments/multicapture: not together with source_transaction, by which sellers are paid.
  if (captureMethod === 'manual_multiple')
    not(
      '/capture',
      'Stripe captures a payment in several parts only where no transfer is drawn from its charge, and those to sellers are: use `manual`, which is captured once, whole or in part',
    );
  if (profileId !== null) not('/profile_id', 'profiles are of Hyperswitch alone');
  const { customer, metadata = {} } = passedOn;
  if (customer && !/^cus_\w+$/.test(customer.id)) not('/customer/id', 'has to be a customer of Stripe: cus_…');
  if (customer?.name !== undefined)
    not('/customer/name', 'is known to Stripe, by the customer that it has: pass on `id` alone');
  if (customer?.email !== undefined)
    not('/customer/email', 'is known to Stripe, by the customer that it has: pass on `id` alone');
  const names = Object.keys(metadata);
  if (names.length > MOST_METADATA)
    not('/metadata', `has more than the ${MOST_METADATA} entries that Stripe has room for`);
  if (names.includes('generation')) not('/metadata/generation', 'is written there by Makegood');
  if (names.some((name) => /[[\]]/.test(name)))
    not('/metadata', 'has a name with a bracket, which Stripe does not take');
  return found;
}
