import { type Address, type Hex, parseEventLogs } from 'viem';
import { Abis } from 'viem/tempo';
import type { Chain } from '../state/chain.js';
import type { Descriptor, Mined } from '../state/records.js';

/** Amounts are atomic units as digits. */
export interface CaptureView {
  readonly kind: 'settle' | 'close' | 'withdraw';
  readonly txHash: Hex;
  /** What this transaction moved to the payee. */
  readonly captured: string;
  /** What the payee has of the channel in all after it. */
  readonly total: string;
}

export interface ChannelView {
  readonly channelId: Hex;
  readonly descriptor: Descriptor;
  readonly deposit: string;
  readonly settled: string;
  readonly refunded: string;
  readonly closeRequestedAt: number;
  readonly closed: boolean;
  readonly captures: readonly CaptureView[];
}

export interface TransactionView {
  readonly hash: Hex;
  readonly from: Address;
  readonly blockNumber: number | null;
  readonly status: 'success' | 'reverted' | 'pending';
  readonly revertedWith: string | null;
  readonly events: readonly string[];
}

export interface LedgerView {
  readonly chainId: number;
  readonly blockNumber: number;
  readonly channels: readonly ChannelView[];
  readonly transactions: readonly TransactionView[];
  readonly balances: readonly { readonly token: string; readonly owner: string; readonly balance: string }[];
  readonly totals: { readonly captured: string; readonly transactions: number };
}

const eventsOf = ({ logs }: Mined) =>
  parseEventLogs({ abi: Abis.tip20ChannelReserve, logs: logs as Parameters<typeof parseEventLogs>[0]['logs'] });

/** Everything that happened on the chain, for auditors: made of its logs, not of what it believes to be its state. */
export function ledgerView(chain: Chain): LedgerView {
  const channels = new Map<string, ChannelView>();
  let captured = 0n;
  for (const mined of chain.blocks()) {
    for (const event of eventsOf(mined)) {
      const before = channels.get(event.args.channelId);
      const next = apply(before, event, mined.transaction.hash);
      if (next === undefined) continue;
      captured += BigInt(next.settled) - BigInt(before?.settled ?? '0');
      channels.set(event.args.channelId, next);
    }
  }
  const mined = chain.blocks().map((each) => minedView(each));
  const pooled = chain.pool().map(({ hash, from }) => ({
    hash,
    from,
    blockNumber: null,
    status: 'pending' as const,
    revertedWith: null,
    events: [],
  }));
  return {
    chainId: chain.chainId,
    blockNumber: chain.blockNumber(),
    channels: Array.from(channels.values()),
    transactions: [...mined, ...pooled],
    balances: chain.state.balances().map((each) => ({ ...each, balance: each.balance.toString() })),
    totals: { captured: captured.toString(), transactions: mined.length },
  };
}

type EscrowEvent = ReturnType<typeof eventsOf>[number];

function apply(channel: ChannelView | undefined, event: EscrowEvent, txHash: Hex): ChannelView | undefined {
  if (event.eventName === 'ChannelOpened') {
    const { channelId, deposit, ...descriptor } = event.args;
    return {
      channelId,
      descriptor,
      deposit: deposit.toString(),
      settled: '0',
      refunded: '0',
      closeRequestedAt: 0,
      closed: false,
      captures: [],
    };
  }
  if (channel === undefined) return undefined;
  switch (event.eventName) {
    case 'TopUp':
      return { ...channel, deposit: event.args.newDeposit.toString() };
    case 'Settled':
      return captureOf(channel, 'settle', txHash, event.args.newSettled);
    case 'ChannelClosed': {
      const { settledToPayee, refundedToPayer } = event.args;
      const kind = channel.closeRequestedAt === 0 ? 'close' : 'withdraw';
      return {
        ...captureOf(channel, kind, txHash, settledToPayee),
        refunded: refundedToPayer.toString(),
        closed: true,
      };
    }
    case 'CloseRequested':
      return { ...channel, closeRequestedAt: Number(event.args.closeGraceEnd) };
    case 'CloseRequestCancelled':
      return { ...channel, closeRequestedAt: 0 };
    default:
      return channel;
  }
}

function captureOf(channel: ChannelView, kind: CaptureView['kind'], txHash: Hex, total: bigint): ChannelView {
  const captured = (total - BigInt(channel.settled)).toString();
  const capture = { kind, txHash, captured, total: total.toString() };
  return { ...channel, settled: total.toString(), captures: [...channel.captures, capture] };
}

const minedView = (mined: Mined): TransactionView => ({
  hash: mined.transaction.hash,
  from: mined.transaction.from,
  blockNumber: mined.blockNumber,
  status: mined.revertedWith === null ? 'success' : 'reverted',
  revertedWith: mined.revertedWith,
  events: eventsOf(mined).map(({ eventName }) => eventName),
});
