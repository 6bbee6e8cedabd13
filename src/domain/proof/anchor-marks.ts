import { anchorName } from './anchors.js';

/** Postgres keeps which anchor was written last: neither it nor the directory can lose or gain one alone. */
export interface AnchorMark {
  /** 0: a directory was begun anew, and is empty. */
  readonly number: number;
  readonly day: string;
  /** Of the last line of the file. */
  readonly digest: string;
}

/** `meant` before the file has its name, `written` after. */
export type AnchorStep = 'meant' | 'written';

export interface LastAnchor {
  /** Of the directory; undefined: it is empty. */
  readonly last: AnchorMark | undefined;
  /** What was written last as Postgres says, and before the directory was looked at; undefined: nothing yet. */
  readonly marked: AnchorMark | undefined;
  /** Whether `last` is marked in Postgres, at least as meant. */
  readonly known: boolean;
  /** By the clock of Postgres. */
  readonly today: string;
}

/** Whether the directory ends where Postgres says that it does. @returns what is wrong, with the anchor it is about */
export function wrongEnd({
  last,
  marked,
  known,
  today,
}: LastAnchor): { readonly anchor: string; readonly why: string } | undefined {
  if (marked && marked.number > (last?.number ?? 0))
    return {
      anchor: anchorName(marked.number, marked.day),
      why: 'was written and is not there: the last anchors were dropped or renamed',
    };
  if (!last) return undefined;
  const anchor = anchorName(last.number, last.day);
  if (last.day > today) return { anchor, why: `is of a day that has not come: it is ${today}` };
  if (!marked || (known && (marked.number < last.number || marked.digest === last.digest))) return undefined;
  return { anchor, why: 'was written by no worker of this database' };
}
