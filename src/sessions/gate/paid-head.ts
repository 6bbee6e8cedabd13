import { CREDENTIAL_HEADERS } from '../../protocols/browser-headers.js';
import type { ReleaseCause } from '../session-ledger.js';
import type { GateOptions } from './gate-options.js';
import type { WireHead } from './wire.js';

/** What a shared cache understands and a private one does not (RFC 9111 §5.2.2). */
const SHARED_ONLY = new Set(['public', 's-maxage', 'proxy-revalidate']);
/** Headers by which one cache is told something else than all others (RFC 9213, and vendors' own). */
const FOR_ONE_CACHE = /^(.+-)?cdn-cache-control$|^surrogate-control$|^edge-control$|^x-accel-expires$/i;

/**
 * What every paid answer says beside what its handler did.
 * @param charged undefined: it is still being charged
 */
export function completeHead(
  head: WireHead,
  { headers, receipt }: Pick<GateOptions, 'headers' | 'receipt'>,
  charged: bigint | undefined,
): void {
  for (const [name, value] of Object.entries(headers)) head.set(name, value);
  keepPrivate(head);
  if (receipt && (head.status < 400 || charged)) head.set(receipt.header, receipt.value(charged));
}

/**
 * A paid answer is for its payer: no shared cache keeps it, whatever the handler said and however. What a
 * private cache may do stays as the handler said it.
 */
function keepPrivate(head: WireHead): void {
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

/** Of the answer that the layers before expected: to single caches, or about its body. */
export const saysOfAnother = (name: string): boolean => FOR_ONE_CACHE.test(name) || ABOUT_A_BODY.test(name);

type Headers = Readonly<Record<string, string | string[]>>;

/** Of an answer that we make: one of each name, the later one, and nothing of what layers before have told caches. */
export function answerHeaders(before: Headers, ...own: readonly Headers[]): Headers {
  const kept = Object.entries(before).filter(([name]) => !saysOfAnother(name));
  const said = kept.filter(([name]) => name.toLowerCase() === 'vary').flatMap(([, value]) => value);
  const all = [...kept, ['Vary', varyOnCredentials(said.join(', '))] as const, ...own.flatMap(Object.entries)];
  return Object.fromEntries(new Map(all.map((header) => [header[0].toLowerCase(), header])).values());
}

export function privateCacheControl(said: string | undefined): string {
  const directives = directivesOf(said).filter(
    // `private="Set-Cookie"` keeps one header private, and everything else public.
    (directive) => !SHARED_ONLY.has(nameOf(directive)) && nameOf(directive) !== 'private',
  );
  if (directives.some((directive) => nameOf(directive) === 'no-store')) return directives.join(', ');
  return ['private', ...directives].join(', ');
}

/** Answers to different credentials are different. */
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
