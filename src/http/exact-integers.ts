import { type FieldError, pointerTo } from './problem.js';

/** One token of JSON; what JSON.parse has accepted is made of these and white space. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*|[[\]{},:]|[a-z]+/g;

interface Open {
  /** Of a list: the place of the element that is read. Of an object: the name of the member. */
  at: number | string;
  readonly list: boolean;
  /** Of an object: the next text is a name. */
  naming: boolean;
}

/**
 * The numbers of a document that are not plain integers as they are written: `1e3` and `1000.0` are 1000 for every
 * parser, but who writes money like that has computed it with floats. Without recursion, whatever the nesting.
 * @param json text that JSON.parse has accepted
 */
export function inexactNumbers(json: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const open: Open[] = [];
  for (const [token] of json.matchAll(TOKEN)) {
    const inner = open.at(-1);
    if (token === '{' || token === '[') {
      open.push({ list: token === '[', at: token === '[' ? 0 : '', naming: token === '{' });
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (token === ',' && inner) {
      if (typeof inner.at === 'number') inner.at += 1;
      inner.naming = !inner.list;
    } else if (inner?.naming && token.startsWith('"')) {
      inner.at = String(JSON.parse(token));
      inner.naming = false;
    } else if (/^-?[0-9]/.test(token)) {
      const wrong = wrongWith(token);
      if (wrong) errors.push({ pointer: pointerTo(open.map(({ at }) => at)), message: wrong });
    }
  }
  return errors;
}

function wrongWith(token: string): string | undefined {
  if (/[.eE]/.test(token)) return `is written as ${token.slice(0, 30)}: an amount is an integer of minor units`;
  return Number.isSafeInteger(Number(token)) ? undefined : `is above ${Number.MAX_SAFE_INTEGER}, the largest amount`;
}
