import type { SettlementId } from '../domain/ids.js';
import type { JsonObject } from '../domain/json.js';
import { TEMPO } from '../domain/settlement-providers.js';
import type { DecideOutcome, DecisionRequest } from '../ledger/ledger-types.js';
import type { Unanswered } from './decide.js';

/** What verifying a decision reads on chain; undefined in SettlementResolutionDependencies: no node is configured here. */
export interface ChainReader {
  lookUp(lookup: JsonObject, timeoutMs: number): Promise<Seen>;
}

type Seen =
  | { readonly kind: 'captured'; readonly txHash: string | null }
  | { readonly kind: 'not_captured' | 'unanswered'; readonly detail: string };

export interface SettlementResolutionDependencies {
  readonly ledger: {
    decide(request: DecisionRequest): Promise<DecideOutcome>;
    findSettlement(id: SettlementId): Promise<{ readonly provider: string; readonly status: string } | undefined>;
    settlementLookup(id: SettlementId): Promise<JsonObject | undefined>;
  };
  readonly chain: ChainReader | undefined;
}

/** A person waits for the answer. */
const LOOK_LIMIT_MS = 10_000;

/**
 * The way of every decision about a settlement. That a capture is settled is asked of the chain itself, whatever evidence was
 * given; the auth server cannot be asked, so there a person's evidence stands (I10).
 */
export function createSettlementResolution({ ledger, chain }: SettlementResolutionDependencies) {
  async function look(id: SettlementId): Promise<Seen> {
    if (!chain)
      return { kind: 'unanswered', detail: 'the chain cannot be asked here: set TEMPO_RPC_URL and what goes with it' };
    return await chain.lookUp((await ledger.settlementLookup(id)) ?? {}, LOOK_LIMIT_MS);
  }

  return {
    async decide(request: DecisionRequest): Promise<DecideOutcome | Unanswered> {
      const settlement = request.action === 'settled' ? await ledger.findSettlement(request.settlementId) : undefined;
      if (settlement?.provider !== TEMPO || settlement.status !== 'needs_attention')
        return await ledger.decide(request);
      const seen = await look(request.settlementId);
      switch (seen.kind) {
        case 'captured': {
          const evidence = { ...request.evidence, ...(seen.txHash === null ? {} : { tx_hash: seen.txHash }) };
          return await ledger.decide({ ...request, evidence, provedOnChain: true });
        }
        case 'not_captured':
          return { kind: 'refused', detail: seen.detail };
        case 'unanswered':
          return { kind: 'unanswered', detail: seen.detail };
      }
    },
  };
}

export type SettlementResolution = ReturnType<typeof createSettlementResolution>;
