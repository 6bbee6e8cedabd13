import type { RawLine } from '../domain/proof/verify-pack.js';

/** Far more than any event has; without a limit, a file without line breaks would fill the memory. */
const LONGEST_EVENT = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Every line of a file exactly as it is, blank ones too, however large the file. @param longest in bytes */
export async function* rawLines(input: AsyncIterable<Uint8Array>, longest = LONGEST_EVENT): AsyncGenerator<RawLine> {
  let number = 0;
  let parts: Uint8Array[] = [];
  let length = 0;

  function finish(whole: boolean): RawLine {
    number += 1;
    const text = length > longest ? null : decoded(Buffer.concat(parts));
    parts = [];
    length = 0;
    return { number, text, whole };
  }
  function keep(bytes: Uint8Array): void {
    length += bytes.length;
    if (length <= longest) parts.push(bytes);
  }

  for await (const chunk of input) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      keep(chunk.subarray(from, at));
      from = at + 1;
      yield finish(true);
    }
    keep(chunk.subarray(from));
  }
  if (length > 0) yield finish(false);
}

function decoded(bytes: Buffer): string | null {
  try {
    // A byte order mark is a byte like any other here.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
