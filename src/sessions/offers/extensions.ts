import type { JsonObject, JsonValue } from '../../domain/json.js';
import { isObject, objectAt, stringAt } from '../../protocols/wire-json.js';
import { type Mismatch, sameJson, unknownKey } from './match-json.js';
import type { RouteTerms } from './route-options.js';

/** The extension of x402 by which a client names a payment, to have its answer again (x402 specification, payment_identifier). */
const PAYMENT_IDENTIFIER = 'payment-identifier';
const IDENTIFIER = '^[a-zA-Z0-9_-]{16,128}$';

const identifierExtension: JsonObject = {
  info: { required: false },
  schema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      required: { type: 'boolean' },
      id: { type: 'string', minLength: 16, maxLength: 128, pattern: '^[a-zA-Z0-9_-]+$' },
    },
    required: ['required'],
  },
};

/** The `extensions` of a 402, as x402 v2 carries them; a client states them again in its payment. */
export const offeredExtensions = ({ replay }: Pick<RouteTerms, 'replay'>): JsonObject =>
  replay === undefined ? {} : { [PAYMENT_IDENTIFIER]: identifierExtension };

/** Whether a payment states only extensions that were offered, and of each only what a client may add to it. */
export function extensionsMismatch(stated: JsonValue | undefined, offered: JsonObject): Mismatch {
  if (stated === undefined) return undefined;
  if (!isObject(stated)) return 'its extensions are not readable';
  const unknown = Object.keys(stated).find((name) => !Object.hasOwn(offered, name));
  if (unknown !== undefined) return 'it states extensions that were not offered';
  if (!Object.hasOwn(stated, PAYMENT_IDENTIFIER)) return undefined;
  const identifier = objectAt(stated, PAYMENT_IDENTIFIER);
  const info = objectAt(identifier, 'info');
  if (identifier === undefined || info === undefined || unknownKey(info, ['required', 'id']) !== undefined)
    return 'its payment-identifier is not readable';
  const { info: _info, ...rest } = identifier;
  const { info: _offered, ...restOffered } = identifierExtension;
  if (Object.keys(rest).length > 0 && !sameJson(rest, restOffered))
    return 'its payment-identifier is not the one offered';
  if (!Object.hasOwn(info, 'id')) return undefined;
  return identifierOf({ extensions: stated }) === undefined
    ? 'the id of its payment-identifier is not 16 to 128 letters, digits, "-" and "_"'
    : undefined;
}

/** The name that an x402 payment gives itself; undefined: none, or none that could be one. */
export function identifierOf(content: JsonObject): string | undefined {
  const id = stringAt(objectAt(objectAt(objectAt(content, 'extensions'), PAYMENT_IDENTIFIER), 'info'), 'id');
  return id !== undefined && new RegExp(IDENTIFIER).test(id) ? id : undefined;
}
