import type { PaymentId } from '../../domain/ids.js';
import type { MayBeHeld } from '../../domain/marketplace/held-money.js';
import type { CaptureMethod } from '../../domain/marketplace/payment-capture.js';
import type { Query } from '../transition.js';

/** What was paid of it, and how: what Stripe lets go of is told from what goes back by that. */
export async function mayBeHeld(query: Query, payment: PaymentId): Promise<MayBeHeld | undefined> {
  const [row] = await query<{
    amount: string;
    captured: string;
    captured_known: boolean;
    capture_method: CaptureMethod;
  }>('SELECT amount, captured, captured_known, capture_method FROM payments WHERE id = $1', [payment]);
  return (
    row && {
      amount: BigInt(row.amount),
      captured: row.captured_known ? BigInt(row.captured) : null,
      captureMethod: row.capture_method,
    }
  );
}
