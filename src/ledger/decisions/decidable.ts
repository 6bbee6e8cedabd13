import type { Clock } from '../../domain/clock.js';
import type { AtStake } from '../../domain/decisions/approval-threshold.js';
import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { ActionOf, DecidableKind } from '../../domain/decisions/decisions.js';
import type { DecisionId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import type { DisputeRules } from '../../domain/marketplace/disputes.js';
import type { FeePolicy } from '../../domain/marketplace/lines.js';
import type { OffsetRules } from '../../domain/marketplace/offsets.js';
import type { Query } from '../transition.js';
import type { Verification } from './decision-types.js';

/** What every item that may be decided upon has in its row. */
export interface DecidableRow {
  readonly id: string;
  readonly status: string;
  readonly attention_reason: AttentionReason | null;
  readonly attention_detail: string | null;
}

export const needsAttention = ({ attention_reason }: DecidableRow): boolean => attention_reason !== null;

export const inMinorUnits = ({
  amount,
  currency,
}: {
  readonly amount: string;
  readonly currency: string;
}): AtStake => ({
  amount: BigInt(amount),
  currency: currency.toLowerCase(),
});

/** What was said, and what the provider said to it. */
export interface Said {
  readonly evidence: JsonObject | null;
  readonly verified: Verification;
  /** Left out: nothing is kept of transfers. */
  readonly offsets?: OffsetRules | undefined;
}

export interface Work {
  readonly query: Query;
  readonly clock: Clock;
  readonly disputeRules: DisputeRules;
  readonly refundFee: FeePolicy;
  /** Which decision it carries out. */
  readonly decisionId: DecisionId;
}

export interface ActionHandler<Row> {
  /** What is missing before it may be taken; undefined: nothing. */
  missing?(row: Row, said: Said): string | undefined;
  /** Whether what is known of the money bears it out; left out: nothing is claimed that could be shown. */
  confirmed?(row: Row, said: Said): boolean;
  /** What it gives up, where that is not what the item is about. */
  atStake?(row: Row, said: Said): AtStake;
  /** Carries it out, in the transaction that records it. @returns the new status */
  apply(work: Work, row: Row, said: Said): Promise<string>;
}

/** How items of one kind are decided upon; one handler for each action of the catalogue. */
export interface Decidable<Kind extends DecidableKind, Row extends DecidableRow> {
  readonly table: string;
  /** Takes the row's lock, and before it those of what it belongs to. */
  lock(query: Query, id: string): Promise<Row | undefined>;
  /** Whether there is anything to be decided with this action. */
  waits(row: Row, action: string): boolean;
  atStake(row: Row): AtStake;
  /** Nothing can be done about it any more: what is told of it can only be acknowledged. */
  over?(row: Row): { readonly by: ActionOf<Kind>; readonly why: string } | undefined;
  acknowledge?(work: Work, row: Row): Promise<string>;
  readonly actions: { readonly [Action in ActionOf<Kind>]: ActionHandler<Row> };
}

/** An item with its row held, without the type of its row. */
export interface LockedItem {
  readonly id: string;
  readonly table: string;
  readonly status: string;
  readonly reason: AttentionReason | null;
  readonly detail: string | null;
  readonly atStake: AtStake;
  waits(action: string): boolean;
  /** undefined: the items of this kind have no such action. */
  on(action: string, said: Said): PossibleAction | undefined;
}

export interface PossibleAction {
  readonly missing: string | undefined;
  readonly confirmed: boolean | undefined;
  readonly atStake: AtStake;
  /** It only acknowledges what cannot be changed. */
  readonly acknowledges: boolean;
  apply(work: Work): Promise<string>;
}

export type LockItem = (query: Query, id: string) => Promise<LockedItem | undefined>;

export const locking =
  <Kind extends DecidableKind, Row extends DecidableRow>(decidable: Decidable<Kind, Row>): LockItem =>
  async (query, id) => {
    const row = await decidable.lock(query, id);
    return row && lockedItem(decidable, row);
  };

function lockedItem<Kind extends DecidableKind, Row extends DecidableRow>(
  decidable: Decidable<Kind, Row>,
  row: Row,
): LockedItem {
  const handlers: Readonly<Record<string, ActionHandler<Row>>> = decidable.actions;
  const over = decidable.over?.(row);
  return {
    id: row.id,
    table: decidable.table,
    status: row.status,
    reason: row.attention_reason,
    detail: row.attention_detail,
    atStake: decidable.atStake(row),
    waits: (action) => decidable.waits(row, action),
    on(action, said) {
      const handler = Object.hasOwn(handlers, action) ? handlers[action] : undefined;
      if (!handler) return undefined;
      const acknowledges = over?.by === action;
      return {
        missing: over ? (acknowledges ? undefined : over.why) : handler.missing?.(row, said),
        confirmed: over ? undefined : handler.confirmed?.(row, said),
        acknowledges,
        atStake: handler.atStake?.(row, said) ?? decidable.atStake(row),
        apply: (work) =>
          acknowledges && decidable.acknowledge ? decidable.acknowledge(work, row) : handler.apply(work, row, said),
      };
    },
  };
}
