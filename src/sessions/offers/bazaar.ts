import type { JsonObject, JsonValue } from '../../domain/json.js';

const QUERY_METHODS = ['GET', 'DELETE'] as const;
const BODY_METHODS = ['POST', 'PUT', 'PATCH'] as const;

/** How a route is asked, for catalogues. What is sold and for how much they read from the 402. */
export interface Discoverable {
  /** Default GET, and POST where there is a `bodyType`. */
  readonly method?: (typeof QUERY_METHODS)[number] | (typeof BODY_METHODS)[number];
  /** What the body is; undefined: the route is asked by its query. */
  readonly bodyType?: 'json' | 'form-data' | 'text';
  /** An example of the query, or of the body where there is a `bodyType`. */
  readonly input?: JsonObject;
  /** JSON Schema of `input`; without references to elsewhere, which catalogues refuse. */
  readonly inputSchema?: JsonObject;
  /** An example of the answer. */
  readonly output?: JsonValue;
}

/** Why this cannot be catalogued; undefined: it can. */
export function discoverableProblem({ method, bodyType }: Discoverable): string | undefined {
  const methods: readonly string[] = bodyType === undefined ? QUERY_METHODS : BODY_METHODS;
  if (method === undefined || methods.includes(method)) return undefined;
  return `${bodyType === undefined ? 'without a bodyType' : 'with a bodyType'} its method is one of ${methods.join(', ')}`;
}

/**
 * The extension `bazaar` of x402 version 2, as facilitators and catalogues check it (npm `@x402/extensions`): the example,
 * and a JSON Schema that it fits. It names the method that was declared and not the one of a request, so that a client that
 * looked by HEAD repeats what its GET is held against.
 */
export function bazaarExtension({ method, bodyType, input, inputSchema, output }: Discoverable): JsonObject {
  const [asked, byDefault] = bodyType === undefined ? (['queryParams', 'GET'] as const) : (['body', 'POST'] as const);
  const verb = method ?? byDefault;
  const hasInput = bodyType !== undefined || input !== undefined || inputSchema !== undefined;
  return {
    info: {
      input: {
        type: 'http',
        method: verb,
        ...(bodyType !== undefined && { bodyType }),
        ...(hasInput && { [asked]: input ?? {} }),
      },
      ...(output !== undefined && { output: { type: typeof output === 'string' ? 'text' : 'json', example: output } }),
    },
    schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        input: {
          type: 'object',
          properties: {
            type: { type: 'string', const: 'http' },
            method: { type: 'string', enum: [verb] },
            ...(bodyType !== undefined && { bodyType: { type: 'string', enum: [bodyType] } }),
            ...(hasInput && { [asked]: { type: 'object', ...inputSchema } }),
          },
          required: ['type', 'method', ...(bodyType === undefined ? [] : ['bodyType', 'body'])],
          additionalProperties: false,
        },
        ...(output !== undefined && { output: { type: 'object', required: ['type'] } }),
      },
      required: ['input'],
    },
  };
}
