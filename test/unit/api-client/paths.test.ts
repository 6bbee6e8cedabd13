import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { apiTypes } from '../../../scripts/api-types.mjs';

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8');

it('the types of the typed client are what docs/openapi.json says; "npm run api-types" writes them', () => {
  expect(apiTypes(JSON.parse(read('docs/openapi.json')))).toBe(read('src/api-client/paths.ts'));
});

const withSchema = (schema: object) => apiTypes({ paths: {}, components: { schemas: { Thing: schema } } });

it('has a type for each way in which a schema can be written', () => {
  const types = withSchema({
    type: 'object',
    required: ['id'],
    additionalProperties: false,
    properties: {
      id: { type: 'string', format: 'uuid' },
      amount: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
      kind: { enum: ['one', 'two'] },
      on: { const: true },
      parts: { type: 'array', items: { $ref: '#/components/schemas/Part' } },
      words: { type: 'object', additionalProperties: { type: 'string' } },
    },
  });
  for (const member of [
    'id: string;',
    'amount?: number | null;',
    "kind?: 'one' | 'two';",
    'on?: true;',
    "parts?: components['schemas']['Part'][];",
    'words?: { [name: string]: string };',
  ]) {
    expect(types).toContain(member);
  }
});

it('refuses a schema that it cannot read whole', () => {
  expect(() => withSchema({ type: 'object', patternProperties: {} })).toThrow(
    'schemas with patternProperties have no type yet',
  );
  expect(() => withSchema({ type: 'file' })).toThrow('the type file is not known');
});
