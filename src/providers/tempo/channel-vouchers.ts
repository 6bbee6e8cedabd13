import { Errors } from 'mppx';
import { Session } from 'mppx/tempo';
import type { Hex } from 'viem';
import type { AtomicStore, ChannelTerms } from '../../domain/channel.js';

type State = Readonly<Record<string, unknown>>;

interface VoucherPayload {
  readonly action?: unknown;
  readonly channelId?: unknown;
  readonly cumulativeAmount?: unknown;
  readonly descriptor?: unknown;
  readonly signature?: unknown;
}

/**
 * The close of a channel as npm mppx judges it, but for the transaction: that one is sent by the durable settlement, so a
 * close is taken while the chain is down. It covers what was spent, also by requests that are still being served.
 *
 * @throws Errors.PaymentError when the close is not to be taken
 */
export async function judgeCloseVoucher(payload: VoucherPayload, store: AtomicStore, terms: ChannelTerms) {
  const { channelId, cumulativeAmount, signature, state } = await read('close', payload, store, terms);
  if (cumulativeAmount < amountAt(state, 'spent'))
    throw refused(`close voucher amount must be >= ${amountAt(state, 'spent')} (spent)`);
  if (cumulativeAmount < amountAt(state, 'settledOnChain'))
    throw refused(`close voucher amount must be >= ${amountAt(state, 'settledOnChain')} (on-chain settled)`);
  if (cumulativeAmount > amountAt(state, 'deposit'))
    throw new Errors.AmountExceedsDepositError({ reason: 'close voucher amount exceeds on-chain deposit' });
  assertSigned({ channelId, cumulativeAmount, signature }, state, terms);
  return accepted(channelId);
}

/** @throws Errors.PaymentError when it is not the voucher of an open of this channel */
export async function judgeOpenVoucher(payload: VoucherPayload, store: AtomicStore, terms: ChannelTerms) {
  const { channelId, cumulativeAmount, signature, state } = await read('open', payload, store, terms);
  if (cumulativeAmount > amountAt(state, 'deposit'))
    throw new Errors.AmountExceedsDepositError({ reason: 'voucher amount exceeds on-chain deposit' });
  if (cumulativeAmount > amountAt(state, 'highestVoucherAmount'))
    throw refused('the channel is open already; pay with a voucher');
  assertSigned({ channelId, cumulativeAmount, signature }, state, terms);
  return accepted(channelId);
}

async function read(action: 'open' | 'close', payload: VoucherPayload, store: AtomicStore, terms: ChannelTerms) {
  const { channelId, signature } = payload;
  if (payload.action !== action || typeof channelId !== 'string' || typeof signature !== 'string')
    throw new Errors.InvalidPayloadError();
  const cumulativeAmount = uint96(payload.cumulativeAmount);
  const state = (await store.get(channelId)) as State | null;
  if (state === null) throw new Errors.ChannelNotFoundError({ reason: 'channel not found' });
  assertSameChannel(payload.descriptor, channelId, terms);
  return { channelId: channelId as Hex, cumulativeAmount, signature: signature as Hex, state };
}

/** What npm mppx wants of a verification; nobody is shown it. */
const accepted = (channelId: string) => ({
  method: 'tempo',
  reference: channelId,
  status: 'success' as const,
  timestamp: new Date(0).toISOString(),
});

/** A descriptor is right when the id follows from it, which also binds payee, token, operator, escrow and chain. */
export function assertSameChannel(descriptor: unknown, channelId: string, { chainId, escrow }: ChannelTerms): void {
  let computed: string | undefined;
  try {
    computed = Session.Precompile.Channel.computeId({
      ...(descriptor as Session.Precompile.SessionDescriptor),
      chainId,
      escrow: escrow as Hex,
    });
  } catch {
    throw refused('invalid session credential descriptor');
  }
  if (computed.toLowerCase() !== channelId.toLowerCase()) throw refused('channel descriptor does not match channelId');
}

export function uint96(digits: unknown): bigint {
  if (typeof digits !== 'string' || !/^[0-9]{1,29}$/.test(digits) || BigInt(digits) >= 2n ** 96n)
    throw refused('invalid session credential cumulativeAmount');
  return BigInt(digits);
}

export const refused = (reason: string) => new Errors.VerificationFailedError({ reason });

function assertSigned(
  voucher: { channelId: Hex; cumulativeAmount: bigint; signature: Hex },
  state: State,
  { chainId, escrow }: ChannelTerms,
): void {
  let signed = false;
  try {
    const signer = state['authorizedSigner'] as Hex;
    signed = Session.Precompile.Voucher.verifyVoucher(escrow as Hex, chainId, voucher, signer);
  } catch {
    signed = false;
  }
  if (!signed) throw new Errors.InvalidSignatureError({ reason: 'invalid voucher signature' });
}

const amountAt = (state: State, name: string): bigint => {
  const amount = state[name];
  if (typeof amount !== 'bigint') throw new Error(`the channel's ${name} is not readable`);
  return amount;
};
