import type { Response } from 'express';

/** An error of Hyperswitch's: status, type, code and words as its own code has them. */
export interface Problem {
  readonly status: number;
  readonly type: 'invalid_request' | 'api' | 'connector';
  readonly code: string;
  readonly message: string;
  readonly reason?: string;
}

const invalid = (status: number, code: string, message: string): Problem => ({
  status,
  type: 'invalid_request',
  code,
  message,
});

export const unauthorized = invalid(401, 'IR_01', 'API key not provided or invalid API key used');
export const unknownUrl = invalid(404, 'IR_02', 'Unrecognized request URL');
export const missingField = (field: string): Problem => invalid(400, 'IR_04', `Missing required param: ${field}`);
export const invalidRequest = (message: string): Problem => invalid(400, 'IR_06', message);
export const tooManyRefunds = invalid(400, 'IR_12', 'Reached maximum refund attempts');
export const overCaptured = invalid(400, 'IR_13', 'The refund amount exceeds the amount captured');
export const forbidden = invalid(403, 'IR_22', 'Access forbidden. Not authorized to access this resource');
export const paymentNotFound = invalid(404, 'HE_02', 'Payment does not exist in our records');
export const refundNotFound = invalid(404, 'HE_02', 'Refund does not exist in our records.');
export const disputeNotFound = invalid(404, 'HE_04', 'Dispute does not exist in our records');
/** Its flow for a dispute is not there in Stripe's connector, so a dispute that is open cannot be synchronised. */
export const noDisputeSync: Problem = {
  status: 500,
  type: 'connector',
  code: 'CE_00',
  message: 'Something went wrong',
};
export const notSucceeded = invalid(
  400,
  'HE_03',
  'The payment has not succeeded yet. Please pass a successful payment to initiate refund',
);
export const noMoneyToDispute = invalid(400, 'HE_03', 'Nothing is captured of the payment that could be disputed');
export const duplicateRefund = invalid(
  400,
  'HE_01',
  'Duplicate refund request. Refund already attempted with the refund ID',
);
export const duplicatePayment = (id: string): Problem => ({
  ...invalid(400, 'HE_01', 'The payment with the specified payment_id already exists in our records'),
  reason: `${id} already exists`,
});
export const notCancellable = (status: string, action = 'cancel'): Problem =>
  invalid(400, 'IR_16', `You cannot ${action} this payment because it has status ${status}`);
/** As Hyperswitch words it where the state of a payment does not allow what is asked. */
export const notCapturable = (status: string): Problem =>
  invalid(
    400,
    'IR_14',
    `This Payment could not be captured because it has a payment.status of ${status}. The expected state is requires_capture, partially_captured_and_capturable, processing`,
  );
export const refundFailed = invalid(400, 'CE_06', 'Refund failed while processing with connector. Retry refund');
export const locked = invalid(422, 'HE_00', 'Resource is busy. Please try again later.');
export const rateLimited = invalid(429, 'HE_00', 'Too many requests');
export const serverError = (status: number): Problem => ({
  status,
  type: 'api',
  code: 'HE_00',
  message: 'Something went wrong',
});

export function sendProblem(res: Response, { status, ...error }: Problem): void {
  res.status(status).json({ error });
}
