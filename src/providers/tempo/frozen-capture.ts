import type { Address, Hex } from 'viem';
import { z } from 'zod';
import type { JsonObject } from '../../domain/json.js';

const address = z.custom<Address>((value) => typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value));
const word = z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-fA-F]{64}$/.test(value));
const hex = z.custom<Hex>((value) => typeof value === 'string' && /^0x(?:[0-9a-fA-F]{2})+$/.test(value));
const UINT96_MAX = 2n ** 96n - 1n;
const amount = z
  .string()
  .regex(/^\d{1,29}$/)
  .transform(BigInt)
  .refine((value) => value <= UINT96_MAX);

const captureSchema = z
  .strictObject({
    kind: z.enum(['settle', 'close']),
    chainId: z.int().min(1),
    escrow: address,
    channelId: word,
    descriptor: z.strictObject({
      payer: address,
      payee: address,
      operator: address,
      token: address,
      salt: word,
      authorizedSigner: address,
      expiringNonceHash: word,
    }),
    cumulativeAmount: amount,
    captureAmount: amount,
    signature: hex,
  })
  // The chain's settle takes all that its voucher allows: a smaller amount could not be asked for.
  .refine(({ kind, cumulativeAmount, captureAmount }) =>
    kind === 'settle' ? captureAmount === cumulativeAmount : captureAmount <= cumulativeAmount,
  );

/** What one attempt goes by; read from the frozen body. */
export type FrozenCapture = z.output<typeof captureSchema>;

/** Undefined where the bytes are no capture: then nothing may be sent. */
export function readCapture(body: string): FrozenCapture | undefined {
  try {
    return captureSchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

const lookupSchema = z
  .object({
    kind: z.enum(['settle', 'close']),
    chainId: z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number),
    escrow: address,
    channelId: word,
    capture: amount,
  })
  .transform(({ capture, ...rest }) => ({ ...rest, captureAmount: capture }));

/** What a settlement's public facts name of a capture; undefined: it is none. */
export const readLookup = (lookup: JsonObject) => lookupSchema.safeParse(lookup).data;
