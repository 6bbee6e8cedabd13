import { unescape } from 'node:querystring';
import type { JsonObject } from '../../domain/json.js';
import type { PaidRequest } from '../paid-request.js';

/** What a request asks for, as its client names it. */
export interface Resource {
  /** Path and query, in the one form that stands for every order of the same parameters. */
  readonly target: string;
  /** The same under the origin that clients see. */
  readonly url: string;
}

/** The resource of a challenge, as x402 v2 describes it. */
export interface ResourceInfo extends JsonObject {
  readonly url: string;
  readonly description?: string;
  readonly mimeType?: string;
}

/**
 * What is sold is the URL with its query, seen from outside: under `publicUrl` where it is known, else under the origin that
 * the request's framework makes out.
 */
export function resourceOf(
  { originalUrl, origin }: Pick<PaidRequest, 'originalUrl' | 'origin'>,
  publicUrl: string | undefined,
): Resource {
  const asked = originalUrl.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  // Routers differ in where the query of these begins, and no client needs them: each spelling is a resource of its own.
  const target = asked.startsWith('/') && !asked.includes('#') ? canonicalTarget(asked) : asked || '/';
  return { target, url: `${baseUrl(origin, publicUrl)}${target}` };
}

/** Where clients see this server; no slash at its end. */
export const baseUrl = (origin: string, publicUrl: string | undefined): string =>
  publicUrl?.replace(/\/+$/, '') ?? origin;

/** Whether a URL that a credential states is `url`, whatever the order of its parameters. */
export const sameResource = (stated: string, url: string): boolean => stated === url || canonicalTarget(stated) === url;

/**
 * Parameters are sorted by name; those of one name stay in their order, because a handler that takes the first or the last of
 * them sees the difference, and so do the members of one object or list (`a[b]=1`, `a[]=2`). Their text is left alone: two
 * spellings of one value count as two resources, which costs a fresh 402 and never sells one for the other. So does every order
 * where a name begins with a bracket, because some parsers read `[a]=1` as `a=1`.
 */
export function canonicalTarget(url: string): string {
  const [withoutFragment = ''] = url.split('#', 1);
  const at = withoutFragment.indexOf('?');
  const path = (at < 0 ? withoutFragment : withoutFragment.slice(0, at)) || '/';
  const parameters = at < 0 ? [] : withoutFragment.slice(at + 1).split('&');
  const named = parameters
    .filter((parameter) => parameter !== '')
    .map((parameter) => ({ parameter, name: nameOf(parameter) }));
  if (!named.some(({ name }) => name === ''))
    named.sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
  const query = named.map(({ parameter }) => parameter).join('&');
  return query === '' ? path : `${path}?${query}`;
}

/** As a parser of queries reads it; up to the first bracket, which begins a member of it. */
function nameOf(parameter: string): string {
  const [name = ''] = parameter.split('=', 1);
  const [whole = ''] = unescape(name.replaceAll('+', ' ')).split('[', 1);
  return whole;
}
