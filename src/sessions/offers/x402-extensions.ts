import type { JsonObject, JsonValue } from '../../domain/json.js';
import { isObject } from '../../protocols/wire-json.js';
import { bazaarExtension, discoverableProblem } from './bazaar.js';
import { type Mismatch, sameJson } from './match-json.js';
import type { Offer, RouteOffers } from './offers.js';
import { PAYMENT_IDENTIFIER, paymentIdentifierExtension, paymentIdentifierMismatch } from './payment-identifier.js';
import { type RouteOptions, refuse } from './route-options.js';

/** An extension of x402 that a route offers in its 402. */
interface OfferedExtension {
  readonly declared: JsonObject;
  /** Clients repeat what was declared, and may add what the extension is for: whether this is an answer to ours. */
  readonly mismatch: (stated: JsonValue) => Mismatch;
}

/** By their names on the wire. */
export type OfferedExtensions = Readonly<Record<string, OfferedExtension>>;

const NOT_OFFERED = 'it states extensions that were not offered';

/**
 * Which extensions a route offers, and how the echo of each is checked.
 * @throws Error naming the option, at definition time
 */
export function offeredExtensions(
  { discoverable }: Pick<RouteOptions, 'discoverable'>,
  { offers, terms }: RouteOffers,
): OfferedExtensions {
  return {
    ...(terms.replay !== undefined && {
      [PAYMENT_IDENTIFIER]: { declared: paymentIdentifierExtension, mismatch: paymentIdentifierMismatch },
    }),
    ...(discoverable !== undefined && discoverable !== false && { bazaar: bazaarOf(discoverable, offers) }),
  };
}

function bazaarOf(
  discoverable: Exclude<RouteOptions['discoverable'], undefined | false>,
  offers: readonly Offer[],
): OfferedExtension {
  if (!offers.some((offer) => offer.protocol === 'x402')) {
    refuse('discoverable', 'catalogues list what is sold by x402', "protocols: ['x402'], discoverable: true");
  }
  const how = discoverable === true ? {} : discoverable;
  const problem = discoverableProblem(how);
  if (problem !== undefined) refuse('discoverable', problem, "discoverable: { method: 'POST', bodyType: 'json' }");
  const declared = bazaarExtension(how);
  // Clients add nothing to it.
  return { declared, mismatch: (stated) => (sameJson(stated, declared) ? undefined : NOT_OFFERED) };
}

/** The member `extensions` of a 402; undefined: the route offers none. */
export function declaredExtensions(offered: OfferedExtensions): JsonObject | undefined {
  const entries = Object.entries(offered);
  if (entries.length === 0) return undefined;
  return Object.fromEntries(entries.map(([name, { declared }]) => [name, declared]));
}

/** Whether all that a credential states as extensions answers ours; one that states none, or fewer, is as good. */
export function extensionsMismatch(stated: JsonValue | undefined, offered: OfferedExtensions): Mismatch {
  if (stated === undefined) return undefined;
  if (!isObject(stated)) return 'its extensions are not readable';
  for (const [name, value] of Object.entries(stated)) {
    const extension = Object.hasOwn(offered, name) ? offered[name] : undefined;
    const mismatch = extension === undefined || value === undefined ? NOT_OFFERED : extension.mismatch(value);
    if (mismatch !== undefined) return mismatch;
  }
  return undefined;
}
