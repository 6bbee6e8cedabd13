import type { JsonObject, JsonValue } from '../../domain/json.js';
import { canonicalJson, isObject, lowerHex } from '../../protocols/wire-json.js';

/** What of a credential is not what we offered; undefined: nothing. The text never quotes the credential. */
export type Mismatch = string | undefined;

/** Equal as JSON, whatever the order of keys and the case of hex digits. */
export function sameJson(left: JsonValue | undefined, right: JsonValue | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return canonicalJson(plain(left)) === canonicalJson(plain(right));
}

/** The first key of `object` that we do not know: whatever a provider might read from it, we did not compare it. */
export function unknownKey(object: JsonObject, known: readonly string[]): Mismatch {
  const key = Object.keys(object).find((name) => !known.includes(name));
  return key === undefined ? undefined : 'it states more than was offered';
}

/** Everything that `stated` says must be what `offered` says; what is in `required` must be said. */
export function offeredMismatch(stated: JsonObject, offered: JsonObject, required: readonly string[]): Mismatch {
  const missing = required.find((name) => !Object.hasOwn(stated, name));
  if (missing !== undefined) return `it does not state ${missing}`;
  const unknown = unknownKey(stated, Object.keys(offered));
  if (unknown !== undefined) return unknown;
  const other = Object.keys(stated).find((name) => !sameJson(stated[name], offered[name]));
  return other === undefined ? undefined : `its ${other} is not the one that was offered`;
}

export const firstMismatch = (...checks: readonly (() => Mismatch)[]): Mismatch => {
  for (const check of checks) {
    const mismatch = check();
    if (mismatch !== undefined) return mismatch;
  }
  return undefined;
};

function plain(value: JsonValue): JsonValue {
  if (typeof value === 'string') return lowerHex(value);
  if (Array.isArray(value)) return value.map((item: JsonValue) => plain(item));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, plain(inner)]])),
  );
}
