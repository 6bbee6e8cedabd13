import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { csvOf, tableOf } from '../../../src/http/reading/csv.js';
import { listAnswer } from '../../../src/http/schema-parts.js';

const TABLE = tableOf(
  listAnswer(
    z.object({
      id: z.string(),
      attention: z.object({ reason: z.string(), since: z.string() }).nullable(),
      amount: z.int(),
      parts: z.array(z.object({ id: z.string() })),
    }),
  ),
);

/** RFC 4180, by somebody else's rules: quotes are doubled, and nothing ends within them. */
function parsed(text: string): string[][] {
  const rows: string[][] = [[]];
  let cell = '';
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (isQuoted && char === '"' && text[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (char === '"') isQuoted = !isQuoted;
    else if (!isQuoted && char === ',') {
      rows.at(-1)?.push(cell);
      cell = '';
    } else if (!isQuoted && text.startsWith('\r\n', at)) {
      rows.at(-1)?.push(cell);
      cell = '';
      rows.push([]);
      at += 1;
    } else cell += char;
  }
  return rows.slice(0, -1);
}

/** What quoting, lines, formulas and scripts of other directions are made of. */
const UNITS = Array.from('"\',;=+-@ \t\r\nab0\u202E\0ü🙂');

describe('a table of a list', () => {
  it('has a column for each member, however deep, and none for what may be null', () => {
    expect(TABLE.columns).toEqual(['id', 'attention.reason', 'attention.since', 'amount', 'parts']);
    const item = { id: 'a', attention: null, amount: -5, parts: [{ id: 'x,"y"' }] };
    expect(parsed(csvOf(TABLE, [item]))).toEqual([[...TABLE.columns], ['a', '', '', '-5', '[{"id":"x,\\"y\\""}]']]);
  });

  it('keeps every text as it is, but that none is a formula', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...UNITS) }),
        fc.constantFrom('', '=', '+', '-', '@', '\t', '\r', '\n', '＝'),
        (rest, start) => {
          const text = start + rest;
          const [, [id = ''] = []] = parsed(csvOf(TABLE, [{ id: text, attention: null, amount: 1, parts: [] }]));
          expect(id).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/);
          expect(id.replace(/^'/, '')).toBe(text.replace(/^'/, ''));
        },
      ),
    );
  });
});
