import { beforeEach, describe, expect, it } from 'vitest';
import { stripeSandboxForFile, transferOf } from '../../support/marketplace/stripe-api.js';

let path: string;
const { sandbox, api } = await stripeSandboxForFile();
beforeEach(async () => {
  const { json } = await api.post('/v1/transfers', transferOf({ 'metadata[order_id]': 'o1', 'metadata[note]': 'old' }));
  path = `/v1/transfers/${json.id}`;
});

describe('a transfer that is updated', () => {
  it('keeps what is not named, changes what is, and loses what is empty', async () => {
    const { status, json } = await api.post(path, { 'metadata[seller_transfer_id]': 't1', 'metadata[note]': '' });
    expect([status, json.metadata]).toEqual([200, { order_id: 'o1', seller_transfer_id: 't1' }]);
    expect((await api.get(path)).json).toEqual(json);
    expect((await api.post(path, { description: 'the share' })).json).toMatchObject({
      description: 'the share',
      metadata: { order_id: 'o1', seller_transfer_id: 't1' },
    });
    expect((await api.post(path, { metadata: '' })).json.metadata).toEqual({});
  });

  it('moves nothing and says so in an event', async () => {
    const before = sandbox.ledger();
    await api.post(path, { 'metadata[order_id]': 'o2' });
    expect([sandbox.ledger().accounts, sandbox.ledger().totals]).toEqual([before.accounts, before.totals]);
    expect(sandbox.ledger().transfers[0]?.amount).toBe(before.transfers[0]?.amount);
    expect(sandbox.events().at(-1)?.event).toMatchObject({
      type: 'transfer.updated',
      data: {
        object: { metadata: { order_id: 'o2', note: 'old' } },
        previous_attributes: { metadata: { order_id: 'o1', note: 'old' } },
      },
    });
  });

  it.each([
    ['its amount', { amount: '1' }],
    ['its destination', { destination: 'acct_other' }],
    ['a value that is too long', { 'metadata[order_id]': 'x'.repeat(501) }],
  ])('never changes %s', async (_what, change) => {
    const before = (await api.get(path)).json;
    expect((await api.post(path, change)).status).toBe(400);
    expect((await api.get(path)).json).toEqual(before);
  });

  it('is not found in the other mode, or where there is none', async () => {
    expect((await api.post(path, { description: 'x' }, { secretKey: 'sk_live_a' })).status).toBe(404);
    expect((await api.post('/v1/transfers/tr_none', { description: 'x' })).status).toBe(404);
  });
});
