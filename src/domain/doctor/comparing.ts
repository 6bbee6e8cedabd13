import type { ReconciledPart } from '../reconciliation/parts.js';
import { type Finding, ok, warn } from './finding.js';

/** Whether a part was not compared to its end for so long that somebody should know. */
export const isComparedLate = ({ ageSeconds }: { readonly ageSeconds: number }, everyMs: number): boolean =>
  ageSeconds * 1000 > 2 * everyMs;

/** @param everyMs RECONCILE_INTERVAL */
export function comparingFindings(
  parts: readonly { readonly part: ReconciledPart; readonly ageSeconds: number }[],
  everyMs: number,
): readonly Finding[] {
  const late = parts.filter((part) => isComparedLate(part, everyMs));
  if (late.length === 0) return [ok('waiting', 'the ledger is compared with its providers')];
  return [
    warn(
      'waiting',
      `not compared to the end for more than two intervals: ${late.map(({ part, ageSeconds }) => `${part} (${Math.round(ageSeconds / 60)} minutes)`).join(', ')}`,
      'makegood reconcile says what it cannot read (docs/runbooks/comparing-stopped.md)',
    ),
  ];
}
