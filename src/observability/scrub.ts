const MASK = '[redacted]';
const MAX_DEPTH = 6;
const MAX_ITEMS = 100;

/** Members that hold a secret whatever their value is; ids of payment requests and reasons are not among them. */
const SECRET_MEMBER =
  /(authorization|credential|token|secret|passw|cookie|api[-_]?key|private[-_]?key|signature|^(x-)?payment$|^x-atxp-payment$|^sealed|^database_?url$)/i;

/** What secrets look like inside other text, and what is left of them. */
const SECRET_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/=_.~-]{8,}/gi, `$1 ${MASK}`],
  // `payment sessions` and `Payment required` are words of ours: a credential is long, or has more than letters in it.
  [/\b(Payment)\s+(?![A-Za-z]{8,19}(?![A-Za-z0-9+/=_~-]))[A-Za-z0-9+/=_.~-]{8,}/gi, `$1 ${MASK}`],
  [/:\/\/[^/@\s]+@/g, `://${MASK}@`],
  [/\b(sk|rk|pk|whsec|snd)_[A-Za-z0-9_]{4,}/g, `$1_${MASK}`],
  [/\beyJ[A-Za-z0-9+/=_.-]{8,}/g, MASK],
  // Longer than any hash or id of ours: signatures, tokens, encoded credentials.
  [/\b(0x)?[A-Za-z0-9+/_-]{90,}={0,2}/g, MASK],
];

/** A copy for the log: nothing in it looks like a credential, no cycle, bounded. The last line of defence, not the first. */
export function scrub(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return scrubText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (value instanceof Error) return scrubError(value, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item: unknown) => scrub(item, depth + 1));
  const members = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(
    members.map(([name, inner]: [string, unknown]) => [
      name,
      SECRET_MEMBER.test(name) ? MASK : scrub(inner, depth + 1),
    ]),
  );
}

export function scrubText(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of SECRET_TEXT) clean = clean.replace(pattern, replacement);
  return clean;
}

/** A database error's `detail` and `where` quote rows, and any other member may hold a request: only these are told. */
function scrubError(error: Error, depth: number): unknown {
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    type: error.name,
    message: scrubText(error.message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    stack: scrubText(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: scrub(error.cause, depth + 1) }),
  };
}
