import type { MadeIntent } from '../../domain/calls/made-at-stripe.js';

/** Every word of a PaymentIntent's status (docs.stripe.com/payments/paymentintents/lifecycle). */
export type IntentWord =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'processing'
  | 'requires_capture'
  | 'canceled'
  | 'succeeded';

type Meaning = Pick<MadeIntent, 'status' | 'asks' | 'capturedByWord' | 'final'>;

const goesOn = (status: 'pending' | 'processing'): Meaning => ({
  status,
  asks: null,
  capturedByWord: 'nothing',
  final: false,
});

const MEANING: Readonly<Record<IntentWord, Meaning>> = {
  requires_payment_method: goesOn('pending'),
  requires_confirmation: goesOn('pending'),
  requires_action: goesOn('pending'),
  processing: goesOn('processing'),
  // We ask for automatic capture: whoever changed that has to capture, or to cancel.
  requires_capture: { status: 'processing', asks: 'unknown_status', capturedByWord: 'nothing', final: false },
  canceled: { status: 'cancelled', asks: null, capturedByWord: 'nothing', final: true },
  succeeded: { status: 'succeeded', asks: null, capturedByWord: 'the_whole', final: true },
};

/** A word of a later Stripe: nobody knows what it means for the money, so nothing ends and a person is asked. */
export const intentMeaning = (word: string): Meaning =>
  Object.hasOwn(MEANING, word)
    ? MEANING[word as IntentWord]
    : { status: 'processing', asks: 'unknown_status', capturedByWord: 'perhaps', final: false };
