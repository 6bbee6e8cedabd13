/** Enough of an id to tell it from others; whole where it is copied. */
export const shortId = (id: string): string =>
  /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(id)
    ? `${id.slice(0, 8)}…${id.slice(-4)}`
    : id.length > 20
      ? `${id.slice(0, 10)}…${id.slice(-6)}`
      : id;

/** Any value of the API as one line of text. */
export function asText(value: unknown): string {
  if (value === null || value === undefined || value === '') return '—';
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : JSON.stringify(value);
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en-GB')} ${count === 1 ? one : many}`;

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `keyFirstSentAt` and `key_first_sent_at` are both `Key first sent at`. */
export const labelOf = (name: string): string =>
  capital(
    name
      .replaceAll('_', ' ')
      .replace(/([a-z])([A-Z])/g, (_both, one: string, other: string) => `${one} ${other.toLowerCase()}`),
  );
