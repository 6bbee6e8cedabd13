import { afterEach, expect, test } from 'vitest';
import { ask } from './support/ask.js';
import { VERSIONS } from './support/buying.js';
import { eventually, FIXED, jsonOf, type Loose, METERED, sell, type World } from './support/world.js';

let world: World;
afterEach(() => world.close());

const body = (row: { body: string | null }) => JSON.parse(row.body ?? 'null');

test('a paid response arrives whole, its charge is durable, delivered, and on its way to be settled', async () => {
  world = await sell((req, res) => {
    expect(req.paymentSession?.cap).toBe(10_000n);
    expect(req.paymentSession?.charge(10_000n)).toBe(true);
    res.json({ ok: true });
  });
  const answer = await world.buy();
  expect([answer.status, await jsonOf(answer)]).toEqual([200, { ok: true }]);
  const row = world.ledger.only();
  expect(row).toMatchObject({ status: 'pending', spent: 10_000n, closedBy: 'end' });
  expect(body(row).settlementOverrides).toBeUndefined();
  expect(world.dispatched).toEqual([row.session.id]);
  await eventually(() => row.delivery === 'delivered');
});

test('no byte leaves before the close is committed, however fast the handler', async () => {
  world = await sell((req, res) => {
    req.paymentSession?.charge('10000');
    res.json({ secret: 'worth money' });
  });
  const credential = await world.credential();
  const release = world.ledger.hold();
  let answered = false;
  const answer = world.buy({ credential }).then((response) => {
    answered = true;
    return response;
  });
  await eventually(() => world.ledger.commits.length === 1);
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(answered).toBe(false);
  release();
  expect((await answer).status).toBe(200);
});

test('a paid response costs one verify call and two commits', async () => {
  world = await sell((req, res) => {
    req.paymentSession?.charge('10000');
    res.send('x'.repeat(100_000));
  });
  await (await world.buy()).text();
  expect([world.auth.verified.length, world.ledger.opens.length, world.ledger.commits.length]).toEqual([1, 1, 1]);
});

test.each([
  ['atxp', { protocol: 'atxp' }, (sent: Loose) => sent.options[0].amount, '0.003'],
  ['x402 upto', { protocol: 'x402', scheme: 'upto' }, (sent: Loose) => sent.settlementOverrides.amount, '3000'],
  ['mpp session', { protocol: 'mpp', intent: 'session' }, (sent: Loose) => sent.settlementOverrides.amount, '3000'],
] as const)('three charges of 0.001 by %s arrive as one settlement of 0.003', async (_name, pay, amount, expected) => {
  world = await sell(
    (req, res) => {
      for (let i = 0; i < 3; i += 1) req.paymentSession?.charge(1_000n);
      res.json({});
    },
    { sells: METERED },
  );
  expect((await world.buy(pay)).status).toBe(200);
  expect(amount(body(world.ledger.only()))).toBe(expected);
});

test.each([
  ['x402 v1', { protocol: 'x402', version: 1 }],
  ['x402 v2', { protocol: 'x402', version: 2 }],
  ['mpp charge', { protocol: 'mpp', intent: 'charge' }],
  ['atxp', { protocol: 'atxp' }],
] as const)('%s pays for a response that is sold whole', async (_name, pay) => {
  world = await sell((req, res) => {
    expect(req.paymentSession?.charge(FIXED.price ?? '')).toBe(true);
    res.send('served');
  });
  expect(await (await world.buy(pay)).text()).toBe('served');
  expect(world.ledger.only()).toMatchObject({ status: 'pending', spent: 10_000n });
});

test('a scheme that cannot be metered takes its cap at the first charge, and nothing after it', async () => {
  world = await sell((req, res) => {
    res.json([req.paymentSession?.charge(1n), req.paymentSession?.spent.toString(), req.paymentSession?.charge(1n)]);
  });
  expect(await jsonOf(await world.buy({ protocol: 'x402' }))).toEqual([true, '10000', false]);
  expect(world.ledger.only().spent).toBe(10_000n);
});

test('nothing is settled when nothing was charged, and the credential may be used again', async () => {
  world = await sell((_req, res) => res.json({ free: true }));
  const credential = await world.credential();
  expect((await world.buy({ credential })).status).toBe(200);
  expect(world.ledger.only()).toMatchObject({ status: 'released', body: null, delivery: null });
  expect((await world.buy({ credential })).status).toBe(200);
  expect(world.dispatched).toEqual([]);
});

test('a released charge is not billed', async () => {
  world = await sell((req, res) => {
    req.paymentSession?.charge('10000');
    res.json([req.paymentSession?.release(), req.paymentSession?.charge('1')]);
  });
  expect(await jsonOf(await world.buy())).toEqual([true, false]);
  expect(world.ledger.only()).toMatchObject({ status: 'released', spent: 0n });
});

test('an MPP channel session is closed with amount 0 when nothing was charged', async () => {
  world = await sell((_req, res) => res.json({}), { sells: METERED });
  expect((await world.buy({ protocol: 'mpp' })).status).toBe(200);
  expect(body(world.ledger.only()).settlementOverrides).toEqual({ amount: '0' });
  expect(world.dispatched).toHaveLength(1);
});

test.each([
  ['throws', () => Promise.reject(new Error('broken'))],
  ['answers 500 itself', (_req: unknown, res: Loose) => res.status(500).json({ error: 'broken' })],
])('a handler that %s before its first byte bills nothing, and its error arrives', async (_name, fail) => {
  world = await sell((req, res) => {
    req.paymentSession?.charge('10000');
    return fail(req, res);
  });
  const answer = await world.buy();
  expect([answer.status, await jsonOf(answer)]).toEqual([500, { error: 'broken' }]);
  expect(world.ledger.only()).toMatchObject({ status: 'released', spent: 0n, closedBy: 'error' });
});

test('HEAD runs no paid handler: with a credential too it gets the head of the 402', async () => {
  let served = 0;
  world = await sell((req, res) => {
    served += 1;
    req.paymentSession?.charge('10000');
    res.send('not sent');
  });
  const credential = await world.credential();
  const answer = await world.buy({ credential, method: 'HEAD' });
  expect([answer.status, answer.headers.has('payment-required'), await answer.text()]).toEqual([402, true, '']);
  expect([served, world.auth.verified.length, world.ledger.opens.length]).toEqual([0, 0, 0]);
  expect((await world.buy({ credential })).status).toBe(200);
});

test.each(VERSIONS)('%s: nor does a HEAD of which a layer before has made a GET', async (_name, http2) => {
  let served = 0;
  world = await sell(
    (req, res) => {
      served += 1;
      req.paymentSession?.charge('10000');
      res.send('not sent');
    },
    {
      http2,
      before: [
        (req, _res, next) => {
          req.method = 'GET';
          next();
        },
      ],
    },
  );
  const { headers } = await world.credential();
  expect((await ask(`${world.url}/paid`, { headers, http2, method: 'HEAD' })).status).toBe(402);
  expect([served, world.ledger.opens.length]).toEqual([0, 0]);
  expect((await ask(`${world.url}/paid`, { headers, http2 })).status).toBe(200);
});

test('writeHead, its headers and its reason arrive as the handler gave them', async () => {
  world = await sell((req, res) => {
    req.paymentSession?.charge('10000');
    res.writeHead(201, 'Made', { 'X-One': '1', 'Set-Cookie': ['a=1', 'b=2'] });
    expect(res.headersSent).toBe(true);
    res.end('done');
  });
  const answer = await world.buy();
  expect([answer.status, answer.statusText, answer.headers.get('x-one')]).toEqual([201, 'Made', '1']);
  expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
});

test('ending twice, writing after the end and charging after it are harmless', async () => {
  let late: unknown[] = [];
  world = await sell((req, res) => {
    req.paymentSession?.charge('10000');
    res.end('once');
    res.end('twice');
    late = [res.write('more'), req.paymentSession?.charge('1'), res.writableEnded];
  });
  expect(await (await world.buy()).text()).toBe('once');
  expect(late).toEqual([false, false, true]);
  expect(world.ledger.commits).toHaveLength(1);
});

test('an amount that is no amount throws to the handler and charges nothing', async () => {
  const thrown: string[] = [];
  world = await sell((req, res) => {
    for (const amount of [-1n, '1.5', '1e3', '', ' 1', 5, null, undefined, '9'.repeat(40)] as never[]) {
      try {
        req.paymentSession?.charge(amount);
      } catch (error) {
        thrown.push((error as Error).name);
      }
    }
    res.json({});
  });
  await world.buy();
  expect(thrown).toEqual(Array.from({ length: 9 }, () => 'TypeError'));
  expect(world.ledger.only().status).toBe('released');
});

test('fifty responses that close at once share a few commits and all arrive', async () => {
  let waiting: (() => void)[] = [];
  world = await sell(async (req, res) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    req.paymentSession?.charge('10000');
    res.json({ id: req.query });
  });
  const credentials = await Promise.all(Array.from({ length: 50 }, () => world.credential()));
  const answers = Promise.all(credentials.map((credential) => world.buy({ credential })));
  await eventually(() => waiting.length === 50);
  const release = world.ledger.hold();
  for (const go of waiting) go();
  waiting = [];
  await eventually(() => world.ledger.commits.length > 0);
  release();
  expect((await answers).map((answer) => answer.status)).toEqual(Array(50).fill(200));
  expect(world.ledger.commits.length).toBeLessThanOrEqual(3);
  expect([...world.ledger.rows.values()].every((row) => row.status === 'pending')).toBe(true);
});
