import { SERVICES } from '../allowed-roles.js';
import { NOTHING, type Operation } from '../route.js';
import { ExternalPaymentRequest, ExternalRefundRequest } from './external-schemas.js';
import { PaymentDetails, RefundAnswer } from './marketplace-schemas.js';

const tells = {
  method: 'POST',
  roles: SERVICES,
  query: NOTHING,
} as const;
const problems = [
  'not_found',
  'external_unfit',
  'provider_unavailable',
  'not_configured',
  'ledger_unavailable',
] as const;

export const externalPaymentOperation = {
  ...tells,
  id: 'takeExternalPayment',
  path: '/api/v1/external-payments',
  summary:
    'An order was paid by another checkout, at this Stripe account: read there, what was given back of it first, and then the sellers are paid.',
  body: ExternalPaymentRequest,
  answers: {
    201: { description: 'The payment, as Stripe holds it.', schema: PaymentDetails },
    200: { description: 'It was told of before.', schema: PaymentDetails },
  },
  problems: [...problems, 'payment_taken'],
} satisfies Operation<ExternalPaymentRequest>;

export const externalRefundOperation = {
  ...tells,
  id: 'noteExternalRefund',
  path: '/api/v1/external-refunds',
  summary:
    "A refund of such a payment was made at Stripe: read there, and the sellers' shares are taken back. One that nobody tells of is found later.",
  body: ExternalRefundRequest,
  answers: { 202: { description: 'The refund, as far as Stripe has come.', schema: RefundAnswer } },
  problems: [...problems],
} satisfies Operation<ExternalRefundRequest>;
