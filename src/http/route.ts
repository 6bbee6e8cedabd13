import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Role } from '../domain/roles.js';
import { unusableParts } from '../domain/usable-json.js';
import { fieldErrors, HttpProblem, type ProblemCode, pointerTo } from './problem.js';

/** Stands where an operation takes no body or no query parameters; what comes anyway is ignored. */
export const NOTHING = z.unknown();

/** What one operation promises; the router, the limits and /openapi.json are made from it. */
export interface Operation<Body = unknown, Query = unknown> {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With parameters as OpenAPI writes them: `/api/v1/settlements/{id}`. */
  readonly path: string;
  readonly summary: string;
  /** `public` needs no token. */
  readonly roles: 'public' | readonly Role[];
  /** Although it is public, each address may ask for it only so often. */
  readonly limited?: true;
  /** A page of things, which `Accept: text/csv` is answered with as well. */
  readonly csv?: true;
  /** {@link NOTHING}: no body is read. */
  readonly body: z.ZodType<Body>;
  readonly bodyLimitBytes?: number;
  /** The bytes as they came, of any content type: a signature is over them. `body` is then {@link NOTHING}. */
  readonly rawBody?: true;
  /** Every number in the body is an amount: none may be written with a point or an exponent (exact-integers.ts). */
  readonly exactIntegers?: true;
  /** Headers it needs beside those of every operation, by name, for /openapi.json. */
  readonly headers?: Readonly<Record<string, HeaderDescription>>;
  readonly query: z.ZodType<Query>;
  readonly answers: Readonly<
    Record<
      number,
      { readonly description: string; readonly schema?: z.ZodType; readonly type?: string; readonly empty?: true }
    >
  >;
  /** Beside those that the router itself answers with. */
  readonly problems: readonly ProblemCode[];
}

export interface HeaderDescription {
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

/** Who holds the token; for public operations nobody is asked. */
export interface Principal {
  readonly name: string;
  readonly role: Role;
}

export interface Call<Body, Query> {
  readonly params: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly query: Query;
  readonly principal: Principal;
  /** Set where the request came by the cookie of a session and not by a token. */
  readonly session: CallerSession | undefined;
  /** Whether the caller would still be let in, and waits for the answer: what takes long asks before it goes on. */
  readonly isHeard: () => Promise<boolean>;
  /** By lower-case name; each with every value that was sent. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
  /** Of operations with {@link Operation.rawBody}; empty otherwise. */
  readonly raw: Buffer;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  /** Set when the body is text of this type, not a value to be written as JSON. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Writes the answer itself, for as long as it lasts; nothing else is answered then. */
  readonly stream?: (res: ServerResponse) => void;
}

/** A person who is signed in. */
export interface CallerSession {
  readonly csrf: string;
  /** Whether it would still be let in. Asking does not keep it alive. */
  isLive(): Promise<boolean>;
  /** From then on it lets nobody in. */
  end(): Promise<void>;
}

export interface Route {
  readonly operation: Operation;
  /** @throws HttpProblem for what the client did wrong */
  readonly run: (call: Call<unknown, unknown>) => Promise<Reply>;
}

/** Ties a handler to its operation: the handler sees only what the schema let through. */
export function route<Body, Query>(
  operation: Operation<Body, Query>,
  handle: (call: Call<Body, Query>) => Promise<Reply>,
): Route {
  return {
    operation,
    run(call) {
      const query = validated(operation.query, call.query, INVALID_QUERY);
      const body = validated(operation.body, call.body, INVALID_BODY);
      return handle({ ...call, query, body });
    },
  };
}

const INVALID_QUERY = 'a query parameter is not valid: nothing was done';
export const INVALID_BODY =
  'the body is not valid: nothing was stored and no money moves; correct it and send it again';

function validated<T>(schema: z.ZodType<T>, value: unknown, detail: string): T {
  const errors = unusableParts(value).map(({ path, message }) => ({ pointer: pointerTo(path), message }));
  if (errors.length > 0) throw new HttpProblem('invalid_request', detail, { errors });
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new HttpProblem('invalid_request', detail, { errors: fieldErrors(result.error) });
}
