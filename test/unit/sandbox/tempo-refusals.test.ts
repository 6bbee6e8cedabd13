import { encodeFunctionData, type Hex, zeroAddress } from 'viem';
import { getLogs, readContract, sendRawTransaction, sendTransaction, waitForTransactionReceipt } from 'viem/actions';
import { Abis } from 'viem/tempo';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTempoSandbox, type TempoSandbox } from '../../../sandbox/tempo/start.js';
import {
  Chain,
  type ChainClient,
  Constants,
  chainClient,
  escrowAbi,
  newAccount,
  type OpenedChannel,
  openChannel,
  signVoucher,
  stateOf,
  TOKEN,
} from '../../support/channels/tempo-chain.js';

let nowMs: number;
let sandbox: TempoSandbox;
let payer: ChainClient;
let payee: ChainClient;
let stranger: ChainClient;
let channel: OpenedChannel;
beforeEach(async () => {
  nowMs = Date.now();
  sandbox = await startTempoSandbox({ clock: { nowMs: () => nowMs } });
  [payer, payee, stranger] = [newAccount(), newAccount(), newAccount()].map((each) =>
    chainClient(sandbox.url, each),
  ) as [ChainClient, ChainClient, ChainClient];
  channel = await openChannel(payer, { payee: payee.account.address, deposit: 1000n });
});
afterEach(() => sandbox.close());

const settle = async (client: ChainClient, amount: bigint, signature?: Hex, descriptor = channel.descriptor) =>
  Chain.settleOnChain(client, descriptor, amount, signature ?? (await signVoucher(payer, channel.channelId, amount)));
const close = async (client: ChainClient, amount: bigint, capture: bigint, signature?: Hex) =>
  Chain.closeOnChain(
    client,
    channel.descriptor,
    amount,
    capture,
    signature ?? (await signVoucher(payer, channel.channelId, amount)),
  );
const balanceOf = (owner: string) =>
  sandbox.ledger().balances.find((each) => each.owner === owner.toLowerCase())?.balance;

describe('the escrow refuses, and nothing changes', () => {
  const changed = { expiringNonceHash: `0x${'1'.repeat(64)}` } as const;
  it.each<[what: string, error: string, act: () => Promise<unknown>]>([
    [
      'settling a channel that does not exist',
      'ChannelNotFound',
      () => settle(payee, 10n, '0x', { ...channel.descriptor, ...changed }),
    ],
    ['settling as somebody who is neither payee nor operator', 'NotPayeeOrOperator', () => settle(stranger, 10n)],
    ['settling as the payer', 'NotPayeeOrOperator', () => settle(payer, 10n)],
    [
      'a voucher that somebody else signed',
      'InvalidSignature',
      async () => settle(payee, 10n, await signVoucher(stranger, channel.channelId, 10n)),
    ],
    [
      'a voucher for another amount',
      'InvalidSignature',
      async () => settle(payee, 11n, await signVoucher(payer, channel.channelId, 10n)),
    ],
    [
      'a voucher of another channel',
      'InvalidSignature',
      async () => settle(payee, 10n, await signVoucher(payer, `0x${'2'.repeat(64)}`, 10n)),
    ],
    ['a signature that is none', 'InvalidSignature', () => settle(payee, 10n, '0x1234')],
    ['settling more than the deposit', 'AmountExceedsDeposit', () => settle(payee, 1001n)],
    ['settling nothing', 'AmountNotIncreasing', () => settle(payee, 0n)],
    ['closing as somebody else', 'NotPayeeOrOperator', () => close(stranger, 10n, 10n)],
    ['capturing more than the voucher', 'CaptureAmountInvalid', () => close(payee, 10n, 11n)],
    ['capturing more than the deposit', 'AmountExceedsDeposit', () => close(payee, 2000n, 1001n)],
    [
      'closing on a forged voucher',
      'InvalidSignature',
      async () => close(payee, 10n, 10n, await signVoucher(stranger, channel.channelId, 10n)),
    ],
    ['a top-up by somebody else', 'NotPayer', () => Chain.topUpOnChain(stranger, channel.descriptor, 5n)],
    ['a top-up of nothing', 'ZeroDeposit', () => Chain.topUpOnChain(payer, channel.descriptor, 0n)],
    ['a top-up beyond 96 bits', 'DepositOverflow', () => Chain.topUpOnChain(payer, channel.descriptor, 2n ** 96n - 1n)],
    ['asking to close for the payer', 'NotPayer', () => Chain.requestCloseOnChain(payee, channel.descriptor)],
    ['withdrawing without having asked', 'CloseNotReady', () => Chain.withdrawOnChain(payer, channel.descriptor)],
    ['opening with no deposit', 'ZeroDeposit', () => openChannel(payer, { payee: payee.account.address, deposit: 0n })],
    ['opening for nobody', 'InvalidPayee', () => openChannel(payer, { payee: zeroAddress })],
    [
      'opening without the money',
      'InsufficientBalance',
      async () => {
        await sandbox.setBalance(payer.account.address, 5n);
        return openChannel(payer, { payee: payee.account.address, deposit: 6n });
      },
    ],
  ])('%s: %s', async (_what, error, act) => {
    const { channels } = sandbox.ledger();
    await expect(act()).rejects.toThrow(error);
    expect(sandbox.ledger().channels).toEqual(channels);
    expect(await stateOf(payee, channel.channelId)).toEqual({ settled: 0n, deposit: 1000n, closeRequestedAt: 0 });
  });

  it('settling what is settled, settling less, and everything after the close', async () => {
    await settle(payee, 40n);
    await expect(settle(payee, 40n)).rejects.toThrow('AmountNotIncreasing');
    await expect(settle(payee, 39n)).rejects.toThrow('AmountNotIncreasing');
    await expect(close(payee, 40n, 39n)).rejects.toThrow('CaptureAmountInvalid');
    await close(payee, 50n, 45n);
    await expect(settle(payee, 60n)).rejects.toThrow('ChannelNotFound');
    await expect(close(payee, 60n, 60n)).rejects.toThrow('ChannelNotFound');
    await expect(Chain.topUpOnChain(payer, channel.descriptor, 5n)).rejects.toThrow('ChannelNotFound');
    expect(await stateOf(payee, channel.channelId)).toEqual({ settled: 0n, deposit: 0n, closeRequestedAt: 0 });
    expect(sandbox.ledger().channels[0]).toMatchObject({ settled: '45', refunded: '955', closed: true });
    expect(sandbox.ledger().totals.captured).toBe('45');
  });

  it('a transaction that passed its simulation but comes too late is mined and undone', async () => {
    const data = encodeFunctionData({
      abi: escrowAbi,
      functionName: 'settle',
      args: [channel.descriptor, 40n, await signVoucher(payer, channel.channelId, 40n)],
    });
    // With its gas given it is sent without a simulation.
    const send = () =>
      sendTransaction(payee, { to: Constants.tip20ChannelEscrow, data, gas: 100_000n, nonceKey: 'expiring' } as never);
    const [first, second] = [await send(), await send()];
    const receipts = await Promise.all([first, second].map((hash) => waitForTransactionReceipt(payee, { hash })));
    expect(receipts.map(({ status, logs }) => [status, logs.length])).toEqual([
      ['success', 1],
      ['reverted', 0],
    ]);
    expect(sandbox.ledger().transactions.map(({ revertedWith }) => revertedWith)).toEqual([
      null,
      null,
      'AmountNotIncreasing',
    ]);
    expect(sandbox.ledger().totals.captured).toBe('40');
  });
});

describe('the money', () => {
  it('moves from payer to escrow to payee, and the rest goes back', async () => {
    await sandbox.setBalance(payer.account.address, 5000n);
    await sandbox.setBalance(payee.account.address, 0n);
    const { channelId, descriptor } = await openChannel(payer, { payee: payee.account.address, deposit: 1000n });
    channel = { ...channel, channelId, descriptor };
    expect(balanceOf(payer.account.address)).toBe('4000');
    await Chain.topUpOnChain(payer, descriptor, 500n);
    expect([balanceOf(payer.account.address), (await stateOf(payee, channelId)).deposit]).toEqual(['3500', 1500n]);
    await settle(payee, 200n);
    await close(payee, 300n, 250n);
    expect([balanceOf(payer.account.address), balanceOf(payee.account.address)]).toEqual(['4750', '250']);
  });

  it('a channel on which nothing was spent closes at zero', async () => {
    await close(payee, 10n, 0n);
    expect(sandbox.ledger().channels[0]).toMatchObject({ settled: '0', refunded: '1000', closed: true });
  });

  it('an operator settles, an authorized signer signs instead of the payer', async () => {
    const opened = await openChannel(payer, {
      payee: payee.account.address,
      operator: stranger.account.address,
      authorizedSigner: stranger.account.address,
    });
    channel = opened;
    await expect(settle(stranger, 10n, await signVoucher(payer, opened.channelId, 10n))).rejects.toThrow(
      'InvalidSignature',
    );
    await settle(stranger, 10n, await signVoucher(stranger, opened.channelId, 10n));
    expect((await stateOf(payee, opened.channelId)).settled).toBe(10n);
  });

  it('a payer who asked gets the rest back after the grace period, and a top-up takes the request back', async () => {
    await settle(payee, 40n);
    await Chain.requestCloseOnChain(payer, channel.descriptor);
    expect((await stateOf(payee, channel.channelId)).closeRequestedAt).toBe(Math.floor(nowMs / 1000));
    await Chain.topUpOnChain(payer, channel.descriptor, 5n);
    expect((await stateOf(payee, channel.channelId)).closeRequestedAt).toBe(0);
    await Chain.requestCloseOnChain(payer, channel.descriptor);
    await expect(Chain.withdrawOnChain(payer, channel.descriptor)).rejects.toThrow('CloseNotReady');
    nowMs += 900_000;
    // The chain is ahead of this machine's clock now, so the transaction must not expire.
    const data = encodeFunctionData({ abi: escrowAbi, functionName: 'withdraw', args: [channel.descriptor] });
    await sendTransaction(payer, { calls: [{ to: Constants.tip20ChannelEscrow, data }], nonce: 0 } as never);
    const [withdrawn] = sandbox.ledger().channels;
    expect(withdrawn).toMatchObject({ settled: '40', refunded: '965', closed: true });
    expect(withdrawn?.captures.map(({ kind, captured }) => [kind, captured])).toEqual([
      ['settle', '40'],
      ['withdraw', '0'],
    ]);
  });
});

describe('a transaction', () => {
  const rpc = async (method: string, ...params: unknown[]) => {
    const response = await fetch(sandbox.url, {
      method: 'POST',
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    return (await response.json()) as { result?: never; error?: { code: number; message: string } };
  };

  it('is carried out once, however often the same bytes come', async () => {
    const raw: Hex[] = [];
    const spying = chainClient(sandbox.url, payee.account);
    const request = spying.request as (call: { method: string; params?: unknown }) => Promise<unknown>;
    spying.request = (async (call: { method: string; params: [Hex] }) => {
      if (call.method === 'eth_sendRawTransaction') raw.push(call.params[0]);
      return request(call);
    }) as never;
    const hash = await Chain.settleOnChain(
      spying,
      channel.descriptor,
      40n,
      await signVoucher(payer, channel.channelId, 40n),
    );
    const [bytes] = raw;
    expect(await sendRawTransaction(payee, { serializedTransaction: bytes as never })).toBe(hash);
    expect((await rpc('eth_sendRawTransactionSync', bytes)).result).toMatchObject({
      transactionHash: hash,
      status: '0x1',
    });
    expect(sandbox.ledger().totals).toEqual({ captured: '40', transactions: 2 });
    // Expired in the meantime: still the same transaction, not a new one.
    nowMs += 60_000;
    expect((await rpc('eth_sendRawTransaction', bytes)).result).toBe(hash);
    expect(sandbox.ledger().totals.transactions).toBe(2);
  });

  it('that waited in the pool beyond its validity is never carried out', async () => {
    sandbox.setFaults([{ kinds: ['stay_pending'], times: 1 }]);
    const hash = await settle(payee, 40n);
    expect(sandbox.ledger().transactions.at(-1)).toMatchObject({ hash, status: 'pending', blockNumber: null });
    expect((await rpc('eth_getTransactionReceipt', hash)).result).toBeNull();
    expect((await rpc('eth_getTransactionByHash', hash)).result).toMatchObject({ hash, blockNumber: null });
    nowMs += 60_000;
    await sandbox.mine();
    expect(sandbox.ledger().totals.captured).toBe('0');
  });

  it.each([
    ['bytes that are none', 'nonsense', -32_602],
    ['an Ethereum transaction', '0x02c0', -32_000],
    ['a transaction that does not decode', '0x76c0', -32_000],
  ])('%s is refused before it enters', async (_what, raw, code) => {
    expect((await rpc('eth_sendRawTransaction', raw)).error?.code).toBe(code);
    expect(sandbox.ledger().transactions).toHaveLength(1);
  });

  it('for another chain is refused', async () => {
    const other = await startTempoSandbox({ chainId: 4217 });
    try {
      const client = chainClient(other.url, payer.account);
      await expect(openChannel(client, { payee: payee.account.address })).rejects.toThrow(/chain/i);
      expect(other.ledger().transactions).toEqual([]);
    } finally {
      await other.close();
    }
  });
});

describe('reading', () => {
  it('finds the opening of a channel by its id, with all seven fields of the descriptor', async () => {
    await openChannel(payer, { payee: payee.account.address });
    const event = Abis.tip20ChannelReserve.find((item) => item.type === 'event' && item.name === 'ChannelOpened');
    const logs = await getLogs(payee, {
      address: Constants.tip20ChannelEscrow,
      event: event as never,
      args: { channelId: channel.channelId } as never,
      fromBlock: 'earliest',
    });
    expect(logs).toHaveLength(1);
    const { channelId, deposit, ...descriptor } = (logs[0] as unknown as { args: Record<string, unknown> }).args;
    expect([channelId, deposit, descriptor]).toEqual([channel.channelId, 1000n, channel.descriptor]);
  });

  it('reads a channel by its descriptor, many by their ids, and balances of the token', async () => {
    expect(await Chain.getChannel(payee, channel.descriptor)).toEqual({
      descriptor: channel.descriptor,
      state: { settled: 0n, deposit: 1000n, closeRequestedAt: 0 },
    });
    const states = await Chain.getChannelStatesBatch(payee, [channel.channelId, `0x${'3'.repeat(64)}`]);
    expect(states.map(({ deposit }) => deposit)).toEqual([1000n, 0n]);
    await sandbox.setBalance(stranger.account.address, 77n);
    const args = [stranger.account.address] as const;
    expect(await readContract(payee, { address: TOKEN, abi: Abis.tip20, functionName: 'balanceOf', args })).toBe(77n);
  });

  it('of a block that is not there yet is an error, as at a replica that lags', async () => {
    await expect(Chain.getChannelState(payee, channel.channelId, undefined, 99n)).rejects.toThrow('header not found');
  });
});
