import { REVERSALS } from './reversals.js';
import type { Story } from './story.js';
import { TRANSFERS } from './transfers.js';

const TOLD: ReadonlySet<string> = new Set([
  'a transfer',
  'a transfer whose answer is lost',
  'a transfer, while Stripe has it and its answer is on the way',
  'a reversal',
  'a reversal whose answer is lost',
  'a reversal, while Stripe has it and its answer is on the way',
]);

/** Paid, sent in the currency of the platform's balance, refunded and taken back in that: the same stories, in a world that converts. */
export const CONVERTED: readonly Story[] = [...TRANSFERS, ...REVERSALS].filter(({ what }) => TOLD.has(what));
