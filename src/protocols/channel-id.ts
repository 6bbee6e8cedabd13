import type { Hex } from 'viem';
import { keccak256, numberToHex, padHex } from 'viem/utils';
import { type ChannelId, parseChannelId } from '../domain/channels/channel.js';
import type { JsonObject } from '../domain/json.js';
import { stringAt } from './wire-json.js';

/** Where Tempo's reserve of channels is when a challenge names no other. */
const RESERVE = '0x4d50500000000000000000000000000000000000';
const ADDRESS = /^0x[0-9a-f]{40}$/i;
const WORD = /^0x[0-9a-f]{64}$/i;
/** What the reserve hashes of a channel, in its order. */
const DESCRIPTOR = {
  payer: ADDRESS,
  payee: ADDRESS,
  operator: ADDRESS,
  token: ADDRESS,
  salt: WORD,
  authorizedSigner: ADDRESS,
  expiringNonceHash: WORD,
};

/**
 * The id that follows from a channel's descriptor, chain and escrow, as the reserve computes it; undefined where they do not
 * say enough. Npm mppx has the same function (`Session.Precompile.Channel.computeId`), behind a thousand modules.
 */
export function channelIdOf(
  descriptor: JsonObject | undefined,
  details: JsonObject | undefined,
): ChannelId | undefined {
  const escrow = stringAt(details, 'escrowContract') ?? RESERVE;
  const parts = Object.entries(DESCRIPTOR).map(([name, form]) => hexOf(stringAt(descriptor, name), form));
  const words = [...parts, hexOf(escrow, ADDRESS), uint256(Number(details?.['chainId']))];
  if (words.includes(undefined)) return undefined;
  return parseChannelId(keccak256(`0x${words.map((word) => word?.slice(2)).join('')}`));
}

function hexOf(text: string | undefined, form: RegExp): Hex | undefined {
  return text !== undefined && form.test(text) ? padHex(text as Hex, { size: 32 }) : undefined;
}

const uint256 = (number: number): Hex | undefined =>
  Number.isInteger(number) && number >= 0 && number < 2 ** 256 ? numberToHex(BigInt(number), { size: 32 }) : undefined;
