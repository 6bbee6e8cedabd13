import { Errors } from 'mppx';
import type { AtomicStore, Voucher } from '../../domain/channels/channel.js';
import { verificationFailed } from './channel-signatures.js';

type State = Readonly<Record<string, unknown>>;

/**
 * What npm mppx judges of a voucher once its signature is verified: whether the channel still pays, and this much. It is
 * accepted into the store. Nothing here is slow, because the channel's row is held meanwhile.
 *
 * @throws Errors.PaymentError when the voucher is not to be taken
 */
export async function judgeVoucher({ channelId, cumulative, signature }: Voucher, store: AtomicStore): Promise<void> {
  const state = await stateOf(channelId, store);
  const highest = amountAt(state, 'highestVoucherAmount');
  assertOpen(state);
  assertWithinDeposit(cumulative, state);
  if (cumulative < highest)
    throw verificationFailed('voucher cumulativeAmount must be strictly greater than highest accepted voucher');
  if (cumulative <= amountAt(state, 'settledOnChain'))
    throw verificationFailed('voucher cumulativeAmount is below on-chain settled amount');
  if (cumulative === highest) return;
  const highestVoucher = { channelId, cumulativeAmount: cumulative, signature };
  await store.update(channelId, () => ({
    op: 'set',
    value: { ...state, highestVoucherAmount: cumulative, highestVoucher },
    result: undefined,
  }));
}

/** The voucher of an open that is done already. @throws Errors.PaymentError when it is not one that was presented */
export async function judgeOpenVoucher({ channelId, cumulative }: Voucher, store: AtomicStore): Promise<void> {
  const state = await stateOf(channelId, store);
  assertWithinDeposit(cumulative, state);
  if (cumulative > amountAt(state, 'highestVoucherAmount'))
    throw verificationFailed('the channel is open already; pay with a voucher');
}

/**
 * The close of a channel as npm mppx judges it, but for the transaction: that one is sent by the durable settlement, so a
 * close is taken while the chain is down. It covers what was spent, also by requests that are still being served.
 *
 * @throws Errors.PaymentError when the close is not to be taken
 */
export async function judgeCloseVoucher({ channelId, cumulative }: Voucher, store: AtomicStore): Promise<void> {
  const state = await stateOf(channelId, store);
  const [spent, settled] = [amountAt(state, 'spent'), amountAt(state, 'settledOnChain')];
  if (cumulative < spent) throw verificationFailed(`close voucher amount must be >= ${spent} (spent)`);
  if (cumulative < settled) throw verificationFailed(`close voucher amount must be >= ${settled} (on-chain settled)`);
  assertWithinDeposit(cumulative, state);
}

async function stateOf(channelId: string, store: AtomicStore): Promise<State> {
  const state = (await store.get(channelId)) as State | null;
  if (state === null) throw new Errors.ChannelNotFoundError({ reason: 'channel not found' });
  return state;
}

function assertOpen(state: State): void {
  if (state['finalized'] === true) throw new Errors.ChannelClosedError({ reason: 'channel is finalized' });
  if (amountAt(state, 'closeRequestedAt') !== 0n)
    throw new Errors.ChannelClosedError({ reason: 'channel has a pending close request' });
}

function assertWithinDeposit(cumulative: bigint, state: State): void {
  if (cumulative > amountAt(state, 'deposit'))
    throw new Errors.AmountExceedsDepositError({ reason: 'voucher amount exceeds on-chain deposit' });
}

const amountAt = (state: State, name: string): bigint => {
  const amount = state[name];
  if (typeof amount !== 'bigint') throw new Error(`the channel's ${name} is not readable`);
  return amount;
};
