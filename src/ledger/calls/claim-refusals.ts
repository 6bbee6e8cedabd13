import { mayHaveMoved } from '../../domain/calls/certainty.js';
import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { Query } from '../transition.js';
import type { StripeClaim } from './call-types.js';
import { type CallRow, type CallTable, LOOKED_AFTER_MS, lookAgain } from './stripe-calls.js';
import { parked } from './stripe-gates.js';

/** Why nothing is sent for a row now. */
export type ClaimRefusal = Exclude<StripeClaim<never>, { kind: 'claimed' }>;

/** A person is asked about it. */
export async function attentionOf(query: Query, table: CallTable, row: CallRow): Promise<ClaimRefusal> {
  const unknown = mayHaveMoved(row.certainty);
  await lookAgain(query, table, row.id, LOOKED_AFTER_MS[unknown ? 'unknown' : 'known']);
  const reason = row.attention_reason as AttentionReason;
  return { kind: 'attention', reason, detail: row.attention_detail ?? '', unknown };
}

export async function later(
  query: Query,
  table: CallTable,
  { id }: Pick<CallRow, 'id'>,
  { afterMs, why }: { readonly afterMs: number; readonly why: string },
): Promise<ClaimRefusal> {
  await lookAgain(query, table, id, afterMs);
  return { kind: 'later', afterMs, why };
}

/** undefined: neither Stripe nor this seller at it is parked. */
export async function parkedRefusal(query: Query, table: CallTable, row: CallRow): Promise<ClaimRefusal | undefined> {
  const gate = await parked(query, row.seller_account);
  if (!gate) return undefined;
  if (gate.probe) return { kind: 'probe', provider: gate.provider, sellerAccount: row.seller_account };
  await query(`UPDATE ${table} SET last_answer = 'parked' WHERE id = $1`, [row.id]);
  await lookAgain(query, table, row.id, gate.afterMs);
  return { kind: 'parked', afterMs: gate.afterMs, why: `${gate.provider} is parked` };
}
