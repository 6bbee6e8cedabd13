import type { DecidableKind } from '../../domain/decisions/decisions.js';
import type { JsonObject } from '../../domain/json.js';
import type { Verification } from '../../ledger/decisions/decision-types.js';

/** What somebody says about an item, before it is believed. */
export interface Statement {
  readonly kind: DecidableKind;
  readonly itemId: string;
  readonly action: string;
  readonly evidence: JsonObject | null;
}

/** Asks whoever can know, only for actions of the catalogue that ask; never changes anything. */
export type Verifier = (statement: Statement) => Promise<Verification>;

export const NOT_NEEDED: Verification = { kind: 'not_needed' };

export function textOf(evidence: JsonObject | null, name: string): string | undefined {
  const value = evidence?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
