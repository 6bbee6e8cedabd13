/** What a buyer sends with the request: the headers, and the decoded content for tests that bend it. */
export interface PaymentCredential {
  readonly headers: Readonly<Record<string, string>>;
  readonly content: Readonly<Record<string, unknown>>;
}

/** The same content in other bytes: a resource server must not take it for another payment. */
export type JsonLayout = 'plain' | 'reversed' | 'spaced';

export function encodeJson(value: unknown, layout: JsonLayout = 'plain'): string {
  if (layout === 'spaced') return JSON.stringify(value, undefined, 2).replaceAll('\n', ' ');
  return JSON.stringify(layout === 'reversed' ? reversed(value) : value);
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, reversed(inner)]);
  return Object.fromEntries(entries.reverse());
}
