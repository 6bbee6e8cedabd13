import { createHash } from 'node:crypto';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A line of JSON that ends with a digest over all of itself before it. */
export function sealedLine(fields: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(fields).slice(0, -1);
  return `${text},"digest":"${sha256(text)}"}`;
}

const SEALED = /^(\{.+),"digest":"([0-9a-f]{64})"\}$/s;

/** @returns undefined: it is not as it was when it was sealed */
export function openSealed(line: string): Fields | undefined {
  const [, text = '', digest] = SEALED.exec(line) ?? [];
  return digest !== undefined && sha256(text) === digest ? fieldsOf(line) : undefined;
}

export type Fields = Readonly<Record<string, unknown>>;

/** @returns undefined: no JSON, or no object */
export function fieldsOf(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}
