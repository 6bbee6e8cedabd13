import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../../sandbox/stack/project-root.js';
import { LISTED, LISTINGS } from '../../../src/cli/showing/listings.js';
import { CERTAINTIES } from '../../../src/domain/calls/certainty.js';
import { ATTENTION_REASONS } from '../../../src/domain/decisions/attention.js';
import { actionsOf, DECIDABLE_KINDS } from '../../../src/domain/decisions/decisions.js';
import {
  actionWords,
  certaintyWords,
  effectIn,
  reasonIn,
  reasonWords,
  STATUSES_OF,
  spoken,
  statusIn,
  statusWords,
  type Word,
} from '../../../src/domain/words.js';
import { openApiDocument } from '../../../src/http/openapi.js';
import { OPERATIONS } from '../../../src/http/operations.js';

const TERMS = readFileSync(join(projectRoot(), 'docs/terminology.md'), 'utf8');
const KINDS = Object.keys(STATUSES_OF) as (keyof typeof STATUSES_OF)[];

/** The rows of the table below a heading: what stands in code in the first cell, and the second cell. */
function tableBelow(heading: string): readonly Word[] {
  const [, section = ''] = TERMS.split(`\n### ${heading}\n`);
  const rows = section.split(/\n#{2,3} /)[0]?.matchAll(/^\| `([a-z_]+)` \| (.*) \|$/gm) ?? [];
  return [...rows].map(([, code = '', means = '']) => ({ code, means }));
}

interface Schema {
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
}
const { schemas } = (openApiDocument(OPERATIONS, '0') as { components: { schemas: Readonly<Record<string, Schema>> } })
  .components;
const member = (name: string, ...path: readonly string[]): readonly string[] => {
  let schema: Schema | undefined = schemas[name];
  for (const step of path) {
    const object = schema?.properties ? schema : schema?.anyOf?.find(({ properties }) => properties);
    schema = object?.properties?.[step];
  }
  return [...(schema?.enum ?? schema?.anyOf?.find((one) => one.enum)?.enum ?? [])];
};

describe('the words for statuses, certainties, reasons and actions', () => {
  it.each(KINDS)('of a %s are those of docs/terminology.md, with what they mean', (kind) => {
    expect(tableBelow(`Status of ${kind === 'order' ? 'an order' : `a ${kind}`}`)).toEqual(statusWords(kind));
  });

  it.each(DECIDABLE_KINDS)('what can be decided about a %s stands there too', (kind) => {
    expect(tableBelow(`Decisions about a ${kind}`)).toEqual(actionWords(kind));
  });

  it('so do certainties and reasons', () => {
    expect(tableBelow('Certainties')).toEqual(certaintyWords());
    expect(tableBelow('Reasons')).toEqual(reasonWords());
  });

  it.each(KINDS)('of a %s are those of the API', (kind) => {
    const name = kind === 'payment' ? 'PaymentDetails' : `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
    expect(member(name, 'status').toSorted()).toEqual([...STATUSES_OF[kind]].sort());
    if (member(name, 'certainty').length > 0) expect(member(name, 'certainty')).toEqual(CERTAINTIES);
    const reasons = member(name, 'attention', 'reason');
    if (kind !== 'order') expect(reasons).toEqual(ATTENTION_REASONS);
  });

  it.each(LISTED)('of %s are those that the command line filters by', (listed) => {
    const kind = KINDS.find((one) => `${one}s` === listed);
    expect(LISTINGS[listed].statuses).toEqual(kind && STATUSES_OF[kind]);
  });

  it('are said as they are written, so that whoever reads one finds the other', () => {
    const codes = [
      ...KINDS.flatMap((kind) => STATUSES_OF[kind]),
      ...ATTENTION_REASONS,
      ...CERTAINTIES,
      ...DECIDABLE_KINDS.flatMap(actionsOf),
    ];
    for (const code of codes) expect(spoken(code).replaceAll(' ', '_')).toBe(code);
  });

  it('have a meaning wherever the console shows one, and none for what it does not know', () => {
    for (const kind of KINDS) for (const status of STATUSES_OF[kind]) expect(statusIn(kind, status)).toMatch(/\w/);
    for (const kind of DECIDABLE_KINDS) {
      for (const reason of ATTENTION_REASONS) expect(reasonIn(kind, reason)).toMatch(/\w/);
      for (const action of actionsOf(kind)) expect(effectIn(kind, action)).toMatch(/\w/);
    }
    expect([statusIn('reversal', 'toString'), statusIn('nothing', 'pending')]).toEqual([undefined, undefined]);
    expect([reasonIn('reversal', 'later'), reasonIn('order', 'drift')]).toEqual([undefined, undefined]);
    expect([effectIn('reversal', 'constructor'), effectIn('channel', 'retry')]).toEqual([undefined, undefined]);
  });
});
