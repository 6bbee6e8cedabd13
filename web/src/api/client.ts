/** What the server says went wrong, or that it did not answer at all. */
export class ApiProblem extends Error {
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  readonly fields: readonly FieldProblem[];

  constructor(problem: {
    readonly title: string;
    readonly detail: string;
    readonly status: number;
    readonly code: string;
    readonly requestId?: string | null;
    readonly fields?: readonly FieldProblem[];
  }) {
    super(problem.detail);
    this.name = 'ApiProblem';
    this.title = problem.title;
    this.status = problem.status;
    this.code = problem.code;
    this.requestId = problem.requestId ?? null;
    this.fields = problem.fields ?? [];
  }
}

export interface FieldProblem {
  readonly pointer: string;
  readonly message: string;
}

/** The console's session token against forged requests; it lives in memory alone. */
let csrf: string | undefined;
export const rememberCsrf = (token: string | undefined): void => {
  csrf = token;
};

let whenSignedOut: () => void = () => {};
/** Called once a request finds that the session is over. */
export const onSignedOut = (listener: () => void): void => {
  whenSignedOut = listener;
};

export const get = <Answer>(path: string, signal?: AbortSignal): Promise<Answer> => ask('GET', path, { signal });

/** @param key of a request that makes something: the same again is the same request */
export const post = <Answer>(path: string, body: object, key?: string): Promise<Answer> =>
  ask('POST', path, { body, ...(key === undefined ? {} : { key }) });

export const remove = (path: string): Promise<void> => ask('DELETE', path, {});

/** The same page in another form. */
export async function getFile(path: string, accept: string): Promise<Blob> {
  const response = await sent('GET', path, { accept });
  if (!response.ok) throw await problemOf(response);
  return await response.blob();
}

interface Asked {
  readonly accept?: string;
  readonly body?: object;
  readonly key?: string;
  readonly signal?: AbortSignal | undefined;
}

async function ask<Answer>(method: string, path: string, { body, signal, key }: Asked): Promise<Answer> {
  const response = await sent(method, path, { body, signal, ...(key === undefined ? {} : { key }) });
  if (response.ok) return (response.status === 204 ? undefined : await json(response)) as Answer;
  const problem = await problemOf(response);
  if (problem.status === 401 && path !== '/console/session') whenSignedOut();
  throw problem;
}

async function sent(
  method: string,
  path: string,
  { body, signal, key, accept = 'application/json' }: Asked,
): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: {
        Accept: accept,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(key === undefined ? {} : { 'Idempotency-Key': key }),
        ...(method === 'GET' || csrf === undefined ? {} : { 'X-CSRF-Token': csrf }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiProblem({
      title: 'The server does not answer',
      detail: 'nothing is known of what was asked: what it may have changed stands in the item itself',
      status: 0,
      code: 'no_answer',
    });
  }
}

async function json(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    throw new ApiProblem({
      title: 'The answer cannot be read',
      detail: 'something between this page and the server has answered in its place',
      status: response.status,
      code: 'unreadable_answer',
      requestId: response.headers.get('x-request-id'),
    });
  }
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const known = (await response.json().catch(() => ({}))) as Readonly<Record<string, unknown>>;
  const word = (name: string): string | undefined => (typeof known[name] === 'string' ? known[name] : undefined);
  return new ApiProblem({
    title: word('title') ?? `The server answers ${response.status}`,
    detail: word('detail') ?? 'it does not say why',
    status: response.status,
    code: word('code') ?? 'unknown',
    requestId: word('request_id') ?? response.headers.get('x-request-id'),
    fields: Array.isArray(known['errors']) ? (known['errors'] as FieldProblem[]) : [],
  });
}

/** A path below /api/v1 with the parameters that are set. */
export function pathWith(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const set = Object.entries(parameters).filter((pair): pair is [string, string] => Boolean(pair[1]));
  return set.length === 0 ? path : `${path}?${new URLSearchParams(set)}`;
}
