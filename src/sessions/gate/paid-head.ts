import type { ServerResponse } from 'node:http';
import type { ReleaseCause } from '../session-ledger.js';
import type { WireHead } from './wire.js';

/** Where clients put their credentials (src/protocols/find-credential.ts): answers to different ones are different. */
const CREDENTIAL_HEADERS = ['X-ATXP-Payment', 'PAYMENT-SIGNATURE', 'X-PAYMENT', 'Authorization'] as const;

/** What a shared cache understands and a private one does not (RFC 9111 §5.2.2). */
const SHARED_ONLY = new Set(['public', 's-maxage', 'proxy-revalidate']);
/** Headers by which one cache is told something else than all others (RFC 9213, and vendors' own). */
const FOR_ONE_CACHE = /^(.+-)?cdn-cache-control$|^surrogate-control$|^edge-control$|^x-accel-expires$/i;

/**
 * A paid answer is for its payer: no shared cache keeps it, whatever the handler said and however. What a
 * private cache may do stays as the handler said it.
 */
export function keepPrivate(head: WireHead): void {
  for (const name of head.names()) if (FOR_ONE_CACHE.test(name)) head.remove(name);
  head.set('Cache-Control', head.status === 402 ? 'no-store' : privateCacheControl(head.get('Cache-Control')));
  head.set('Vary', varyOnCredentials(head.get('Vary')));
}

/** A 5xx is our own failure: the payer is not held to have asked for an answer that costs nothing. */
export function releasedBy(status: number): ReleaseCause | undefined {
  if (status === 304) return 'not_modified';
  return status < 500 ? 'failed_answer' : undefined;
}

/** How many bytes the body has, where the head says so. */
export function lengthOf(head: Pick<WireHead, 'get'>): number | undefined {
  const told = head.get('Content-Length');
  return told === undefined ? undefined : Number(told);
}

/** What was said before is about another body. */
const ABOUT_A_BODY =
  /^content-(length|encoding|range|disposition|language|md5)$|^transfer-encoding$|^trailer$|^etag$|^last-modified$/i;

type Headers = Readonly<Record<string, string | string[]>>;

/** Of an answer that we make: one of each name, the later one, and nothing of what layers before have told caches. */
export function answerHeaders(before: Headers, ...own: readonly Headers[]): Headers {
  const kept = Object.entries(before).filter(([name]) => !FOR_ONE_CACHE.test(name) && !ABOUT_A_BODY.test(name));
  const said = kept.filter(([name]) => name.toLowerCase() === 'vary').flatMap(([, value]) => value);
  const all = [...kept, ['Vary', varyOnCredentials(said.join(', '))] as const, ...own.flatMap(Object.entries)];
  return Object.fromEntries(new Map(all.map((header) => [header[0].toLowerCase(), header])).values());
}

/** An answer that sells nothing is kept by no cache; one that keeps it all the same does not give it to who pays. */
export function forgetCaches(
  res: Pick<ServerResponse, 'getHeaderNames' | 'removeHeader' | 'getHeader' | 'setHeader'>,
): void {
  for (const name of res.getHeaderNames()) if (FOR_ONE_CACHE.test(name)) res.removeHeader(name);
  res.setHeader('Vary', varyOnCredentials(res.getHeader('Vary')?.toString()));
}

export function privateCacheControl(said: string | undefined): string {
  const directives = directivesOf(said).filter(
    // `private="Set-Cookie"` keeps one header private, and everything else public.
    (directive) => !SHARED_ONLY.has(nameOf(directive)) && nameOf(directive) !== 'private',
  );
  if (directives.some((directive) => nameOf(directive) === 'no-store')) return directives.join(', ');
  return ['private', ...directives].join(', ');
}

export function varyOnCredentials(said: string | undefined): string {
  const fields = (said ?? '')
    .split(',')
    .map((field) => field.trim())
    .filter((field) => field !== '');
  if (fields.includes('*')) return '*';
  const known = new Set(fields.map((field) => field.toLowerCase()));
  return [...fields, ...CREDENTIAL_HEADERS.filter((field) => !known.has(field.toLowerCase()))].join(', ');
}

const nameOf = (directive: string): string => (directive.split('=')[0] ?? '').trim().toLowerCase();

/** Commas stand in quoted arguments too. */
const directivesOf = (said: string | undefined): readonly string[] =>
  (said?.match(/(?:[^,"]|"(?:\\.|[^"\\])*"?)+/g) ?? [])
    .map((directive) => directive.trim())
    .filter((directive) => directive !== '');
