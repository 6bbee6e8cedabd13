import fc from 'fast-check';
import { Session } from 'mppx/tempo';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/domain/json.js';
import { channelIdOf } from '../../../src/protocols/channel-id.js';

const hexOf = (bytes: number) =>
  fc
    .tuple(fc.uint8Array({ minLength: bytes, maxLength: bytes }), fc.boolean())
    .map(([given, upper]) =>
      Buffer.from(given)
        .toString('hex')
        .replace(/[a-f]/g, (digit) => (upper ? digit.toUpperCase() : digit)),
    )
    .map((digits) => `0x${digits}`);
const address = hexOf(20);
const word = hexOf(32);
const broken: fc.Arbitrary<JsonValue> = fc.oneof(
  hexOf(19),
  hexOf(21),
  hexOf(33),
  fc.constantFrom('', '0x', `0x${'g'.repeat(40)}`, `0x${'g'.repeat(64)}`, 'x'.repeat(32), null, 7, {}),
);
const descriptorOf = (anyOf: (form: fc.Arbitrary<string>) => fc.Arbitrary<JsonValue>) =>
  fc.record<JsonObject>({
    payer: anyOf(address),
    payee: anyOf(address),
    operator: anyOf(address),
    token: anyOf(address),
    salt: anyOf(word),
    authorizedSigner: anyOf(address),
    expiringNonceHash: anyOf(word),
  });
const chainIds = fc.oneof(fc.nat(), fc.constantFrom<JsonValue[]>('42431', '', 'x', -1, 1.5, 1e80, 2 ** 256, null));

/** As npm mppx computes it; undefined where it refuses to. */
function idOfMppx(descriptor: JsonObject, details: JsonObject): string | undefined {
  const { computeId } = Session.Precompile.Channel;
  const channel = { ...descriptor, chainId: Number(details['chainId']), escrow: details['escrowContract'] };
  try {
    return computeId(channel as unknown as Parameters<typeof computeId>[0]).toLowerCase();
  } catch {
    return undefined;
  }
}

describe('the id that follows from a channel', () => {
  it.each([
    ['well formed', descriptorOf((form) => form), fc.option(address, { nil: undefined })],
    [
      'here and there not well formed',
      descriptorOf((form) => fc.oneof({ weight: 12, arbitrary: form }, { weight: 1, arbitrary: broken })),
      fc.oneof(address, hexOf(19)),
    ],
  ] as const)('is the one that npm mppx computes: parts %s', (_how, descriptors, escrows) => {
    fc.assert(
      fc.property(descriptors, chainIds, escrows, (descriptor, chainId, escrowContract) => {
        const details = { chainId, ...(escrowContract !== undefined && { escrowContract }) };
        expect(channelIdOf(descriptor, details)).toBe(idOfMppx(descriptor, details));
      }),
    );
  });

  it('follows from nothing that is missing', () => {
    expect(channelIdOf(undefined, { chainId: 1 })).toBeUndefined();
    expect(channelIdOf({}, undefined)).toBeUndefined();
  });
});
