/** A bug of ours, said before anything is sent: without a key of its own, a repeated call could move the money twice. */
export class EmptyIdempotencyKey extends Error {
  override readonly name = 'EmptyIdempotencyKey';
}

const LONGEST_KEY = 255;

/**
 * The key as the header carries it: exactly what the caller gave. White space at its ends would be cut off on the way and
 * other characters cannot stand in a header at all, so that two keys could become one.
 * @throws EmptyIdempotencyKey for an empty or blank key, one over 255 characters, or one that no header can carry
 */
export function requireIdempotencyKey(key: string, call: string): string {
  const wrong =
    key.trim() === ''
      ? 'empty'
      : key.length > LONGEST_KEY
        ? `longer than ${LONGEST_KEY} characters`
        : /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(key)
          ? undefined
          : 'not plain printable text';
  if (wrong === undefined) return key;
  throw new EmptyIdempotencyKey(
    `${call} was given an idempotency key that is ${wrong}: nothing was sent, because a repeat could move the money twice`,
  );
}
