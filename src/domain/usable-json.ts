/** A part of a JSON value that cannot be kept. */
export interface UnusablePart {
  /** The names of the members that lead to it; the last may be of an object whose own member has an unusable name. */
  readonly path: readonly string[];
  /** `holds a NUL character`, … */
  readonly message: string;
}

/** Far above any real request; every reader behind this may recurse without fear. */
const MAX_DEPTH = 32;
const MAX_ERRORS = 20;

/**
 * What the ledger could not keep exactly as it was sent: NUL and unpaired surrogates, which Postgres refuses; numbers that
 * JSON.parse has already changed; nesting that no real request has. Reads any JSON value, however deep, without recursion.
 */
export function unusableParts(body: unknown): readonly UnusablePart[] {
  const errors: UnusablePart[] = [];
  const left: { readonly value: unknown; readonly path: readonly string[] }[] = [{ value: body, path: [] }];
  for (let next = left.pop(); next !== undefined && errors.length < MAX_ERRORS; next = left.pop()) {
    const { value, path } = next;
    const wrong = typeof value === 'object' && value !== null ? undefined : unusableScalar(value);
    if (wrong !== undefined) errors.push({ path, message: wrong });
    if (typeof value !== 'object' || value === null) continue;
    if (path.length >= MAX_DEPTH) {
      errors.push({ path, message: `is nested deeper than ${MAX_DEPTH} levels` });
      continue;
    }
    for (const [name, inner] of Object.entries(value)) {
      const wrongName = name === '__proto__' ? 'is not a usable name' : unusableScalar(name);
      if (wrongName === undefined) left.push({ value: inner, path: [...path, name] });
      else errors.push({ path, message: `holds a member whose name ${wrongName}` });
    }
  }
  return errors;
}

function unusableScalar(value: unknown): string | undefined {
  if (typeof value === 'string') {
    if (value.includes('\0')) return 'holds a NUL character';
    if (/\p{Surrogate}/u.test(value)) return 'holds half of a surrogate pair';
  }
  if (
    typeof value === 'number' &&
    !(Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value)))
  ) {
    return 'is a number too large to be kept exactly';
  }
  return undefined;
}
