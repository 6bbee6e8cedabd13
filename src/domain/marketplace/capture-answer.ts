import type { Certainty } from '../calls/certainty.js';
import type { Payment } from './marketplace.js';
import type { Capture, CaptureMethod } from './payment-capture.js';
import { minorUnits } from './reversal-answer.js';

export type CaptureAnswer = {
  readonly id: string;
  readonly amount: number;
  readonly final: boolean;
  readonly status: Capture['status'];
  readonly certainty: Certainty;
  readonly detail: string | null;
  readonly created_at: string;
};

/** How a payment is made and captured, as outsiders see it. */
export type CapturingAnswer = {
  readonly capture: CaptureMethod;
  /** Parts that were asked for here, the oldest first. */
  readonly captures: readonly CaptureAnswer[];
  readonly held_since: string | null;
  readonly cancel_asked_at: string | null;
  readonly profile_id: string | null;
  readonly customer_id: string | null;
  readonly return_url: string | null;
  readonly metadata: Readonly<Record<string, string>>;
};

export const capturingAnswer = ({ capture, profileId, passedOn }: Payment): CapturingAnswer => ({
  capture: capture.method,
  captures: capture.parts.map(({ createdAt, amount, ...part }) => ({
    ...part,
    amount: minorUnits(amount),
    created_at: createdAt,
  })),
  held_since: capture.heldSince,
  cancel_asked_at: capture.cancelAskedAt,
  profile_id: profileId,
  customer_id: passedOn.customer?.id ?? null,
  return_url: passedOn.returnUrl ?? null,
  metadata: passedOn.metadata ?? {},
});
