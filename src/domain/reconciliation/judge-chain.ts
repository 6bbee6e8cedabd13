import type { Suspicion } from './drift.js';
import { isYoung, type Recency } from './judge-stripe.js';
import type { HeldAuthorization } from './ledger-rows.js';

/** @param used whether the token says that this authorization was used, or cancelled by its payer */
export function judgeAuthorization(row: HeldAuthorization, used: boolean, recency: Recency): Suspicion | undefined {
  const settled = row.status === 'settled';
  if (row.underWay || settled === used || isYoung(row.changedAt, recency)) return undefined;
  return {
    kind: used ? 'settlement_unknown' : 'settlement_missing',
    provider: 'chain',
    providerId: `${row.network}/${row.asset}/${row.from}/${row.nonce}`,
    parentId: null,
    item: { kind: 'settlement', id: row.id },
    amount: row.spent,
    currency: row.symbol,
    ledgerSays: row.status,
    providerSays: used ? 'the authorization is used, or was cancelled by the payer' : 'the authorization is unused',
  };
}
