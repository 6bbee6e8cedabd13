import { describe, expect, it } from 'vitest';
import { type Answering, json } from '../../../support/answering-server.js';
import { answering, error } from '../../../support/marketplace/hyperswitch-server.js';

const PAY = 'pay_1';
const refund = (n: number, more: Record<string, unknown> = {}) => ({
  refund_id: `ref_${n}`,
  payment_id: PAY,
  amount: 100 + n,
  currency: 'USD',
  status: 'succeeded',
  connector: 'stripe',
  ...more,
});
const range = (from: number, count: number) => Array.from({ length: count }, (_, at) => refund(from + at));
const page = (data: readonly unknown[], total: number): Answering =>
  json(200, { count: data.length, total_count: total, data });

describe('the refunds of one payment', () => {
  it('are asked for by payment, a hundred at a time, until all that Hyperswitch counts are there', async () => {
    const { client, received } = await answering([
      page(range(0, 100), 230),
      page(range(100, 100), 230),
      page(range(200, 30), 230),
    ]);
    const answer = await client.refundsOf(PAY);
    expect(answer.kind === 'found' && answer.value.map(({ amount }) => amount)).toEqual(
      range(0, 230).map(({ amount }) => BigInt(amount)),
    );
    expect(received.map(({ method, path, body }) => ({ call: `${method} ${path}`, ...JSON.parse(body) }))).toEqual([
      { call: 'POST /refunds/list', payment_id: PAY, limit: 100, offset: 0 },
      { call: 'POST /refunds/list', payment_id: PAY, limit: 100, offset: 100 },
      { call: 'POST /refunds/list', payment_id: PAY, limit: 100, offset: 200 },
    ]);
  });

  it('may be none', async () => {
    const { client, received } = await answering(page([], 0));
    expect(await client.refundsOf(PAY)).toEqual({ kind: 'found', value: [] });
    expect(received).toHaveLength(1);
  });

  it('are read on where Hyperswitch gives less at once than asked for', async () => {
    const { client } = await answering([page(range(0, 10), 12), page(range(10, 2), 12)]);
    expect(await client.refundsOf(PAY)).toMatchObject({ kind: 'found', value: { length: 12 } });
  });

  it('that moved from page to page while they were read are unclear, because one of them was not seen', async () => {
    const { client } = await answering([page(range(0, 100), 102), page([refund(99), refund(100)], 102)]);
    expect(await client.refundsOf(PAY)).toMatchObject({
      kind: 'unclear',
      detail: expect.stringMatching(/101 of 102/),
    });
  });

  it.each<[string, readonly Answering[]]>([
    ['hold fewer than are counted', [page(range(0, 3), 5), page([], 5)]],
    ['belong to another payment', [page([refund(1), refund(2, { payment_id: 'pay_2' })], 2)]],
    ['hold one that cannot be read', [page([refund(1), refund(2, { amount: 1.5 })], 2)]],
    ['hold something that is no object', [page([refund(1), 'ref_2'], 2)]],
    ['are not counted', [json(200, { data: [], count: 0 })]],
    ['are no list', [json(200, { data: {}, total_count: 0 })]],
    ['fail on a later page', [page(range(0, 100), 101), error(500, 'HE_00', 'Something went wrong')]],
    ['are refused', [error(400, 'IR_06', 'limit should be in between 1 and 100')]],
  ])('are unclear, never a part, when they %s', async (_what, answers) => {
    const { client } = await answering(answers);
    expect(await client.refundsOf(PAY)).toMatchObject({ kind: 'unclear' });
  });

  it('never go on for ever', async () => {
    let served = 0;
    const { client } = await answering((response, received) => {
      served += 1;
      page(range(served * 1000, 100), 1_000_000)(response, received);
    });
    expect(await client.refundsOf(PAY)).toMatchObject({ kind: 'unclear', detail: expect.stringMatching(/5000/) });
    expect(served).toBe(50);
  });

  it('are missing, busy or misdirected as any other read', async () => {
    for (const [answer, kind] of [
      [error(404, 'HE_02', 'Refund does not exist in our records.'), 'missing'],
      [json(429, {}), 'busy'],
      [error(401, 'IR_01', 'no'), 'misdirected'],
    ] as const) {
      const { client } = await answering(answer);
      expect(await client.refundsOf(PAY)).toMatchObject({ kind });
    }
  });
});
