import { OPERATORS, SERVICES } from '../allowed-roles.js';
import { NOTHING, type Operation } from '../route.js';
import { NewCaptureRequest } from './capture-schemas.js';
import { IDEMPOTENCY_KEY, KEY_PROBLEMS } from './key-header.js';
import { PaymentDetails } from './marketplace-schemas.js';

export const capturePaymentOperation = {
  id: 'capturePayment',
  method: 'POST',
  path: '/api/v1/payments/{id}/capture',
  summary: 'Capture a payment whose money is held, or a part of it.',
  roles: [...SERVICES, ...OPERATORS],
  body: NewCaptureRequest,
  exactIntegers: true,
  headers: IDEMPOTENCY_KEY,
  query: NOTHING,
  answers: { 200: { description: 'The payment, with what is captured of it now.', schema: PaymentDetails } },
  problems: [
    ...KEY_PROBLEMS,
    'not_found',
    'payment_not_capturable',
    'capture_exceeds_payment',
    'capture_refused',
    'payment_unknown',
    'not_configured',
    'ledger_unavailable',
  ],
} satisfies Operation<NewCaptureRequest>;

export const cancelPaymentOperation = {
  id: 'cancelPayment',
  method: 'POST',
  path: '/api/v1/payments/{id}/cancel',
  summary:
    'Call off a payment that is not captured, or what is left of it: the buyer keeps what was only held. A success that came before wins. Said again it changes nothing.',
  roles: [...SERVICES, ...OPERATORS],
  body: NOTHING,
  query: NOTHING,
  answers: {
    200: { description: 'The payment: called off, or paid by what was captured of it.', schema: PaymentDetails },
  },
  problems: ['not_found', 'payment_not_cancelled', 'payment_unknown', 'not_configured', 'ledger_unavailable'],
} satisfies Operation;
