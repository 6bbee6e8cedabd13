import type { JsonObject } from '../json.js';
import { unusableParts } from '../usable-json.js';
import { type DecidableKind, EVIDENCE, inWords } from './decisions.js';

/** Of who decides and of why, in characters. */
export const LONGEST_NAME = 200;
export const LONGEST_NOTE = 2000;
/** Of one text of the evidence; it may stand in an index. */
const LONGEST_EVIDENCE = 500;

/** What came by a workflow's message, which nobody has checked before it is in history. */
export interface SaidByMessage {
  readonly by: string;
  readonly note: string;
  readonly evidence: JsonObject | null;
}

/**
 * Why the ledger could not keep what was said, or not as evidence of anything; undefined: it can. Nothing of what came is
 * quoted. As strict as the API, but for a note that says nothing.
 */
export function faultOfMessage(kind: DecidableKind, { by, note, evidence }: SaidByMessage): string | undefined {
  if (typeof by !== 'string' || by.length > LONGEST_NAME) return `by is a text of at most ${LONGEST_NAME} characters`;
  if (typeof note !== 'string' || note.length > LONGEST_NOTE)
    return `note is a text of at most ${LONGEST_NOTE} characters`;
  const names: readonly string[] = EVIDENCE[kind];
  for (const [name, value] of Object.entries(evidence ?? {})) {
    if (!names.includes(name)) return `evidence about a ${kind} is ${inWords(names)}, and nothing else`;
    if (typeof value !== 'string' || value.trim() === '' || value.length > LONGEST_EVIDENCE)
      return `evidence: ${name} is a text of 1 to ${LONGEST_EVIDENCE} characters`;
  }
  const [unusable] = unusableParts({ by, note, evidence });
  return unusable && `${unusable.path.join(': ')} ${unusable.message}`;
}
