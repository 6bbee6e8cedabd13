import type { JsonObject, JsonValue } from '../../domain/json.js';
import { isObject, objectAt, stringAt } from '../../protocols/wire-json.js';
import { type Mismatch, sameJson, unknownKey } from './match-json.js';

/** The extension of x402 by which a client names a payment, to have its answer again (x402 specification, payment_identifier). */
export const PAYMENT_IDENTIFIER = 'payment-identifier';

const IDENTIFIER = '^[a-zA-Z0-9_-]{16,128}$';
/** No longer than it must be: it is in the head of every 402. */
const SCHEMA: JsonObject = { properties: { id: { type: 'string', pattern: IDENTIFIER } } };

export const paymentIdentifierExtension: JsonObject = { info: { required: false }, schema: SCHEMA };

/** Whether a client states it as it was offered, and adds to it no more than its name. */
export function paymentIdentifierMismatch(stated: JsonValue): Mismatch {
  const identifier = isObject(stated) ? stated : undefined;
  const info = objectAt(identifier, 'info');
  if (identifier === undefined || info === undefined || unknownKey(info, ['required', 'id']) !== undefined)
    return 'its payment-identifier is not readable';
  const { info: _info, ...rest } = identifier;
  if (Object.keys(rest).length > 0 && !sameJson(rest, { schema: SCHEMA }))
    return 'its payment-identifier is not the one offered';
  if (!Object.hasOwn(info, 'id') || isIdentifier(stringAt(info, 'id'))) return undefined;
  return 'the id of its payment-identifier is not 16 to 128 letters, digits, "-" and "_"';
}

/** The name that an x402 payment gives itself; undefined: none, or none that could be one. */
export function identifierOf(content: JsonObject): string | undefined {
  const id = stringAt(objectAt(objectAt(objectAt(content, 'extensions'), PAYMENT_IDENTIFIER), 'info'), 'id');
  return isIdentifier(id) ? id : undefined;
}

const isIdentifier = (id: string | undefined): id is string => id !== undefined && new RegExp(IDENTIFIER).test(id);
