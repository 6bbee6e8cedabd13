import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { assertNever } from '../../../src/domain/assert-never.js';

const limits = {
  nullable: z.boolean().optional(),
  min: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  maxEntries: z.number().optional(),
  maxKeyLength: z.number().optional(),
  maxValueLength: z.number().optional(),
};
/** Exactly one of `type`, `words`, `listOf` and `listOfWords` says what it is. */
const member = z.strictObject({
  type: z.enum(['string', 'integer', 'boolean', 'object', 'date-time']).optional(),
  words: z.string().optional(),
  listOf: z.string().optional(),
  listOfWords: z.string().optional(),
  ...limits,
});
type Member = z.output<typeof member>;
const schema = z.strictObject({
  source: z.record(z.string(), z.string()),
  header: z.string(),
  operations: z.record(
    z.string(),
    z.strictObject({
      request: z.string().optional(),
      query: z.record(z.string(), z.string()).optional(),
      answers: z.record(z.string(), z.string()),
    }),
  ),
  objects: z.record(
    z.string(),
    z.strictObject({ closed: z.boolean(), required: z.array(z.string()), members: z.record(z.string(), member) }),
  ),
  words: z.record(z.string(), z.array(z.string()).min(1)),
  /** `Object.member limit` → why the document contradicts itself there. */
  waived: z.record(z.string(), z.string()),
});

/** What Hyperswitch's own API document asks of requests and answers; the file names the commit it was taken from. */
export const CONSTRAINTS = schema.parse(
  JSON.parse(readFileSync(new URL('../../fixtures/hyperswitch-constraints.json', import.meta.url), 'utf8')),
);

/** Everything about `value` that the document does not allow, as `path: what`; empty: it conforms. */
export function violations(value: unknown, name: string, at = name): string[] {
  const [, item] = /^(.+)\[\]$/.exec(name) ?? [];
  if (item !== undefined)
    return Array.isArray(value)
      ? value.flatMap((each, index) => violations(each, item, `${item}[${index}]`))
      : [`${at}: not a list`];
  const object = CONSTRAINTS.objects[name];
  if (object === undefined) return [`${at}: no constraints for ${name}`];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at}: not an object`];
  const given = new Map(Object.entries(value));
  return [
    ...object.required.filter((key) => !given.has(key)).map((key) => `${at}.${key}: missing`),
    ...Array.from(given).flatMap(([key, inner]) => {
      const rule = object.members[key];
      if (rule === undefined) return [`${at}.${key}: ${object.closed ? 'not allowed' : 'not looked up'}`];
      return ofMember(inner, rule, `${at}.${key}`).filter(
        (problem) => CONSTRAINTS.waived[`${name}.${key} ${problem.split(' ').at(-1)}`] === undefined,
      );
    }),
  ];
}

function ofMember(value: unknown, rule: Member, at: string): string[] {
  if (value === null) return rule.nullable ? [] : [`${at}: null`];
  if (rule.words !== undefined) return isWord(value, rule.words) ? [] : [`${at}: no word of ${rule.words}`];
  if (rule.listOf !== undefined || rule.listOfWords !== undefined) {
    if (!Array.isArray(value)) return [`${at}: not a list`];
    return value.flatMap((item, index) =>
      rule.listOf === undefined
        ? ofMember(item, { words: rule.listOfWords }, `${at}[${index}]`)
        : violations(item, rule.listOf, `${at}[${index}]`),
    );
  }
  if (!isOfType(value, rule.type)) return [`${at}: not of type ${rule.type}`];
  return Object.entries(exceeded(value, rule)).flatMap(([limit, isExceeded]) =>
    isExceeded ? [`${at}: ${limit}`] : [],
  );
}

const isWord = (value: unknown, words: string): boolean =>
  typeof value === 'string' && (CONSTRAINTS.words[words]?.includes(value) ?? false);

function isOfType(value: unknown, type: Member['type']): boolean {
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value);
    case 'object':
      return typeof value === 'object' && !Array.isArray(value);
    case 'date-time':
      return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value);
    case 'string':
    case 'boolean':
      return typeof value === type;
    case undefined:
      return false;
    default:
      return assertNever(type);
  }
}

function exceeded(value: unknown, rule: Member): Record<string, boolean> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const length = typeof value === 'string' ? Array.from(value).length : 0;
  return {
    min: typeof value === 'number' && value < (rule.min ?? value),
    minLength: length < (rule.minLength ?? 0),
    maxLength: length > (rule.maxLength ?? length),
    maxEntries: entries.length > (rule.maxEntries ?? entries.length),
    maxKeyLength: entries.some(([key]) => key.length > (rule.maxKeyLength ?? key.length)),
    maxValueLength: entries.some(([, inner]) => String(inner).length > (rule.maxValueLength ?? Infinity)),
  };
}
