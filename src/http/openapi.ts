import { z } from 'zod';
import { PROBLEMS, type ProblemCode } from './problem.js';
import { NOTHING, type Operation } from './route.js';
import { ProblemAnswer } from './schemas.js';

type Json = Record<string, unknown>;

/** OpenAPI 3.1 of these operations, from the schemas that also validate. @param version of the product */
export function openApiDocument(operations: readonly Operation[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method.toLowerCase()]: describe(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Makegood',
      version,
      description:
        'Money that was promised moves exactly once. Amounts of settlements are strings of digits in the atomic unit of the asset. Errors are application/problem+json.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Problem: jsonSchema(ProblemAnswer, 'output') },
    },
  };
}

function describe(operation: Operation): Json {
  const parameters = [...pathParameters(operation.path), ...queryParameters(operation), REQUEST_ID];
  return {
    operationId: operation.id,
    summary: operation.summary,
    security: operation.roles === 'public' ? [] : [{ token: [] }],
    ...(operation.roles === 'public' ? {} : { description: `Roles: ${operation.roles.join(', ')}.` }),
    parameters,
    ...(operation.body === NOTHING
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: jsonSchema(operation.body, 'input') } },
          },
        }),
    responses: { ...answers(operation), ...problems(operation) },
  };
}

const REQUEST_ID: Json = {
  name: 'X-Request-Id',
  in: 'header',
  required: false,
  description: 'Echoed in the answer and in our logs; made up when it is missing.',
  schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
};

const pathParameters = (path: string): readonly Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', format: 'uuid' },
  }));

function queryParameters(operation: Operation): readonly Json[] {
  if (operation.query === NOTHING) return [];
  const { properties } = jsonSchema(operation.query, 'input');
  return Object.entries(properties ?? {}).map(([name, schema]) => ({ name, in: 'query', required: false, schema }));
}

function answers(operation: Operation): Json {
  return Object.fromEntries(
    Object.entries(operation.answers).map(([status, { description, schema, type }]) => [
      status,
      {
        description,
        headers: { 'X-Request-Id': { schema: { type: 'string' } } },
        content: { [type ?? 'application/json']: { schema: schema ? jsonSchema(schema, 'output') : textSchema(type) } },
      },
    ]),
  );
}

const textSchema = (type: string | undefined): Json => ({ type: type === 'text/plain' ? 'string' : 'object' });

function problems(operation: Operation): Json {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set([...routerProblems(operation), ...operation.problems])) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries([...byStatus].map(([status, codes]) => [status, problemAnswer(status, codes)]));
}

/** What the router answers by itself, the same for every operation of a kind. */
function routerProblems(operation: Operation): readonly ProblemCode[] {
  return [
    'method_not_allowed',
    'internal_error',
    ...(operation.path.includes('{') ? (['not_found'] as const) : []),
    ...(operation.roles === 'public' ? [] : (['unauthorized', 'forbidden', 'rate_limited'] as const)),
    ...(operation.body === NOTHING
      ? []
      : (['malformed_json', 'invalid_request', 'body_too_large', 'unsupported_media_type'] as const)),
  ];
}

const STATUS_HEADERS: Readonly<Record<number, string>> = {
  401: 'WWW-Authenticate',
  405: 'Allow',
  429: 'Retry-After',
  503: 'Retry-After',
};

function problemAnswer(status: number, codes: readonly ProblemCode[]): Json {
  const header = STATUS_HEADERS[status];
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
    ...(header === undefined ? {} : { headers: { [header]: { schema: { type: 'string' } } } }),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

/** JSON Schema 2020-12, the dialect of OpenAPI 3.1. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output') {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
