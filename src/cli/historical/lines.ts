import { rawLines } from '../raw-lines.js';

/** One line of a file; `text` is null where it is too long or not UTF-8. */
export interface Line {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string | null;
}

/** More than any line of ours needs; without a limit, a file without line breaks would fill the memory. */
const LONGEST = 64 * 1024;

/** Line by line, however large the file. Blank lines are counted and left out. */
export async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  for await (const { number, text: raw } of rawLines(input, LONGEST)) {
    const text = raw?.replace(/^\uFEFF/, '') ?? null;
    if (text?.trim() !== '') yield { number, text };
  }
}
