/** JSON that keeps bigints apart from numbers, in the form npm ox writes and npm mppx therefore expects to read. */
const MARK = '#__bigint';
const MARKED = /^-?[0-9]+#__bigint$/;

export const toBigintJson = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? `${inner}${MARK}` : inner));

export const fromBigintJson = (text: string): unknown =>
  JSON.parse(text, (_key, inner: unknown) =>
    typeof inner === 'string' && MARKED.test(inner) ? BigInt(inner.slice(0, -MARK.length)) : inner,
  );
