import type { CaptureId } from '../../domain/ids.js';
import type { Capturing } from '../../domain/marketplace/marketplace.js';
import type { PaymentStatus } from '../../domain/marketplace/marketplace-status.js';
import type { Capture, CaptureMethod, PassedOn } from '../../domain/marketplace/payment-capture.js';

import { isOpen } from './payment-row.js';

export interface CapturingRow {
  capture_method: CaptureMethod;
  authorized_at: Date | null;
  profile_id: string | null;
  passed_on: PassedOn;
  cancel_asked_at: Date | null;
  captures:
    | readonly (Omit<Capture, 'id' | 'amount' | 'createdAt'> & {
        readonly id: CaptureId;
        readonly amount: string;
        readonly created_at: string;
      })[]
    | null;
}

/** Of `payments`: how it is made and captured, with its parts. */
export const CAPTURING_COLUMNS = `capture_method, authorized_at, profile_id, passed_on, cancel_asked_at,
  (SELECT jsonb_agg(jsonb_build_object('id', c.id, 'amount', c.amount::text, 'final', c.final, 'status', c.status, 'certainty', c.certainty,
    'detail', c.detail, 'created_at', c.created_at) ORDER BY c.id) FROM payment_captures c WHERE c.payment_id = payments.id) AS captures`;

export const toCapturing = (row: CapturingRow & { status: PaymentStatus }): Capturing => ({
  method: row.capture_method,
  parts: (row.captures ?? []).map(({ created_at: createdAt, amount, ...part }) => ({
    ...part,
    amount: BigInt(amount),
    createdAt: new Date(createdAt).toISOString(),
  })),
  heldSince: row.authorized_at?.toISOString() ?? null,
  cancelAskedAt: (isOpen(row.status) && row.cancel_asked_at?.toISOString()) || null,
});
