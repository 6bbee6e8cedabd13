import { afterEach, expect, test } from 'vitest';
import { eventually, FIXED, type Handler, jsonOf, METERED, nothing, sell, type World } from './support/world.js';

let world: World;
afterEach(() => world.close());

const serve: Handler = (req, res) => {
  req.paymentSession?.charge('10000');
  res.json({ ok: true });
};

/** What came of a response that was cut off. */
async function bytesUntilCut({ body }: globalThis.Response): Promise<string> {
  let text = '';
  const reading = async () => {
    for await (const piece of body ?? []) text += Buffer.from(piece).toString();
  };
  await expect(reading()).rejects.toThrow('terminated');
  return text;
}

test('a served 200 stays 200 when the acknowledgement of its commit is lost, and is billed once', async () => {
  world = await sell(serve);
  world.ledger.commitFaults.push('lose-answer');
  expect((await world.buy()).status).toBe(200);
  expect(world.ledger.only()).toMatchObject({ status: 'pending', spent: 10_000n });
  expect(world.ledger.commits).toHaveLength(1);
  expect(world.dispatched).toHaveLength(1);
});

test('a close that did not happen the first time is made again', async () => {
  world = await sell(serve);
  world.ledger.commitFaults.push('refuse', 'refuse');
  expect((await world.buy()).status).toBe(200);
  expect(world.ledger.only().status).toBe('pending');
});

test('never served and unbilled: while it is unknown whether the close is committed, nothing leaves, then the socket is cut', async () => {
  world = await sell(serve);
  const credential = await world.credential();
  world.ledger.commitsDown = true;
  world.ledger.closeStateDown = true;
  await expect(world.buy({ credential })).rejects.toThrow('fetch failed');
  expect(world.ledger.only().status).toBe('open');
  expect(world.dispatched).toEqual([]);
});

test('a session whose close stayed unknown is left to the sweep as soon as the ledger answers, and its credential is good again', async () => {
  world = await sell(serve);
  const credential = await world.credential();
  world.ledger.commitsDown = true;
  world.ledger.closeStateDown = true;
  await expect(world.buy({ credential })).rejects.toThrow('fetch failed');
  world.ledger.commitsDown = false;
  world.ledger.closeStateDown = false;
  await eventually(() => world.ledger.only().closedBy === 'sweep');
  expect(world.ledger.only().status).toBe('released');
  expect((await world.buy({ credential })).status).toBe(200);
});

test('a session that the sweep closed meanwhile is not served', async () => {
  world = await sell((req, res) => {
    world.ledger.sweepAway(world.ledger.only().session.id);
    return serve(req, res);
  });
  await expect(world.buy()).rejects.toThrow('fetch failed');
  expect(world.ledger.only()).toMatchObject({ status: 'released', spent: 0n });
});

test('a stream whose session the sweep closed is cut at the next checkpoint', async () => {
  let more: () => void = nothing;
  world = await sell(
    (req, res) => {
      res.write('free of charge');
      more = () => {
        world.ledger.sweepAway(world.ledger.only().session.id);
        req.paymentSession?.charge(50_000n);
        res.write('worth money');
      };
    },
    { sells: METERED },
  );
  const answer = await world.buy({ protocol: 'atxp' });
  more();
  expect(await bytesUntilCut(answer)).toBe('free of charge');
  expect(world.ledger.only().spent).toBe(0n);
});

test('no protected byte leaves once half of the lease has passed unrenewed, and none is billed', async () => {
  world = await sell((req, res) => {
    world.ledger.renewal = 'down';
    world.clock.ms += 15_000;
    return serve(req, res);
  });
  await expect(world.buy()).rejects.toThrow('fetch failed');
  await eventually(() => world.ledger.only().status === 'released');
  expect(world.ledger.only()).toMatchObject({ spent: 0n, releasedBy: null });
  expect(world.dispatched).toEqual([]);
});

test('no stream goes on once half of the lease has passed unrenewed', async () => {
  let more: () => void = nothing;
  world = await sell(
    (req, res) => {
      res.write('free');
      more = () => {
        world.clock.ms += 15_000;
        req.paymentSession?.charge(1n);
        res.write('protected');
      };
    },
    { sells: METERED },
  );
  const answer = await world.buy({ protocol: 'atxp' });
  more();
  expect(await bytesUntilCut(answer)).toBe('free');
});

test('no session is opened under a lease that may have lapsed: 503, and the credential is still good', async () => {
  world = await sell(serve);
  const credential = await world.credential();
  world.clock.ms += 15_000;
  const answer = await world.buy({ credential });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  expect(world.ledger.opens).toHaveLength(0);
});

test('an opening whose answer was lost is 503 and is released, so that the payer can come back with the credential', async () => {
  world = await sell(serve);
  const credential = await world.credential();
  world.ledger.openAnswers.push('reject-after');
  const answer = await world.buy({ credential });
  expect([answer.status, (await jsonOf(answer)).code]).toEqual([503, 'payment_unavailable']);
  await eventually(() => world.ledger.only().status === 'released');
  expect((await world.buy({ credential })).status).toBe(200);
});

test('the error of a failed handler arrives even when its session cannot be released', async () => {
  world = await sell((_req, res) => {
    world.ledger.commitsDown = true;
    res.status(500).json({ error: 'broken' });
  });
  expect((await world.buy()).status).toBe(500);
});

test('a settlement that cannot be started now does not disturb the response', async () => {
  world = await sell(serve);
  world.dispatched.push = () => {
    throw new Error('Temporal is down');
  };
  expect((await world.buy()).status).toBe(200);
  expect(world.logged.join()).toContain('the sweep will start it');
});

test.each([
  ['settled', 200, undefined],
  ['refused', 402, 'payment_refused'],
  ['unknown', 503, 'payment_unknown'],
] as const)('settle-first: %s answers %i', async (outcome, status, code) => {
  const order: string[] = [];
  world = await sell(
    (req, res) => {
      res.set('X-Secret', 'worth money');
      return serve(req, res);
    },
    { sells: { ...FIXED, settle: 'before-release' } },
  );
  world.settleNow = (id) => {
    order.push(`${world.ledger.rows.get(id)?.status}`);
    return Promise.resolve(outcome);
  };
  const answer = await world.buy();
  const sent = await jsonOf(answer);
  expect([answer.status, sent.code]).toEqual([status, code]);
  expect(answer.headers.get('x-secret')).toBe(outcome === 'settled' ? 'worth money' : null);
  expect(order).toEqual(['pending']);
  expect(world.ledger.only().status).toBe('pending');
  expect(world.dispatched).toHaveLength(outcome === 'unknown' ? 1 : 0);
  await eventually(() => world.ledger.only().delivery === (outcome === 'settled' ? 'delivered' : 'aborted'));
});

test('settle-first: a streamed response too stays back whole until it is settled', async () => {
  let settled = false;
  world = await sell(
    (req, res) => {
      req.paymentSession?.charge('1000');
      res.flushHeaders();
      res.write('worth ');
      setTimeout(() => res.end('money'), 5);
    },
    { sells: { ...METERED, settle: 'before-release' } },
  );
  world.settleNow = async () => {
    settled = true;
    return 'refused';
  };
  const answer = await world.buy({ protocol: 'atxp' });
  expect([answer.status, (await answer.text()).includes('worth'), settled]).toEqual([402, false, true]);
});

test('settle-first: a settle call that throws is unknown, not refused', async () => {
  world = await sell(serve, { sells: { ...FIXED, settle: 'before-release' } });
  world.settleNow = () => Promise.reject(new Error('no worker'));
  expect((await world.buy()).status).toBe(503);
});
