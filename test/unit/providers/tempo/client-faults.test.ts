import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTempoSandbox } from '../../../../sandbox/tempo/start.js';
import { type CaptureWorld, PAYEE_KEY, startCaptureWorld } from './support.js';

let world: CaptureWorld;
beforeEach(async () => {
  world = await startCaptureWorld();
});
afterEach(() => world.close());

describe('a node that fails before anything is sent', () => {
  it.each([
    ['unavailable', { kind: 'unclear', why: 'server_error' }],
    ['html_502', { kind: 'unclear', why: 'server_error' }],
    ['rpc_error', { kind: 'unclear', why: 'server_error' }],
    ['invalid_json', { kind: 'unclear', why: 'unreadable' }],
    ['reset_before_commit', { kind: 'unclear', why: 'reset' }],
    ['rate_limited', { kind: 'busy', retryAfterMs: 7000 }],
  ] as const)('%s: nothing is captured', async (kind, expected) => {
    for (const on of ['eth_chainId', 'eth_call', 'eth_estimateGas'] as const) {
      world.sandbox.setFaults([{ kinds: [kind], on: [on], retryAfterSeconds: 7 }]);
      const answer = await world.settle();
      expect(answer).toMatchObject({ ...expected, detail: expect.stringContaining('nothing was sent') });
    }
    expect([world.sent(), world.captured()]).toEqual([0, '0']);
  });

  it('is not there at all', async () => {
    const gone = await startTempoSandbox();
    await gone.close();
    world.tempo = world.tempoAt(gone.url);
    expect(await world.settle()).toMatchObject({ kind: 'unclear', why: 'not_connected' });
    world.tempo = world.tempoAt(world.sandbox.url);
    await world.settle();
    await world.sandbox.die();
    expect(await world.settle({ cumulative: 50n })).toMatchObject({ kind: 'unclear' });
    await world.sandbox.revive();
    expect(await world.settle({ cumulative: 50n })).toMatchObject({ kind: 'done', alreadySettled: false });
  });

  it('is not even asked once the time is up', async () => {
    const { calls } = world.sandbox.calls().totals;
    expect(await world.settle({}, 0)).toMatchObject({ kind: 'unclear', why: 'no_answer' });
    expect(world.sandbox.calls().totals.calls).toBe(calls);
  });

  it('does not answer in time', async () => {
    world.sandbox.setFaults([{ kinds: ['hang_before_commit'], on: ['eth_call'] }]);
    expect(await world.settle({}, 150)).toMatchObject({ kind: 'unclear', why: 'no_answer' });
  });
});

describe('an answer that is lost', () => {
  it.each(['reset_after_commit', 'rpc_error_after_commit', 'invalid_json'] as const)(
    '%s hides a success that is found by its hash',
    async (kind) => {
      world.sandbox.setFaults([{ kinds: [kind], times: 1 }]);
      expect(await world.settle()).toMatchObject({ kind: 'done', alreadySettled: false });
      expect([world.sent(), world.captured()]).toEqual([1, '40']);
    },
  );

  it.each([
    ['reset_before_commit', 'reset'],
    ['unavailable', 'server_error'],
    ['rpc_error', 'server_error'],
  ] as const)('%s captured nothing, which is unknown until the chain is read', async (kind, why) => {
    world.sandbox.setFaults([{ kinds: [kind], times: 1 }]);
    expect(await world.settle()).toMatchObject({
      kind: 'unclear',
      why,
      detail: expect.stringContaining('may have gone through'),
    });
    expect(await world.settle()).toMatchObject({ kind: 'done', alreadySettled: false });
    expect([world.sent(), world.captured()]).toEqual([1, '40']);
  });

  it('with a node that is silent from then on is unknown, and the next attempt finds the capture instead of repeating it', async () => {
    world.sandbox.setFaults([{ kinds: ['hang_after_commit'], times: 1 }]);
    expect(await world.settle({}, 400)).toMatchObject({ kind: 'unclear', why: 'no_answer' });
    expect(world.captured()).toBe('40');
    expect(await world.settle()).toMatchObject({
      kind: 'done',
      alreadySettled: true,
      txHash: expect.stringMatching(/^0x/),
    });
    expect(world.sent()).toBe(1);
  });

  it('of the wait for the block leaves it unknown, and the next attempt reads first', async () => {
    world.sandbox.setFaults([{ kinds: ['unavailable'], on: ['eth_getTransactionReceipt'] }]);
    const answer = await world.settle({}, 1_000);
    expect(world.captured()).toBe('40');
    expect(answer).toMatchObject({ kind: 'unclear' });
    world.sandbox.setFaults([]);
    expect(await world.settle()).toMatchObject({ kind: 'done', alreadySettled: true });
    expect([world.sent(), world.captured()]).toEqual([1, '40']);
  });
});

describe('a transaction', () => {
  it('that stays in the pool is unknown; if it turns up after another one has captured, it captures nothing', async () => {
    world.sandbox.setFaults([{ kinds: ['stay_pending'], times: 1 }]);
    expect(await world.settle({}, 700)).toMatchObject({ kind: 'unclear', why: 'no_answer' });
    expect(world.captured()).toBe('0');
    expect(await world.settle()).toMatchObject({ kind: 'done', alreadySettled: false });
    await world.sandbox.mine();
    expect(world.sandbox.ledger().transactions.at(-1)).toMatchObject({
      status: 'reverted',
      revertedWith: 'AmountNotIncreasing',
    });
    expect(world.captured()).toBe('40');
  });

  it('that the chain undid is tried again: it captured nothing', async () => {
    world.sandbox.setFaults([{ kinds: ['reverted'], times: 1 }]);
    expect(await world.settle()).toMatchObject({
      kind: 'unclear',
      why: 'server_error',
      detail: expect.stringContaining('undone'),
    });
    expect(await world.settle()).toMatchObject({ kind: 'done', alreadySettled: false });
  });
});

it('quotes neither key nor address of the node, whatever goes wrong', async () => {
  const answers: unknown[] = [];
  const server: Server = createServer((_request, response) => {
    response.writeHead(500).end('<html>');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  for (const url of [`http://127.0.0.1:${port}/v1/CANARY-rpc-key`, 'http://127.0.0.1:1/CANARY-rpc-key']) {
    world.tempo = world.tempoAt(url);
    answers.push(await world.settle({}, 500));
  }
  await new Promise((closed) => server.close(closed));
  expect(JSON.stringify(answers)).not.toMatch(/CANARY|127\.0\.0\.1/);
  expect(JSON.stringify(answers)).not.toContain(PAYEE_KEY);
});
