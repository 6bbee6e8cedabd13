import morgan from 'morgan';
import { afterEach, describe, expect, it } from 'vitest';
import { payerAccount } from '../../sandbox/payer/account.js';
import { pay } from '../../sandbox/payer/pay.js';
import { SETTLED_FIRST } from '../support/sessions/settle-first-shop.js';
import { read } from './support/answers.js';
import { shopForFile } from './support/shop.js';

/** What access logs say of answers that were held back, and of those that were given in their place. */

interface Line {
  readonly status: string;
  readonly length: string;
  readonly headMs: number;
  readonly wholeMs: number;
}
const lines: Line[] = [];
const log = morgan(':status :res[content-length] :response-time :total-time', {
  stream: {
    write(line) {
      const [status = '', length = '', head, whole] = line.trim().split(' ');
      lines.push({ status, length, headMs: Number(head), wholeMs: Number(whole) });
    },
  },
});

const shop = await shopForFile(
  (app, sessions) => {
    const small = sessions.paidSession({ ...SETTLED_FIRST, price: '10000', settleFirstBuffer: 4_000 });
    app.get(['/paid', '/large'], log, small, (req, res) => {
      req.paymentSession?.charge('10000');
      res.set('ETag', '"of what was made"').json({ report: 'x'.repeat(req.path === '/large' ? 5_000 : 1_000) });
    });
  },
  { patienceMs: 300 },
);
afterEach(() => {
  lines.length = 0;
  shop.sandbox.setFaults([]);
});

let buyers = 0;
async function bought(path = '/paid') {
  const account = payerAccount(`of morgan ${(buyers += 1)}`);
  const answer = await read(await pay(shop.url + path, { protocol: 'x402', account }));
  await expect.poll(() => lines.length).toBe(2);
  const [challenged, served] = lines;
  expect(challenged?.status).toBe('402');
  return { ...answer, logged: served!, length: answer.headers.get('content-length') };
}

describe('morgan', () => {
  it('logs status and length of an answer that was held back until it was paid for, and by :total-time how long that took', async () => {
    shop.sandbox.setFaults([{ kinds: ['slow'], on: ['settle'], times: 1, ms: 120 }]);
    const { status, logged, length } = await bought();
    expect([status, logged.status, logged.length]).toEqual([200, '200', length]);
    expect(logged.wholeMs).toBeGreaterThanOrEqual(120);
    expect(logged.headMs).toBeLessThanOrEqual(logged.wholeMs);
  });

  it.each([
    ['the payment was refused', 402, '/paid', 'refused'],
    ['nobody knows whether it is paid', 503, '/paid', 'server_error'],
    ['it is too large to wait', 500, '/large', 'slow'],
  ] as const)('logs the answer that the client had instead where %s: %i', async (_why, instead, path, fault) => {
    shop.sandbox.setFaults([{ kinds: [fault], on: ['settle'] }]);
    const { status, logged, length, headers, body } = await bought(path);
    expect([status, headers.get('etag'), body]).toEqual([instead, null, expect.stringContaining('"request_id"')]);
    expect([logged.status, logged.length]).toEqual([String(instead), length]);
  });
});
