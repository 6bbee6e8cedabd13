import { z } from 'zod';
import { PAUSABLE } from '../domain/provider-pauses.js';
import { PROBLEMS, type ProblemCode } from './problem.js';
import { EXPLAINED_KINDS } from './reading/kinds.js';
import { NOTHING, type Operation } from './route.js';
import { ProblemAnswer } from './settlements/settlement-schemas.js';

type Json = Record<string, unknown>;

/**
 * OpenAPI 3.1 of these operations, from the schemas that also validate.
 * @param version of the product
 * @param mounted paths of what is served beside the API
 */
export function openApiDocument(operations: readonly Operation[], version: string, mounted: Json = {}): Json {
  const named: Record<string, unknown> = {};
  const toSchema: ToSchema = (schema, io) => jsonSchema(schema, io, named);
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    const described = describe(operation, toSchema);
    paths[operation.path] = { ...paths[operation.path], [operation.method.toLowerCase()]: described };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Makegood',
      version,
      description:
        'Money that was promised moves exactly once. Amounts of settlements are strings of digits in the atomic unit of the asset; amounts of orders, payments, refunds, transfers and reversals are integers in minor units of an ISO 4217 currency. Errors are application/problem+json.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths: { ...paths, ...mounted },
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'makegood_session' },
      },
      schemas: { ...named, Problem: toSchema(ProblemAnswer, 'output') },
    },
  };
}

function describe(operation: Operation, toSchema: ToSchema): Json {
  const parameters = [
    ...pathParameters(operation.path),
    ...queryParameters(operation, toSchema),
    ...headerParameters(operation),
    ...(changes(operation) ? [CSRF_TOKEN] : []),
    REQUEST_ID,
  ];
  return {
    operationId: operation.id,
    summary: operation.summary,
    security: operation.roles === 'public' ? [] : [{ token: [] }, { session: [] }],
    ...(operation.roles === 'public' ? {} : { description: `Roles: ${operation.roles.join(', ')}.` }),
    parameters,
    ...requestBody(operation, toSchema),
    responses: { ...answers(operation, toSchema), ...problems(operation) },
  };
}

function requestBody({ body, rawBody }: Operation, toSchema: ToSchema): Json {
  if (body === NOTHING && !rawBody) return {};
  const schema = rawBody ? { type: 'object' } : toSchema(body, 'input');
  const required = rawBody === true || !body.safeParse(undefined).success;
  return { requestBody: { required, content: { 'application/json': { schema } } } };
}

const REQUEST_ID: Json = {
  name: 'X-Request-Id',
  in: 'header',
  required: false,
  description: 'Echoed in the answer and in our logs; made up when it is missing.',
  schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
};

/** What changes something, and may come by the cookie of a session. */
const changes = ({ method, roles }: Operation): boolean => method !== 'GET' && roles !== 'public';

const CSRF_TOKEN: Json = {
  name: 'X-CSRF-Token',
  in: 'header',
  required: false,
  description: 'Of the session; needed only by requests that come by its cookie.',
  schema: { type: 'string', maxLength: 100 },
};

/** Whatever is no uuid. */
const PATH_PARAMETERS: Readonly<Record<string, Json>> = {
  account: { type: 'string', pattern: '^acct_[A-Za-z0-9_]{1,64}$' },
  kind: { type: 'string', enum: EXPLAINED_KINDS },
  item: { type: 'string', minLength: 1, maxLength: 100, description: 'A uuid, or of a channel its id on chain.' },
  provider: { type: 'string', enum: PAUSABLE },
  event: { type: 'string', pattern: '^(stripe|hyperswitch):.{1,255}$' },
};

const pathParameters = (path: string): readonly Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: PATH_PARAMETERS[name] ?? { type: 'string', format: 'uuid' },
  }));

function queryParameters(operation: Operation, toSchema: ToSchema): readonly Json[] {
  if (operation.query === NOTHING) return [];
  const { properties } = toSchema(operation.query, 'input');
  return Object.entries(properties ?? {}).map(([name, schema]) => ({ name, in: 'query', required: false, schema }));
}

const headerParameters = ({ headers }: Operation): readonly Json[] =>
  Object.entries(headers ?? {}).map(([name, header]) => ({ name, in: 'header', required: true, ...header }));

function answers(operation: Operation, toSchema: ToSchema): Json {
  return Object.fromEntries(
    Object.entries(operation.answers).map(([status, { description, schema, type, empty }]) => [
      status,
      {
        description,
        headers: { 'X-Request-Id': { schema: { type: 'string' } } },
        ...(empty
          ? {}
          : {
              content: {
                [type ?? 'application/json']: { schema: schema ? toSchema(schema, 'output') : textSchema(type) },
                ...(operation.csv ? { 'text/csv': { schema: { type: 'string' } } } : {}),
              },
            }),
      },
    ]),
  );
}

const textSchema = (type: string | undefined): Json => ({ type: type?.startsWith('text/') ? 'string' : 'object' });

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
    ...(operation.roles === 'public' ? [] : (['unauthorized', 'forbidden', 'foreign_origin', 'rate_limited'] as const)),
    ...(changes(operation) ? (['csrf_token_missing'] as const) : []),
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
  const header = codes.includes('request_in_flight') ? 'Retry-After' : STATUS_HEADERS[status];
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
    ...(header === undefined ? {} : { headers: { [header]: { schema: { type: 'string' } } } }),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

type ToSchema = (schema: z.ZodType, io: 'input' | 'output') => { readonly properties?: object };

/** JSON Schema 2020-12, the dialect of OpenAPI 3.1. What has a name (`.meta({ id })`) is written once, into `named`. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output', named: Record<string, unknown>) {
  const text = JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: 'any' }));
  const { $schema: _dialect, $defs, ...rest } = JSON.parse(text.replaceAll('"#/$defs/', '"#/components/schemas/'));
  Object.assign(named, $defs);
  return rest;
}
