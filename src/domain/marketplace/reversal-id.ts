import { createHash } from 'node:crypto';
import type { CauseId, ReversalId, TransferId } from '../ids.js';

/**
 * The reversal of one transfer because of one cause has one id, however often and wherever it is written: RFC 9562 §5.8
 * (UUIDv8) over the SHA-256 of both ids. Not among the other ids because workflows have no `node:crypto`.
 * @param part 0: what was demanded; else a part that was split from it later, which is taken by a call of its own
 */
export function reversalId(cause: CauseId, transfer: TransferId, part = 0): ReversalId {
  const named = `makegood reversal ${cause} ${transfer}${part === 0 ? '' : ` part ${part}`}`;
  const bytes = createHash('sha256').update(named).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as ReversalId;
}
