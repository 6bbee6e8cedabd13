/** What the Temporal Web UI shows of a workflow, its activities and its timers, beside their names. */

/** Temporal takes 400 bytes of a summary and refuses the rest with all that it came with; so many characters are never more. */
const LONGEST_SUMMARY = 120;

/** A summary is one line. What is put into it may be of anybody's making. */
export function summaryOf(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= LONGEST_SUMMARY ? line : `${line.slice(0, LONGEST_SUMMARY - 1)}…`;
}

/** The details that a workflow begins with. @param what the workflow does, in a sentence */
export const itemDetails = (what: string, id: string): string =>
  `${what} The ledger decides, this workflow only drives it: \`makegood explain ${id}\` tells where the money is, why, and what can be done.`;

/** In the clock of the Web UI's readers there is no zone that all of them share. */
export const atTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
