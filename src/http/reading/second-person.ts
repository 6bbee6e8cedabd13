import type { ApprovalThreshold, AtStake } from '../../domain/decisions/approval-threshold.js';
import { type DecidableKind, ruleOf } from '../../domain/decisions/decisions.js';
import { takesAnother } from '../../domain/decisions/second-person.js';
import { formatDecimal, toHundredths } from '../../domain/money.js';
import type { ItemSummary } from '../../ledger/reading/item-summaries.js';

/** As the ledger counts what a decision about this item gives up. */
function atStake({ amount, unit, decimals, stake, stakeUnit }: ItemSummary): AtStake {
  const most = BigInt(stake ?? amount);
  return {
    amount: decimals === null ? most : toHundredths(most, decimals),
    currency: (stakeUnit ?? unit).toLowerCase(),
  };
}

export function needsSecondPerson(item: ItemSummary, action: string, threshold: ApprovalThreshold): boolean {
  const rule = ruleOf(item.kind as DecidableKind, action);
  return rule !== undefined && takesAnother(rule, atStake(item), threshold);
}

/** With its unit, as in explanations. */
export const amountInWords = ({ amount, unit, decimals }: ItemSummary): string =>
  decimals === null ? `${amount} ${unit} (minor units)` : `${formatDecimal(BigInt(amount), decimals)} ${unit}`;
