import type { PaymentCredential } from '../../../../sandbox/payer/credential.js';
import type { Loose } from './world.js';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type Path = readonly (string | number)[];

/** The paths of every leaf and of every object in a credential. */
export function walk(value: Json, at: Path = []): { leaves: Path[]; objects: Path[] } {
  if (typeof value !== 'object' || value === null) return { leaves: [at], objects: [] };
  const inner = Object.entries(value).map(([key, child]) =>
    walk(child, [...at, Array.isArray(value) ? Number(key) : key]),
  );
  return {
    leaves: inner.flatMap((part) => part.leaves),
    objects: [...(Array.isArray(value) ? [] : [at]), ...inner.flatMap((part) => part.objects)],
  };
}

export function changed(content: unknown, path: Path, change: (parent: Loose, key: string | number) => void): Json {
  const copy = structuredClone(content) as Loose;
  const key = path.at(-1);
  const parent = path.slice(0, -1).reduce((object, step) => object[step], copy);
  change(parent, key ?? '');
  return copy;
}

/** Another value of the same kind: another address, another amount, another word. */
export function bent(value: Json): Json {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (typeof value !== 'string') return 'other';
  if (/^0x[0-9a-fA-F]{40}$/.test(value)) return `0x${'ab'.repeat(20)}`;
  if (/^[0-9]+$/.test(value)) return String(BigInt(value) + 1n);
  return `${value}x`;
}

export const headersFor = (content: Json, like: PaymentCredential): PaymentCredential['headers'] => {
  const [name = ''] = Object.keys(like.headers).filter((header) => header !== 'X-ATXP-Payment-Request-Id');
  const text = JSON.stringify(content);
  if (name === 'Authorization') return { Authorization: `Payment ${Buffer.from(text).toString('base64url')}` };
  return { ...like.headers, [name]: name === 'X-ATXP-PAYMENT' ? text : Buffer.from(text).toString('base64') };
};

export const encode = (value: unknown, space?: number): string =>
  Buffer.from(JSON.stringify(value, undefined, space)).toString('base64');
