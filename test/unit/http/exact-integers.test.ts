import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inexactNumbers } from '../../../src/http/exact-integers.js';

const pointers = (json: string) => inexactNumbers(json).map(({ pointer }) => pointer);

describe('numbers of a document that are no plain integers', () => {
  it.each([
    ['1.0', ['']],
    ['[1,2.5,3,4e0]', ['/1', '/3']],
    ['{"a":{"b":[0,{"c":1E5}]},"d":-0.0}', ['/a/b/1/c', '/d']],
    ['{"a/b":1.5,"c~d":2.5}', ['/a~1b', '/c~0d']],
    ['{"\\u0061":1.5}', ['/a']],
    ['{"a":[],"b":{},"c":[[],[1.5]]}', ['/c/1/0']],
    ['9007199254740991', []],
    ['9007199254740992', ['']],
    ['-9007199254740992', ['']],
    ['{"a":"1.5","1.5":2,"b":"x\\"1.5\\\\","c":[true,false,null]}', []],
    ['  {  "a"  :  [ 1 , 2 ] }  ', []],
  ])('of %s are at %j', (json, expected) => {
    expect(pointers(json)).toEqual(expected);
  });

  it('are found wherever they are, and nothing else is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const wrong: string[] = [];
        const walk = (one: unknown, path: string): void => {
          if (typeof one === 'number') {
            // What JSON.stringify writes of it is what the document holds.
            const written = JSON.stringify(one);
            if (/[.eE]/.test(written) || !Number.isSafeInteger(one)) wrong.push(path);
          } else if (typeof one === 'object' && one !== null) {
            for (const [name, inner] of Object.entries(one))
              walk(inner, `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
          }
        };
        const json = JSON.stringify(value, null, 1);
        walk(JSON.parse(json), '');
        expect(pointers(json).sort((a, b) => (a < b ? -1 : 1))).toEqual(wrong.sort((a, b) => (a < b ? -1 : 1)));
      }),
      { numRuns: 500 },
    );
  });

  it('are found in a document as large and as deep as a body may be, without recursion', () => {
    const deep = `${'['.repeat(50_000)}1.5${']'.repeat(50_000)}`;
    expect(pointers(deep)).toHaveLength(1);
    expect(pointers(`["${'\\"'.repeat(50_000)}",1.5]`)).toEqual(['/1']);
  });
});
