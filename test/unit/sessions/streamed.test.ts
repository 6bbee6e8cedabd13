import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, expect, test } from 'vitest';
import { ask } from './support/ask.js';
import { VERSIONS } from './support/buying.js';
import { eventually, METERED, nothing, sell, type World } from './support/world.js';

let world: World;
afterEach(() => world.close());

const STREAM = { sells: METERED };
const ATXP = { protocol: 'atxp' } as const;

/** A client that keeps what it has received so far where the test can see it. */
async function watch(credential: { headers: Readonly<Record<string, string>> }) {
  const request = get(`${world.url}/paid`, { headers: credential.headers });
  const seen = { status: 0, text: '', ended: false, cut: false };
  request.on('error', () => {
    seen.cut = true;
  });
  request.on('response', (response: IncomingMessage) => {
    seen.status = response.statusCode ?? 0;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      seen.text += chunk;
    });
    response.on('end', () => {
      seen.ended = true;
    });
    response.on('error', () => {
      seen.cut = true;
    });
  });
  return { seen, hangUp: () => request.destroy() };
}

/** Long enough for a byte that was let go to arrive over loopback. */
const settleDown = async () => {
  for (let turn = 0; turn < 300; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('a stream runs ahead of the ledger by the checkpoint amount and not one chunk further', async () => {
  world = await sell(async (req, res) => {
    for (const chunk of ['a', 'b', 'c', 'd']) {
      req.paymentSession?.charge(5_000n);
      res.write(chunk);
      // What is written in one go some versions of Node send in one go.
      await new Promise((resolve) => setImmediate(resolve));
    }
    res.end('!');
  }, STREAM);
  const credential = await world.credential(ATXP);
  const release = world.ledger.hold();
  const { seen } = await watch(credential);
  await eventually(() => seen.text === 'ab');
  await settleDown();
  expect(seen.text).toBe('ab');
  release();
  await eventually(() => seen.ended);
  expect(seen.text).toBe('abcd!');
  expect(world.ledger.only()).toMatchObject({ status: 'pending', spent: 20_000n });
});

test('the first protected byte may not run ahead of the bound either', async () => {
  world = await sell((req, res) => {
    req.paymentSession?.charge(50_000n);
    res.write('worth five cents');
    setTimeout(() => res.end(), 5);
  }, STREAM);
  const credential = await world.credential(ATXP);
  const release = world.ledger.hold();
  const { seen } = await watch(credential);
  await eventually(() => world.ledger.commits.length === 1);
  await settleDown();
  expect(seen.text).toBe('');
  release();
  await eventually(() => seen.ended);
  expect(seen.text).toBe('worth five cents');
});

test.each(VERSIONS)(
  '%s: the last byte of a stream that has told its length waits for what was charged, and its writer with it',
  async (_name, http2) => {
    world = await sell(
      async (req, res) => {
        res.set('Content-Length', '10');
        req.paymentSession?.charge(3_000n);
        res.write('three');
        req.paymentSession?.charge(2_000n);
        if (!res.write('eight')) await once(res, 'drain');
        // Nothing that is charged now is for a byte of it, and it is billed all the same.
        req.paymentSession?.charge(1_000n);
        res.end();
      },
      { sells: { ...METERED, streamed: true }, http2 },
    );
    const { headers } = await world.credential(ATXP);
    let text = '';
    const release = world.ledger.hold();
    const onBytes = (bytes: Buffer) => {
      text += bytes.toString();
    };
    const asking = ask(`${world.url}/paid`, { headers, http2, onBytes });
    await eventually(() => text !== '' && world.ledger.commits.length === 1);
    await settleDown();
    expect(text).toBe('three');
    release();
    expect(await asking).toMatchObject({ status: 200, whole: true });
    expect(text).toBe('threeeight');
    await eventually(() => world.ledger.only().status === 'pending');
    expect(world.ledger.only().spent).toBe(6_000n);
  },
);

test('a stream that has told its length and loses its ledger is not whole', async () => {
  world = await sell((req, res) => {
    req.paymentSession?.charge(3_000n);
    res.writeHead(200, { 'Content-Length': 10 });
    res.write('three');
    res.write('eight');
    res.end();
  }, STREAM);
  world.ledger.commitsDown = true;
  const { headers } = await world.credential(ATXP);
  expect(await ask(`${world.url}/paid`, { headers })).toMatchObject({ status: 200, whole: false });
});

test('a stream that charges nothing flows without any commit before its end', async () => {
  world = await sell(async (_req, res) => {
    res.write('free');
    await once(res, 'later');
    res.end();
  }, STREAM);
  const { seen, hangUp } = await watch(await world.credential(ATXP));
  await eventually(() => seen.text === 'free');
  expect(world.ledger.commits).toHaveLength(0);
  hangUp();
});

test('what was charged becomes durable at the checkpoint interval, long before the bound', async () => {
  world = await sell(
    (req, res) => {
      req.paymentSession?.charge(100n);
      res.write('one');
    },
    { ...STREAM, settings: { checkpointIntervalMs: 20 } },
  );
  const { hangUp } = await watch(await world.credential(ATXP));
  await eventually(() => world.ledger.rows.size === 1 && world.ledger.only().spent === 100n);
  expect(world.ledger.only().status).toBe('open');
  hangUp();
});

test('a buffered response never checkpoints, however much it charges and however long it takes', async () => {
  world = await sell(
    async (req, res) => {
      req.paymentSession?.charge(90_000n);
      await new Promise((resolve) => setTimeout(resolve, 60));
      res.json({});
    },
    { ...STREAM, settings: { checkpointIntervalMs: 10 } },
  );
  expect((await world.buy(ATXP)).status).toBe(200);
  expect(world.ledger.commits.flat().map((change) => change.kind)).toEqual(['close']);
});

test('server-sent events arrive one by one, headers first', async () => {
  let push: (event: string) => void = nothing;
  world = await sell((req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    res.flushHeaders();
    push = (event) => {
      if (event === 'end') res.end();
      else if (req.paymentSession?.charge(1_000n)) res.write(`data: ${event}\n\n`);
    };
  }, STREAM);
  const { seen } = await watch(await world.credential(ATXP));
  await eventually(() => seen.status === 200);
  push('one');
  await eventually(() => seen.text === 'data: one\n\n');
  push('two');
  await eventually(() => seen.text.endsWith('data: two\n\n'));
  push('end');
  await eventually(() => seen.ended);
  expect(world.ledger.only()).toMatchObject({ status: 'pending', spent: 2_000n });
});

/** More than what Node gathers before it tells a writer to wait. */
const PIECE = 100_000;

test('a pipe is slowed down while the ledger is slow, and arrives whole', async () => {
  const total = 40;
  let produced = 0;
  world = await sell(async (req, res) => {
    const source = new Readable({
      highWaterMark: 1,
      read() {
        if (produced < total) req.paymentSession?.charge(2_000n);
        this.push(produced < total ? 'x'.repeat(PIECE) : null);
        produced += 1;
      },
    });
    await pipeline(source, res);
  }, STREAM);
  const credential = await world.credential(ATXP);
  const release = world.ledger.hold();
  const { seen } = await watch(credential);
  await settleDown();
  expect(produced).toBeLessThan(12);
  release();
  await eventually(() => seen.ended);
  expect(seen.text).toHaveLength(total * PIECE);
  expect(world.ledger.only()).toMatchObject({ status: 'pending', spent: 80_000n });
});

test('who waits for drain between small writes charges no further ahead than it must', async () => {
  let charged = 0;
  world = await sell(async (req, res) => {
    for (let token = 0; token < 50; token += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      req.paymentSession?.charge(2_000n);
      charged += 1;
      if (!res.write('token ')) await once(res, 'drain');
    }
    res.end();
  }, STREAM);
  const credential = await world.credential(ATXP);
  const release = world.ledger.hold();
  const { seen } = await watch(credential);
  await settleDown();
  expect(charged).toBeLessThan(12);
  release();
  await eventually(() => seen.ended);
  expect(seen.text).toHaveLength(50 * 6);
  expect(world.ledger.only()).toMatchObject({ status: 'pending', spent: 100_000n });
});

test('write callbacks come once the bytes are let go, and drain follows a held write', async () => {
  const told: string[] = [];
  world = await sell((req, res) => {
    req.paymentSession?.charge(50_000n);
    res.on('drain', () => {
      told.push('drain');
      res.end();
    });
    told.push(String(res.write('x'.repeat(PIECE), () => told.push('written'))));
  }, STREAM);
  const credential = await world.credential(ATXP);
  const release = world.ledger.hold();
  const { seen } = await watch(credential);
  await eventually(() => told.length > 0);
  await settleDown();
  expect(told).toEqual(['false']);
  release();
  await eventually(() => seen.ended);
  expect(told.sort()).toEqual(['drain', 'false', 'written']);
});

test('a client that hangs up mid-stream is billed for what was charged until then', async () => {
  world = await sell((req, res) => {
    req.paymentSession?.charge(3_000n);
    res.write('three');
  }, STREAM);
  const { seen, hangUp } = await watch(await world.credential(ATXP));
  await eventually(() => seen.text === 'three');
  hangUp();
  await eventually(() => world.ledger.only().status === 'pending');
  expect(world.ledger.only()).toMatchObject({ spent: 3_000n, closedBy: 'abort', delivery: 'aborted' });
  await eventually(() => world.dispatched.length === 1);
});

test('a client that hangs up before the first byte is billed nothing, and later charges are refused', async () => {
  let charge: (() => boolean | undefined) | undefined;
  world = await sell((req) => {
    req.paymentSession?.charge(3_000n);
    charge = () => req.paymentSession?.charge(1n);
  }, STREAM);
  const { hangUp } = await watch(await world.credential(ATXP));
  await eventually(() => charge !== undefined);
  hangUp();
  await eventually(() => world.ledger.only().status === 'released');
  expect(world.ledger.only().spent).toBe(0n);
  expect(charge?.()).toBe(false);
});

test('a handler that throws after its first byte is billed for what was charged, and the client sees a cut', async () => {
  world = await sell(async (req, res) => {
    req.paymentSession?.charge(3_000n);
    res.write('three');
    await new Promise((resolve) => setTimeout(resolve, 20));
    throw new Error('broken');
  }, STREAM);
  const { seen } = await watch(await world.credential(ATXP));
  await eventually(() => seen.cut);
  expect(seen.text).toBe('three');
  await eventually(() => world.ledger.only().status === 'pending');
  expect(world.ledger.only().spent).toBe(3_000n);
});

test('an error page that is streamed bills nothing', async () => {
  world = await sell((req, res) => {
    req.paymentSession?.charge(3_000n);
    res.status(502).write('sorry, ');
    res.end('broken');
  }, STREAM);
  const answer = await world.buy(ATXP);
  expect([answer.status, await answer.text()]).toEqual([502, 'sorry, broken']);
  expect(world.ledger.only()).toMatchObject({ status: 'released', spent: 0n });
});

test('a response past the longest its route may take is closed at what was charged, and cut off', async () => {
  world = await sell(
    (req, res) => {
      req.paymentSession?.charge(3_000n);
      res.write('three');
    },
    { sells: { ...METERED, longest: '150ms' } },
  );
  const { seen } = await watch(await world.credential(ATXP));
  await eventually(() => seen.cut);
  await eventually(() => world.ledger.only().status === 'pending');
  expect(world.ledger.only().spent).toBe(3_000n);
});

test('the bytes of one response keep their order and their encodings', async () => {
  world = await sell((req, res) => {
    req.paymentSession?.charge(90_000n);
    res.write('c3a9', 'hex');
    res.write(Buffer.from('ü'));
    res.write(new Uint8Array([33]));
    res.end('Pw==', 'base64');
  }, STREAM);
  expect(await (await world.buy(ATXP)).text()).toBe('éü!?');
});
