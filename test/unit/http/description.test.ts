import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../../src/http/openapi.js';
import { OPERATIONS } from '../../../src/http/operations.js';
import { PROBLEMS } from '../../../src/http/problem.js';
import { VERSION } from '../../../src/version.js';

const root = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const description = JSON.parse(JSON.stringify(openApiDocument(OPERATIONS, VERSION)));

describe('/openapi.json', () => {
  it('is what docs/openapi.json says: a change of the contract shows in a review', async () => {
    await expect(`${JSON.stringify(description, null, 2)}\n`).toMatchFileSnapshot(root('docs/openapi.json'));
  });

  it('documents every answer that an operation may give', () => {
    const expected = new Map(
      OPERATIONS.map(({ id, answers, problems, roles, body, path }) => {
        const router = [
          405,
          500,
          ...(roles === 'public' ? [] : [401, 403, 429]),
          ...(path.includes('{') ? [404] : []),
          ...(description.paths[path].post && body.def.type !== 'unknown' ? [400, 413, 415] : []),
        ];
        const own = [...Object.keys(answers).map(Number), ...problems.map((code) => PROBLEMS[code].status)];
        return [id, [...new Set([...router, ...own])].sort((a, b) => a - b)];
      }),
    );
    for (const operation of OPERATIONS) {
      const { responses } = description.paths[operation.path][operation.method.toLowerCase()];
      expect(
        Object.keys(responses)
          .map(Number)
          .sort((a, b) => a - b),
      ).toEqual(expected.get(operation.id));
    }
    expect(expected.get('createSettlement')).toEqual([202, 400, 401, 403, 405, 409, 413, 415, 422, 429, 500, 503]);
  });

  it('describes the body as it is validated: nothing unknown, amounts of digits', () => {
    const { schema } = description.paths['/api/v1/settlements'].post.requestBody.content['application/json'];
    expect(schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['protocol', 'credential', 'context', 'spent'],
      properties: {
        protocol: { enum: ['atxp', 'x402', 'mpp'] },
        spent: { additionalProperties: false, properties: { amount: { type: 'string', pattern: '^[0-9]{1,39}$' } } },
      },
    });
  });

  it('refers only to what is in it, and names nothing that is not used', () => {
    const refs = [...JSON.stringify(description).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref);
    const named = Object.keys(description.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect(new Set(refs)).toEqual(new Set(named));
  });

  it('says of every operation that makes something which key it needs', () => {
    const keyed = OPERATIONS.filter(({ problems }) => problems.includes('idempotency_key_required')).map(
      ({ id }) => id,
    );
    expect(keyed).toEqual(['createOrder', 'createPayment', 'capturePayment', 'createRefund']);
    for (const path of ['orders', 'payments', 'refunds']) {
      expect(description.paths[`/api/v1/${path}`].post.parameters).toContainEqual(
        expect.objectContaining({ name: 'Idempotency-Key', in: 'header', required: true }),
      );
    }
  });
});

it('the version is that of package.json', () => {
  expect(JSON.parse(readFileSync(root('package.json'), 'utf8')).version).toBe(VERSION);
});
