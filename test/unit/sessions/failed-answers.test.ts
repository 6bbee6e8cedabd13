import type { ErrorRequestHandler } from 'express';
import { afterEach, expect, test } from 'vitest';
import { ask } from './support/ask.js';
import { eventually, FIXED, type Handler, METERED, sell, type World } from './support/world.js';

/** What an answer costs that failed, or said that nothing has changed. */

let world: World;
afterEach(() => world.close());

const row = () => world.ledger.only();
const closes = () => world.ledger.commits.flat().filter((change) => change.kind === 'close');

const charging =
  (serve: Handler, options?: { evenIfFailed?: boolean }): Handler =>
  (req, res) => {
    expect(req.paymentSession?.charge('10000', options)).toBe(true);
    return serve(req, res);
  };

const FAILURES: [string, number, 'failed_answer' | undefined, Handler][] = [
  ['answers 404', 404, 'failed_answer', (_req, res) => res.status(404).json({})],
  ['writes the head of a 410', 410, 'failed_answer', (_req, res) => res.writeHead(410).end('gone') as never],
  ['throws an error with status 400', 400, 'failed_answer', () => Promise.reject(withStatus(400))],
  ['calls next with an error', 500, undefined, (req) => req.next?.(new Error('broken'))],
  ['streams an error page', 502, undefined, (_req, res) => (res.status(502).write('sorry'), res.end()) as never],
  ['sends a file that is not there', 404, 'failed_answer', (_req, res) => res.sendFile('/no/such/file') as never],
];

const withStatus = (status: number) => Object.assign(new Error('refused'), { status });
const onError: ErrorRequestHandler = (error: Error & { status?: number }, _req, res, _next) =>
  void res.status(error.status ?? 500).end();
const answerWithStatus = { onError };

test.each(FAILURES)('a handler that charged and %s costs nothing', async (_name, status, releasedBy, serve) => {
  world = await sell(charging(serve), answerWithStatus);
  expect((await world.buy()).status).toBe(status);
  expect(row()).toMatchObject({ status: 'released', spent: 0n, body: null });
  expect(closes().map((close) => close.releasedBy)).toEqual([releasedBy]);
  expect(world.dispatched).toEqual([]);
});

test.each(FAILURES)(
  'a handler that charged evenIfFailed and %s costs the charge',
  async (_name, status, _by, serve) => {
    world = await sell(charging(serve, { evenIfFailed: true }), answerWithStatus);
    expect((await world.buy()).status).toBe(status);
    expect(row()).toMatchObject({ status: 'pending', spent: 10_000n });
    expect(closes().map((close) => close.releasedBy)).toEqual([undefined]);
    await eventually(() => row().delivery === 'delivered');
  },
);

test('after a failure exactly what was charged evenIfFailed is billed, before the answer and after it', async () => {
  const charged: (boolean | undefined)[] = [];
  world = await sell(
    (req, res) => {
      const charge = (amount: bigint, evenIfFailed?: boolean) =>
        charged.push(req.paymentSession?.charge(amount, { evenIfFailed }));
      charge(1_000n);
      charge(200n, true);
      charge(40_000n);
      res.writeHead(422);
      charge(5n, true);
      charge(60_000n);
      res.end();
    },
    { sells: METERED },
  );
  expect((await world.buy({ protocol: 'atxp' })).status).toBe(422);
  expect([charged, row().spent]).toEqual([[true, true, true, true, false], 205n]);
});

test('all or nothing: evenIfFailed takes the cap', async () => {
  world = await sell((req, res) => {
    req.paymentSession?.charge(1n, { evenIfFailed: true });
    res.status(404).end();
  });
  expect((await world.buy({ protocol: 'x402' })).status).toBe(404);
  expect(row().spent).toBe(10_000n);
});

test('a 304 costs nothing and is told apart from a failure', async () => {
  world = await sell(charging((_req, res) => res.set('ETag', '"one"').send('the same')));
  const credential = await world.credential();
  const headers = { ...credential.headers, 'If-None-Match': '"one"' };
  expect((await ask(`${world.url}/paid`, { headers })).status).toBe(304);
  expect(row().status).toBe('released');
  expect(closes().map((close) => close.releasedBy)).toEqual(['not_modified']);
});

test('a part of a file is billed as the handler charged', async () => {
  world = await sell(charging((_req, res) => res.sendFile(import.meta.filename) as never));
  const credential = await world.credential();
  const ranged = await fetch(`${world.url}/paid`, { headers: { ...credential.headers, Range: 'bytes=0-9' } });
  expect([ranged.status, (await ranged.text()).length, row().spent]).toEqual([206, 10, 10_000n]);
});

test('release gives up what was charged evenIfFailed too', async () => {
  world = await sell(
    charging(
      (req, res) => {
        expect(req.paymentSession?.release()).toBe(true);
        res.json({});
      },
      { evenIfFailed: true },
    ),
  );
  expect((await world.buy()).status).toBe(200);
  expect(row()).toMatchObject({ status: 'released', spent: 0n });
});

test('a failure that is settled first settles what stays charged, and nothing else', async () => {
  let settled = 0;
  world = await sell(
    (req, res) => {
      req.paymentSession?.charge(1n, { evenIfFailed: req.query.kept === '1' });
      res.status(404).json({ sorry: true });
    },
    { sells: { ...FIXED, settle: 'before-release' } },
  );
  world.settleNow = async () => {
    settled += 1;
    return 'settled';
  };
  expect((await world.buy({ path: '/paid' })).status).toBe(404);
  expect([settled, row().status]).toEqual([0, 'released']);
  world.ledger.rows.clear();
  expect((await world.buy({ path: '/paid?kept=1' })).status).toBe(404);
  expect([settled, row().spent]).toEqual([1, 10_000n]);
});
