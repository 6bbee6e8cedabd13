import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Line, linesOf } from '../../../src/cli/historical/lines.js';

async function* chunks(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part;
}
async function read(input: AsyncIterable<Uint8Array>): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of linesOf(input)) lines.push(line);
  return lines;
}

it('says the same however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(50)), async (texts, cuts) => {
      const whole = Buffer.from(texts.join('\n'));
      const parts: Uint8Array[] = [];
      let at = 0;
      for (const cut of cuts) {
        parts.push(whole.subarray(at, at + cut));
        at += cut;
      }
      parts.push(whole.subarray(at));
      expect(await read(chunks(...parts))).toEqual(await read(chunks(whole)));
    }),
  );
});

it('counts blank lines and leaves them out; the last line needs no end', async () => {
  expect(await read(chunks('one\n\n  \r\nfour\r\n\nsix'))).toEqual([
    { number: 1, text: 'one' },
    { number: 4, text: 'four\r' },
    { number: 6, text: 'six' },
  ]);
});

it('gives no text of a line that is too long or not UTF-8, and goes on behind it', async () => {
  const long = Buffer.alloc(1_000_000, 'x');
  expect(await read(chunks(long, long, '\nnext\n', Buffer.from([0xff, 0x0a]), 'last'))).toEqual([
    { number: 1, text: null },
    { number: 2, text: 'next' },
    { number: 3, text: null },
    { number: 4, text: 'last' },
  ]);
});
