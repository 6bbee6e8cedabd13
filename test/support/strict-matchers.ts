import { chai } from 'vitest';

/**
 * `toMatchObject` compares only the members that are named, and a pattern or `{}` names none: it would match whatever is
 * there, null and texts too. What is meant is `expect.stringMatching(…)`, `expect.any(Object)`, or `toEqual`.
 */
function nothingNamed(expected: unknown, path: string): string | undefined {
  if (expected instanceof RegExp) return `${path} (${String(expected)})`;
  if (typeof expected !== 'object' || expected === null || expected instanceof Date) return undefined;
  if (Array.isArray(expected)) return firstOf(expected.map((each, index) => nothingNamed(each, `${path}[${index}]`)));
  if (!isPlain(expected)) return undefined;
  const members = Object.entries(expected);
  if (members.length === 0) return `${path} ({})`;
  return firstOf(members.map(([name, each]) => nothingNamed(each, `${path}.${name}`)));
}

const firstOf = (found: readonly (string | undefined)[]) => found.find((one) => one !== undefined);
const isPlain = (value: object): boolean => [Object.prototype, null].includes(Object.getPrototypeOf(value));

chai.util.overwriteMethod(
  chai.Assertion.prototype,
  'toMatchObject',
  (compare: (...given: unknown[]) => unknown) =>
    function (this: object, ...given: unknown[]) {
      const where = nothingNamed(given[0], 'expected');
      if (where !== undefined) throw new TypeError(`toMatchObject would take anything for ${where}`);
      return compare.apply(this, given);
    },
);
