import type { SettlementId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import { TEMPO } from '../../domain/settlements/settlement-providers.js';
import type { Verification } from '../../ledger/decisions/decision-types.js';
import { NOT_NEEDED, type Verifier } from './verification.js';

/** What verifying a decision reads on chain; undefined in ChainVerifierDependencies: no node is configured here. */
export interface ChainReader {
  lookUp(lookup: JsonObject, timeoutMs: number): Promise<Seen>;
}

type Seen =
  | { readonly kind: 'captured'; readonly txHash: string | null }
  | { readonly kind: 'not_captured' | 'unanswered'; readonly detail: string };

export interface ChainVerifierDependencies {
  readonly ledger: {
    findSettlement(id: SettlementId): Promise<{ readonly provider: string; readonly status: string } | undefined>;
    settlementLookup(id: SettlementId): Promise<JsonObject | undefined>;
  };
  readonly chain: ChainReader | undefined;
}

/** A person waits for the answer. */
export const LOOK_LIMIT_MS = 10_000;

/**
 * Whether a capture is settled is asked of the chain itself, whatever evidence was given and before it is given up; the auth
 * server cannot be asked.
 */
export function settlementVerifier({ ledger, chain }: ChainVerifierDependencies): Verifier {
  return async ({ itemId, action }) => {
    const id = itemId as SettlementId;
    const settlement = await ledger.findSettlement(id);
    if (settlement?.provider !== TEMPO || settlement.status !== 'needs_attention') return NOT_NEEDED;
    if (!chain)
      return { kind: 'unanswered', detail: 'the chain cannot be asked here: set TEMPO_RPC_URL and what goes with it' };
    return shown(action, await chain.lookUp((await ledger.settlementLookup(id)) ?? {}, LOOK_LIMIT_MS));
  };
}

function shown(action: string, seen: Seen): Verification {
  switch (seen.kind) {
    case 'captured':
      return { kind: 'found', providerId: seen.txHash };
    case 'not_captured':
      return action === 'write_off' ? { kind: 'absent' } : { kind: 'refuted', detail: seen.detail };
    case 'unanswered':
      return { kind: 'unanswered', detail: seen.detail };
  }
}
