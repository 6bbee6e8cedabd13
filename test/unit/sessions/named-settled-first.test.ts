import { afterEach, describe, expect, it } from 'vitest';
import { named } from '../../support/sessions/naming.js';
import { ask } from './support/ask.js';
import { LAYERS } from './support/compressions.js';
import { FIXED, sell, type World } from './support/world.js';

/** What is settled first is served the same with and without a name. */

let world: World;
afterEach(() => world.close());

const compressed = LAYERS.find(({ name }) => name === '1.8 before');
const text = Array.from({ length: 3000 }, (_, nth) => ((nth * 2_654_435_761) % 4_294_967_296).toString(36)).join('');

describe.each([
  ['without a name', false],
  ['with one', true],
])('%s', (_what, withName) => {
  it.each([
    ['HTTP/1.1', false],
    ['HTTP/2', true],
  ])('an answer that a layer compresses arrives over %s', async (_version, http2) => {
    world = await sell(
      (req, res) => {
        req.paymentSession?.charge('10000');
        res.type('text').send(text);
      },
      {
        sells: { ...FIXED, protocols: ['x402'], settle: 'before-release', settleFirstBuffer: '2KiB' },
        before: compressed?.before ?? [],
        http2,
      },
    );
    const payment = await world.credential();
    const { headers } = withName ? named(payment) : payment;
    const answer = await ask(`${world.url}/paid`, { headers: { ...headers, 'accept-encoding': 'gzip' }, http2 });
    expect([answer.status, answer.headers['content-encoding'], answer.whole]).toEqual([200, 'gzip', true]);
  });
});
