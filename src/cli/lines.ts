/** One line of a file; `text` is null where it is too long or not UTF-8. */
export interface Line {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string | null;
}

/** More than any line of ours needs; without a limit, a file without line breaks would fill the memory. */
const LONGEST = 64 * 1024;
const NEWLINE = 0x0a;

/** Line by line, however large the file. Blank lines are counted and left out. */
export async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let number = 0;
  let parts: Uint8Array[] = [];
  let length = 0;

  function finish(): Line | undefined {
    number += 1;
    const text = length > LONGEST ? null : decoded(Buffer.concat(parts));
    parts = [];
    length = 0;
    return text?.trim() === '' ? undefined : { number, text };
  }
  function keep(bytes: Uint8Array): void {
    length += bytes.length;
    if (length <= LONGEST) parts.push(bytes);
  }

  for await (const chunk of input) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      keep(chunk.subarray(from, at));
      from = at + 1;
      const line = finish();
      if (line) yield line;
    }
    keep(chunk.subarray(from));
  }
  const last = length > 0 ? finish() : undefined;
  if (last) yield last;
}

function decoded(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
