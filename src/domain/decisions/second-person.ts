import { type ApprovalThreshold, type AtStake, belowThreshold } from './approval-threshold.js';
import type { ActionRule } from './decisions.js';

/**
 * Whether a decision takes another person, by what is known before it is made: that the provider confirms it may spare him, and
 * what the same person has given up within a day may call for him.
 */
export function takesAnother({ persons }: ActionRule, atStake: AtStake, threshold: ApprovalThreshold): boolean {
  switch (persons) {
    case 'none':
      return false;
    case 'two':
    case 'none_if_confirmed':
      return true;
    case 'by_amount':
    case 'by_amount_unless_confirmed':
      return !belowThreshold(threshold, atStake, 0n);
  }
}
