/** What can be explained and has a story. */
export const EXPLAINED_KINDS = [
  'settlement',
  'order',
  'payment',
  'refund',
  'transfer',
  'reversal',
  'dispute',
  'channel',
] as const;
export type ExplainedKind = (typeof EXPLAINED_KINDS)[number];

export const isExplained = (kind: string): kind is ExplainedKind => EXPLAINED_KINDS.some((known) => known === kind);
