import { createHash } from 'node:crypto';
import type { JsonObject, JsonValue } from '../domain/json.js';
import type { Undecodable } from './credential.js';

/** Far above any real credential; keeps one request from costing us memory or a deep recursion. */
export const MAX_CREDENTIAL_BYTES = 64 * 1024;
const MAX_DEPTH = 32;

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

export const undecodable = (why: string): Undecodable => ({ undecodable: why });

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Own properties only, so that a key like `toString` never finds something inherited. */
function own(object: JsonObject | undefined, key: string): JsonValue | undefined {
  return object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
}

export function objectAt(object: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = own(object, key);
  return isObject(value) ? value : undefined;
}

export function stringAt(object: JsonObject | undefined, key: string): string | undefined {
  const value = own(object, key);
  return typeof value === 'string' ? value : undefined;
}

const isArray = (value: JsonValue | undefined): value is readonly JsonValue[] => Array.isArray(value);

export function arrayAt(object: JsonObject | undefined, key: string): readonly JsonValue[] | undefined {
  const value = own(object, key);
  return isArray(value) ? value : undefined;
}

export function valueAt(object: JsonObject | undefined, key: string): JsonValue | undefined {
  return own(object, key) ?? undefined;
}

/** JSON text to a value, without `__proto__` keys; undefined when it is not JSON or nests too deep to be walked safely. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    const value: JsonValue = JSON.parse(text, (key, inner: unknown) => (key === '__proto__' ? undefined : inner));
    return nestsTooDeep(value, MAX_DEPTH) ? undefined : value;
  } catch {
    return undefined;
  }
}

function nestsTooDeep(value: JsonValue | undefined, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return left === 0 || Object.values(value).some((inner: JsonValue | undefined) => nestsTooDeep(inner, left - 1));
}

/** The text behind base64 or base64url, padded or not; undefined when it is neither or not UTF-8. */
export function fromBase64(text: string): string | undefined {
  if (!BASE64.test(text)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64'));
  } catch {
    return undefined;
  }
}

/** A credential as headers and API bodies carry it: base64 or base64url of a JSON object, or the JSON itself. */
export function decodeWireObject(raw: string): { readonly object: JsonObject } | Undecodable {
  const text = raw.trim();
  if (text === '') return undecodable('the credential is empty');
  const json = text.startsWith('{') ? text : fromBase64(text);
  if (json === undefined) return undecodable('the credential is neither JSON nor base64 of UTF-8 text');
  const value = parseJson(json);
  return isObject(value) ? { object: value } : undecodable('the credential holds no JSON object');
}

/** Sorted keys, no spaces: the same content is always the same text. */
export function canonicalJson(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value)
    .filter((entry): entry is [string, JsonValue] => entry[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`);
  return `{${members.join(',')}}`;
}

export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** Text that may be shown, indexed and stored anywhere: printable ASCII of bounded length; otherwise undefined. */
export function publicText(value: string | undefined, maxLength = 128): string | undefined {
  return value !== undefined && value.length <= maxLength && /^[\x21-\x7e]+$/.test(value) ? value : undefined;
}

/** One part of an identity: the text itself where that is short and plain, else its digest. Never two forms of one value. */
export function identityPart(value: string): string {
  return /^[A-Za-z0-9_-]{1,128}$/.test(value) ? value : `sha256:${sha256(value)}`;
}

/** Keeps of `facts` what is stated and fit to be shown. */
export function publicFacts(facts: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(facts).filter((fact): fact is [string, string] => publicText(fact[1], 200) !== undefined),
  );
}

/** EVM addresses and hashes are case-insensitive; anything else (base58) is not. */
export const lowerHex = (text: string): string => (/^0x[0-9a-f]+$/i.test(text) ? text.toLowerCase() : text);
