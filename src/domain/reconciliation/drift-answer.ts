import {
  type Drift,
  type DriftEnd,
  type DriftItem,
  type DriftKind,
  type DriftProvider,
  driftInWords,
} from './drift.js';

/** A drift as outsiders see it, in the API and with `--json`. */
export interface DriftAnswer {
  readonly id: string;
  readonly kind: DriftKind;
  readonly state: 'open' | 'closed';
  readonly words: string;
  readonly provider: DriftProvider;
  readonly provider_id: string;
  readonly item: DriftItem | null;
  /** Digits: minor units of the currency, or atomic units of the asset. */
  readonly amount: string | null;
  readonly currency: string | null;
  readonly ledger_says: string;
  readonly provider_says: string;
  readonly opened_at: string;
  readonly last_seen_at: string;
  readonly closed_at: string | null;
  readonly closed_why: DriftEnd | null;
  readonly closed_by: string | null;
  readonly note: string | null;
  /** Of what both sides say: whoever accepts names the one he saw. */
  readonly version: number;
  readonly waiting_acceptance: { readonly by: string; readonly note: string; readonly at: string } | null;
  readonly runbook: string;
}

export const DRIFT_RUNBOOK = 'docs/runbooks/drift.md';

export const driftAnswer = (drift: Drift): DriftAnswer => ({
  id: drift.id,
  kind: drift.kind,
  state: drift.state === 'closed' ? 'closed' : 'open',
  words: driftInWords[drift.kind],
  provider: drift.provider,
  provider_id: drift.providerId,
  item: drift.item,
  amount: drift.amount?.toString() ?? null,
  currency: drift.currency,
  ledger_says: drift.ledgerSays,
  provider_says: drift.providerSays,
  opened_at: drift.openedAt ?? drift.lastSeenAt,
  last_seen_at: drift.lastSeenAt,
  closed_at: drift.closedAt,
  closed_why: drift.closedWhy,
  closed_by: drift.closedBy,
  note: drift.closedNote,
  version: drift.version,
  waiting_acceptance: drift.asked,
  runbook: DRIFT_RUNBOOK,
});

const END_IN_WORDS: Readonly<Record<DriftEnd, string>> = {
  agrees: 'both tell the same since then',
  accepted: 'a person accepted it',
  repaired: 'the reconciler mended it',
};

/** For a terminal. */
export function driftLines(drift: Drift): readonly string[] {
  const {
    id,
    kind,
    item,
    providerId,
    provider,
    amount,
    currency,
    closedWhy,
    closedAt,
    closedBy,
    closedNote,
    version,
    asked,
  } = drift;
  const money = amount === null ? '' : `, ${amount} ${currency}`;
  const end =
    closedWhy &&
    `closed ${closedAt}: ${END_IN_WORDS[closedWhy]}${closedBy === null ? '' : ` (${closedBy})`}${closedNote === null ? '' : `: "${closedNote}"`}`;
  return [
    `drift ${id}: ${kind}${money}, ${drift.state} since ${drift.openedAt ?? drift.lastSeenAt}`,
    `  ${driftInWords[kind]}`,
    `  the ledger says: ${drift.ledgerSays}`,
    `  ${provider} says of ${providerId}: ${drift.providerSays} (looked at ${drift.lastSeenAt})`,
    ...(item === null ? ['  it is about nothing of ours'] : [`  it is about ${item.kind} ${item.id}`]),
    ...(end
      ? [`  ${end}`]
      : [
          '  what happens next: the reconciler looks at it in every run, and closes it when both tell the same; it moves no money',
          ...(asked
            ? [
                `  ${asked.by} has asked that it be accepted ("${asked.note}", ${asked.at}): an approver confirms it by the same command`,
              ]
            : []),
          `  what you can do: mend what is wrong, or say that it is right as it is: makegood reconcile --accept ${id} --seen ${version} --note "…"`,
          `  runbook: ${DRIFT_RUNBOOK}`,
        ]),
  ];
}
