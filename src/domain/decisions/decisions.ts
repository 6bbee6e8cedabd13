import type { AttentionReason } from './attention.js';

/** Somebody else reversed something of the transfer at Stripe. */
const TAKEN_BY_OTHERS = ['partly_foreign_reversal', 'exceeds_remainder', 'foreign_reversal'] as const;

/**
 * What persons may decide, of which kind of item: the one list. Workflow messages, the API and its description, the CLI and
 * "what next" read it; the ledger has one handler for each entry and does not compile without.
 *
 * To add an action:
 * 1. an entry here, under its kind. `reasons` limits it to items that wait for one of these; `asks` has the provider asked
 *    first (src/calls/decisions: the verifier of the kind gets the action, and answers with a `Verification`).
 * 2. its handler in `src/ledger/decisions/decide-<kind>.ts`: `missing` says what is missing before it may be taken, `confirmed`
 *    whether the provider's records bear it out, `apply` carries it out in the transaction that records it.
 * 3. its rows in the table of test/integration/decision-matrix.test.ts, which fails on an entry that it does not expect.
 * To add a kind: an entry here and in EVIDENCE, `src/ledger/decisions/decide-<kind>.ts` listed in src/ledger/decisions/decide.ts, a verifier in
 * src/calls/decisions/decide.ts, and its operation in src/http/decisions/decision-operations.ts; the compiler names each place.
 */
export const DECISIONS = {
  settlement: {
    retry: { persons: 'none' },
    settled: { persons: 'none_if_confirmed', asks: true },
    write_off: { persons: 'by_amount', asks: true },
  },
  transfer: {
    retry: { persons: 'none' },
    adopt: { persons: 'by_amount_unless_confirmed', asks: true },
    // What POST …/release does, for whoever is asked because nobody has.
    release: { persons: 'by_amount', reasons: ['release_overdue'] },
    write_off: { persons: 'by_amount', asks: true },
  },
  reversal: {
    retry: { persons: 'none' },
    adopt: { persons: 'by_amount_unless_confirmed', asks: true },
    count_as_share: { persons: 'by_amount', asks: true, reasons: TAKEN_BY_OTHERS },
    take_missing: { persons: 'by_amount', asks: true, reasons: TAKEN_BY_OTHERS },
    take_all: { persons: 'by_amount', asks: true, reasons: TAKEN_BY_OTHERS },
    // Less than all of it: what is there now, the rest later; or nothing of it at Stripe, and all of it of the seller's next transfers.
    take_available: {
      persons: 'by_amount',
      asks: true,
      reasons: [...TAKEN_BY_OTHERS, 'balance_horizon', 'seller_owes'],
      waiting: true,
    },
    offset: {
      persons: 'by_amount',
      asks: true,
      reasons: [...TAKEN_BY_OTHERS, 'balance_horizon', 'missing_transfer_id', 'seller_owes'],
      waiting: true,
    },
    write_off: { persons: 'by_amount', asks: true },
  },
  payment: {
    retry: { persons: 'none' },
    // A money call of its own, whose answer decides what became of it; it ends a sale all the same.
    cancel: { persons: 'by_amount' },
    // Only a part was captured: that part pays the order, and the sellers theirs of it.
    accept_capture: { persons: 'two', asks: true, reasons: ['payment_amount_differs'] },
    // The buyer has his money although no refund of ours gave it to him; and, once Hyperswitch has it again, that this is over.
    given_back: { persons: 'two', asks: true, reasons: ['conflict', 'unknown_refund'] },
    not_given_back: { persons: 'two', asks: true, reasons: ['conflict'] },
    write_off: { persons: 'by_amount', asks: true },
  },
  refund: {
    retry: { persons: 'none' },
    compensate: { persons: 'two', reasons: ['refund_failed_after_reversal'] },
    write_off: { persons: 'by_amount' },
  },
  dispute: {
    retry: { persons: 'none' },
    // Only the processor has told of it: followed all the same, by the processor's own record.
    adopt: { persons: 'by_amount', reasons: ['dispute'] },
    // Where its funds are, which nobody here can read. That they are back pays sellers again.
    funds_out: { persons: 'by_amount', asks: true, reasons: ['dispute'] },
    funds_back: { persons: 'two', asks: true },
    write_off: { persons: 'by_amount', reasons: ['dispute', 'conflict'] },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, ActionRule>>>>;

export interface ActionRule {
  /**
   * Whose word it takes. `none`: it looks before it moves money, or believes only the provider, so anybody may say it.
   * `none_if_confirmed`: two persons where the provider does not confirm it. `by_amount`: one person below the threshold, two
   * from it on; `by_amount_unless_confirmed`: nobody where the provider confirms it. `two`: always.
   */
  readonly persons: 'none' | 'none_if_confirmed' | 'by_amount_unless_confirmed' | 'by_amount' | 'two';
  /** The provider is asked what is true before the ledger decides, and once more when it is approved. */
  readonly asks?: true;
  /** Only for items that wait for one of these; left out: whatever they wait for. */
  readonly reasons?: readonly AttentionReason[];
  /** Also for items of which nobody is asked, because they wait by themselves. */
  readonly waiting?: true;
}

export type DecidableKind = keyof typeof DECISIONS;
export type ActionOf<Kind extends DecidableKind> = keyof (typeof DECISIONS)[Kind] & string;

type LimitedOf<Actions> = {
  [Name in keyof Actions]: Actions[Name] extends { reasons: unknown } ? Name : never;
}[keyof Actions];
/** What a person can decide about a share of which not all can be taken now. */
export type LessAction = Extract<LimitedOf<(typeof DECISIONS)['reversal']>, 'take_available' | 'offset'>;
/** What a person can decide about a share of whose transfer somebody else took something. */
export type ForeignAction = Exclude<LimitedOf<(typeof DECISIONS)['reversal']>, LessAction>;

/** Where a person saw what he says; what else an item of this kind may be shown is refused as a misspelling. */
export const EVIDENCE = {
  settlement: ['tx_hash', 'reference'],
  transfer: ['stripe_transfer_id', 'reference'],
  reversal: ['stripe_reversal_id', 'amount', 'reference'],
  payment: ['reference'],
  refund: ['reference'],
  dispute: ['amount', 'reference'],
} as const satisfies Readonly<Record<DecidableKind, readonly string[]>>;
export type EvidenceName = (typeof EVIDENCE)[DecidableKind][number];

export const DECIDABLE_KINDS = Object.keys(DECISIONS) as readonly DecidableKind[];

export const isDecidable = (kind: string): kind is DecidableKind => Object.hasOwn(DECISIONS, kind);

/** Every action of a kind, whatever it may be limited to. */
export const actionsOf = <Kind extends DecidableKind>(kind: Kind): readonly ActionOf<Kind>[] =>
  Object.keys(DECISIONS[kind]) as ActionOf<Kind>[];

/** undefined: no such action of this kind. */
export function ruleOf(kind: DecidableKind, action: string): ActionRule | undefined {
  const rules: Readonly<Record<string, ActionRule>> = DECISIONS[kind];
  return Object.hasOwn(rules, action) ? rules[action] : undefined;
}

/** What the settings of a deployment leave to nobody: without OFFSET nothing is kept of a seller's transfers. */
export const notTakenBy = (offsets: { readonly on: boolean } | undefined): readonly string[] =>
  offsets?.on === true ? [] : ['offset'];

/** What may be decided about an item that waits for this reason. @param notTaken by the settings here */
export const actionsFor = (
  kind: DecidableKind,
  reason: AttentionReason,
  notTaken: readonly string[] = [],
): readonly string[] =>
  actionsOf(kind).filter(
    (action) => (ruleOf(kind, action)?.reasons?.includes(reason) ?? true) && !notTaken.includes(action),
  );

/** What may be decided about a reversal that waits by itself; what its seller owes is asked of Stripe again, or given up, as well. */
export const actionsForWaiting = (owed: boolean, notTaken: readonly string[] = []): readonly ActionOf<'reversal'>[] =>
  owed
    ? ['retry', 'take_available', 'write_off']
    : actionsOf('reversal').filter(
        (action) => ruleOf('reversal', action)?.waiting === true && !notTaken.includes(action),
      );

/** Whether this may be decided for this reason; null: nobody is asked, and the item waits by itself. */
export const isForReason = ({ reasons, waiting }: ActionRule, reason: AttentionReason | null): boolean =>
  reasons === undefined || (reason === null ? waiting === true : reasons.includes(reason));

/** `retry, adopt or write_off` */
export const inWords = (actions: readonly string[]): string =>
  actions.length < 2 ? actions.join() : `${actions.slice(0, -1).join(', ')} or ${actions.at(-1)}`;

/** Why there is nothing to approve, and where to look. @param status of the decision, or of its item where that waits no more */
export function nothingToApprove(
  status: string,
  item: { readonly kind: DecidableKind; readonly itemId: string },
): string {
  const { kind, itemId } = item;
  const why =
    status === 'applied'
      ? 'it was approved and carried out before'
      : status === 'ignored'
        ? `it was overtaken by another decision, or its ${kind} is not asked about any more`
        : `its ${kind} is ${status} and waits for no decision any more`;
  return `${why}: nothing was changed; makegood show ${itemId} tells what became of it`;
}
