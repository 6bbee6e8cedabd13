import type { JsonObject } from '../domain/json.js';
import type { AtomicAmount } from '../domain/money.js';
import type { Protocol } from '../domain/settlements/settlement-status.js';
import { isUndecodable } from './credential.js';
import { decodeCredential } from './decode-credential.js';
import { settleBody } from './settle-body.js';

export interface ClosingFacts {
  readonly protocol: Protocol;
  readonly context: JsonObject;
  /** The last durable amount. */
  readonly spent: AtomicAmount;
  readonly decimals: number;
}

/** What to send for a session that its own server could not close; null: nothing durable was charged. */
export function closingBody(
  { protocol, context, spent, decimals }: ClosingFacts,
  credential: string,
): string | null | Error {
  const decoded = decodeCredential(protocol, credential, context, decimals);
  if (isUndecodable(decoded)) return new Error(decoded.undecodable);
  if (BigInt(spent) === 0n && !decoded.closesAtZero) return null;
  return settleBody({ credential: decoded, context, spent, decimals });
}
