import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeFunctionData, type Hex } from 'viem';
import { sendTransaction, waitForTransactionReceipt } from 'viem/actions';
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
} from '../../support/channels/tempo-chain.js';

let stateDir: string;
let sandbox: TempoSandbox;
let payer: ChainClient;
let payee: ChainClient;
let channel: OpenedChannel;
beforeEach(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'makegood-tempo-'));
  sandbox = await startTempoSandbox({ stateDir });
  payer = chainClient(sandbox.url, newAccount());
  payee = chainClient(sandbox.url, newAccount());
  channel = await openChannel(payer, { payee: payee.account.address, deposit: 1000n });
});
afterEach(async () => {
  await sandbox.close();
  rmSync(stateDir, { recursive: true, force: true });
});

const settle = async (amount: bigint) =>
  Chain.settleOnChain(payee, channel.descriptor, amount, await signVoucher(payer, channel.channelId, amount));
const captured = () => sandbox.ledger().totals.captured;
const control = (method: string, path: string, body?: object) =>
  fetch(`${sandbox.url}/control/${path}`, {
    method,
    headers: { 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });

describe('a fault of the node', () => {
  it.each([
    ['unavailable', '0'],
    ['html_502', '0'],
    ['http_401', '0'],
    ['http_404', '0'],
    ['rate_limited', '0'],
    ['rpc_error', '0'],
    ['reset_before_commit', '0'],
    ['hang_before_commit', '0'],
    ['reset_after_commit', '40'],
    ['hang_after_commit', '40'],
    ['rpc_error_after_commit', '40'],
    ['invalid_json', '40'],
  ] as const)('%s fails the caller and leaves %s captured', async (kind, moved) => {
    sandbox.setFaults([{ kinds: [kind], times: 1, ms: 20 }]);
    await expect(settle(40n)).rejects.toThrow();
    expect(captured()).toBe(moved);
    expect(sandbox.faults()).toEqual([]);
    expect(sandbox.calls().calls.at(-1)).toMatchObject({ method: 'eth_sendRawTransaction', fault: kind });
  });

  it('reverted puts the transaction into a block and undoes it; the next one succeeds', async () => {
    sandbox.setFaults([{ kinds: ['reverted'], times: 1 }]);
    const receipt = await waitForTransactionReceipt(payee, { hash: await settle(40n) });
    expect([receipt.status, captured()]).toEqual(['reverted', '0']);
    await settle(40n);
    expect(captured()).toBe('40');
  });

  it('slow answers late, and the caller who gave up does not undo it', async () => {
    sandbox.setFaults([{ kinds: ['slow'], times: 1, ms: 30 }]);
    await settle(40n);
    expect(captured()).toBe('40');
  });

  it('stay_pending carries it out only when told', async () => {
    sandbox.setFaults([{ kinds: ['stay_pending'], times: 1 }]);
    const hash = await settle(40n);
    expect(captured()).toBe('0');
    await control('POST', 'mine');
    expect((await waitForTransactionReceipt(payee, { hash })).status).toBe('success');
    expect(captured()).toBe('40');
  });

  it('strikes only the methods it names', async () => {
    sandbox.setFaults([{ kinds: ['unavailable'], on: ['eth_call'], times: 1 }]);
    await settle(40n);
    await expect(stateOf(payee, channel.channelId)).rejects.toThrow();
    expect((await stateOf(payee, channel.channelId)).settled).toBe(40n);
  });

  it('strikes by chance, the same calls in every run of a seed', async () => {
    const run = async () => {
      sandbox.setFaults([{ kinds: ['rpc_error'], on: ['eth_blockNumber'], probability: 0.5 }], 7);
      const answers = [];
      for (let call = 0; call < 20; call++) {
        const response = await fetch(sandbox.url, {
          method: 'POST',
          body: JSON.stringify({ jsonrpc: '2.0', id: call, method: 'eth_blockNumber' }),
        });
        answers.push('error' in ((await response.json()) as object));
      }
      return answers;
    };
    const first = await run();
    expect(new Set(first).size).toBe(2);
    expect(await run()).toEqual(first);
  });
});

describe('the switches over HTTP', () => {
  it('take the whole node down and bring it back, and answer meanwhile', async () => {
    await control('PUT', 'down', { down: true });
    await expect(stateOf(payee, channel.channelId)).rejects.toThrow('503');
    expect(await (await control('GET', 'faults')).json()).toEqual({ rules: [], down: true });
    await control('DELETE', 'faults');
    expect((await stateOf(payee, channel.channelId)).deposit).toBe(1000n);
  });

  it('close the socket for a while', async () => {
    await control('PUT', 'dead', { forMs: 60_000 });
    await expect
      .poll(() =>
        stateOf(payee, channel.channelId).then(
          () => 'up',
          () => 'gone',
        ),
      )
      .toBe('gone');
    await sandbox.revive();
    expect((await stateOf(payee, channel.channelId)).deposit).toBe(1000n);
  });

  it('set a balance, show ledger and calls, and forget everything', async () => {
    const owner = payer.account.address;
    await control('PUT', 'balances', { owner, balance: '7' });
    const ledger = (await (await control('GET', 'ledger')).json()) as ReturnType<TempoSandbox['ledger']>;
    expect(ledger.balances.find((each) => each.owner === owner.toLowerCase())?.balance).toBe('7');
    expect(ledger.channels.map(({ channelId }) => channelId)).toEqual([channel.channelId]);
    const calls = (await (await control('GET', 'calls')).json()) as ReturnType<TempoSandbox['calls']>;
    expect(calls.methods.eth_sendRawTransaction).toBe(1);
    await control('POST', 'reset');
    expect(sandbox.ledger()).toMatchObject({ blockNumber: 0, channels: [], transactions: [], balances: [] });
    expect((await stateOf(payee, channel.channelId)).deposit).toBe(0n);
  });

  it.each([
    ['faults', { rules: [{ kinds: ['nonsense'] }] }],
    ['faults', { rules: [{ kinds: ['slow'], on: ['eth_nothing'] }] }],
    ['down', { down: 'yes' }],
    ['balances', { owner: '0x1', balance: '1' }],
    ['balances', { owner: `0x${'1'.repeat(40)}`, balance: '-1' }],
    ['dead', { forMs: 0 }],
  ])('refuse %s %j and change nothing', async (path, body) => {
    expect((await control('PUT', path, body)).status).toBe(400);
    expect([sandbox.faults(), sandbox.isDown()]).toEqual([[], false]);
  });
});

describe('bad requests', () => {
  const post = (body: string) => fetch(sandbox.url, { method: 'POST', body });
  it.each([
    ['no JSON', '{', 400, -32_700],
    ['no request', '{"a": 1}', 400, -32_600],
    ['a method there is not', '{"jsonrpc":"2.0","id":1,"method":"eth_fillTransaction","params":[]}', 200, -32_601],
    [
      'a hash that is none',
      '{"jsonrpc":"2.0","id":1,"method":"eth_getTransactionReceipt","params":["0x1"]}',
      200,
      -32_602,
    ],
    ['a filter that is none', '{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{"address":1}]}', 200, -32_602],
  ])('%s is answered with an error', async (_what, body, status, code) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
  });

  it('of a batch each is answered for itself', async () => {
    const call = (id: number, method: string) => ({ jsonrpc: '2.0', id, method, params: [] });
    const response = await post(JSON.stringify([call(1, 'eth_chainId'), call(2, 'eth_nothing')]));
    expect(await response.json()).toMatchObject([
      { id: 1, result: '0xa5bf' },
      { id: 2, error: { code: -32_601 } },
    ]);
  });
});

describe('what it remembers', () => {
  it('is the same chain after a restart, also what was undone', async () => {
    sandbox.setFaults([{ kinds: ['reverted'], times: 1 }]);
    await settle(40n);
    await settle(50n);
    await sandbox.setBalance(payer.account.address, 7n);
    const before = sandbox.ledger();
    await sandbox.close();
    sandbox = await startTempoSandbox({ stateDir });
    expect(sandbox.ledger()).toEqual(before);
  });

  it('knows who sent an ordinary transaction, and refuses the same nonce twice', async () => {
    const data = encodeFunctionData({ abi: escrowAbi, functionName: 'requestClose', args: [channel.descriptor] });
    const send = (nonce: number): Promise<Hex> =>
      sendTransaction(payer, { calls: [{ to: Constants.tip20ChannelEscrow, data }], nonce, gas: 100_000n } as never);
    await send(0);
    await expect(send(2)).rejects.toThrow('nonce too high');
    await sandbox.close();
    sandbox = await startTempoSandbox({ stateDir, port: sandbox.port });
    await send(1);
    expect((await stateOf(payee, channel.channelId)).closeRequestedAt).toBeGreaterThan(0);
  });
});
