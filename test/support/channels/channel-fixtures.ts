import { randomBytes, randomUUID } from 'node:crypto';
import type { AtomicStore, ChannelId } from '../../../src/domain/channels/channel.js';
import { newSettlementId } from '../../../src/domain/ids.js';
import type { ChannelPayment, Judge } from '../../../src/ledger/channels/channel-types.js';
import type { Lease } from '../../../src/ledger/settlements/settlement-types.js';

export const someChannelId = (): ChannelId => `0x${randomBytes(32).toString('hex')}` as ChannelId;

const address = (digit: string) => `0x${digit.repeat(40)}`;
const SOME_TERMS = { chainId: 42431, escrow: address('4'), payee: address('b'), token: address('c') };

/** The state of an open channel as npm mppx keeps it. */
export function channelState(id: ChannelId, changes: Readonly<Record<string, unknown>> = {}) {
  const descriptor = {
    payer: address('a'),
    payee: SOME_TERMS.payee,
    operator: address('0'),
    token: SOME_TERMS.token,
    salt: `0x${'5'.repeat(64)}`,
    authorizedSigner: address('0'),
    expiringNonceHash: `0x${'6'.repeat(64)}`,
  };
  return {
    ...descriptor,
    authorizedSigner: descriptor.payer,
    backend: 'precompile',
    chainId: SOME_TERMS.chainId,
    channelId: id,
    closeRequestedAt: 0n,
    createdAt: '2026-01-01T00:00:00.000Z',
    deposit: 1_000_000n,
    descriptor,
    escrowContract: SOME_TERMS.escrow,
    finalized: false,
    highestVoucher: { channelId: id, cumulativeAmount: 1n, signature: '0x01' },
    highestVoucherAmount: 1n,
    settledOnChain: 0n,
    spent: 0n,
    units: 0,
    ...changes,
  };
}

type State = ReturnType<typeof channelState>;

/** Accepts whatever advances, as npm mppx does once the signature is verified. */
export const acceptingVoucher =
  (id: ChannelId, cumulative: bigint): Judge =>
  async (store: AtomicStore) => {
    await store.update(id, (current) => {
      const state = current as State;
      if (cumulative <= state.highestVoucherAmount) return { op: 'noop', result: undefined };
      const highestVoucher = { channelId: id, cumulativeAmount: cumulative, signature: `0x${cumulative.toString(16)}` };
      return { op: 'set', value: { ...state, highestVoucherAmount: cumulative, highestVoucher }, result: undefined };
    });
    return undefined;
  };

/** @param amount of the reservation; null hands in the voucher only */
export function paymentOf(id: ChannelId, cumulative: bigint, amount: bigint | null, lease: Lease): ChannelPayment {
  return {
    voucher: { channelId: id, cumulative, signature: `0x${cumulative.toString(16)}`, challengeId: 'c' },
    identity: null,
    oldestChainReadMs: 600_000,
    reservation:
      amount === null
        ? null
        : {
            id: newSettlementId(Date.now()),
            route: '/paid',
            amount,
            closeToken: randomUUID(),
            longestMs: 60_000,
            releasedLimit: 1_000_000,
            lease,
          },
  };
}
