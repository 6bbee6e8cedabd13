import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startStripeSandbox } from '../../../sandbox/stripe/start.js';
import { stripeApi, stripeSandboxForFile } from '../../support/marketplace/stripe-api.js';

// PaymentIntents that are made by the API before anybody pays them, as Stripe's documents have them.

const { sandbox, api } = await stripeSandboxForFile({ funded: false });

const make = async (more: Record<string, string> = {}) =>
  (
    await api.post('/v1/payment_intents', {
      amount: '1000',
      currency: 'usd',
      transfer_group: 'o1',
      'metadata[payment_id]': 'p1',
      ...more,
    })
  ).json;
const read = async (id: string) => (await api.get(`/v1/payment_intents/${id}`)).json;
const events = () => sandbox.events().map(({ event }) => event.type);

describe('a PaymentIntent that nobody has paid', () => {
  it('waits for its buyer, with a secret for him and without a charge', async () => {
    const made = await make();
    expect(made).toMatchObject({
      object: 'payment_intent',
      status: 'requires_payment_method',
      amount: 1000,
      amount_received: 0,
      latest_charge: null,
      transfer_group: 'o1',
      metadata: { payment_id: 'p1' },
      client_secret: `${made.id}_secret_sandbox`,
    });
    expect(await read(made.id)).toEqual(made);
    expect(events()).toEqual(['payment_intent.created']);
  });

  it('is paid by its buyer once, by a charge that has its group and metadata', async () => {
    const { id } = await make();
    const { charge } = await sandbox.pay(id);
    expect(charge).toMatchObject({ payment_intent: id, transfer_group: 'o1', metadata: { payment_id: 'p1' } });
    expect(await read(id)).toMatchObject({ status: 'succeeded', amount_received: 1000, latest_charge: charge.id });
    await expect(sandbox.pay(id)).rejects.toThrow('succeeded');
  });

  it('may be tried again after a card was refused', async () => {
    const { id } = await make();
    await sandbox.pay(id, { status: 'failed' });
    expect(await read(id)).toMatchObject({ status: 'requires_payment_method', amount_received: 0 });
    const { charge } = await sandbox.pay(id);
    expect(await read(id)).toMatchObject({ status: 'succeeded', latest_charge: charge.id });
  });

  it('is confirmed by the API with the card for tests', async () => {
    const { id } = await make();
    const { status, json } = await api.post(`/v1/payment_intents/${id}/confirm`, { payment_method: 'pm_card_visa' });
    expect([status, json.status]).toEqual([200, 'succeeded']);
  });

  it('is canceled once, and can be paid by nobody then; one that was paid cannot be canceled', async () => {
    const { id } = await make();
    const cancel = (which: string) => api.post(`/v1/payment_intents/${which}/cancel`, {});
    expect((await cancel(id)).json).toMatchObject({ status: 'canceled', canceled_at: expect.any(Number) });
    expect((await cancel(id)).json.error).toMatchObject({ code: 'payment_intent_unexpected_state' });
    await expect(sandbox.pay(id)).rejects.toThrow('canceled');
    const paid = await make();
    await sandbox.pay(paid.id);
    expect((await cancel(paid.id)).json.error.message).toContain('succeeded');
    expect(events()).toContain('payment_intent.canceled');
  });

  it('is found by its metadata, once the index has it', async () => {
    const { id } = await make();
    const search = async (value: string) =>
      (await api.get('/v1/payment_intents/search', { query: `metadata["payment_id"]:"${value}"` })).json;
    expect(await search('p1')).toMatchObject({ object: 'search_result', has_more: false, data: [{ id }] });
    expect((await search('p2')).data).toEqual([]);
    sandbox.setBuyers({ indexedAfterMs: 60_000 });
    expect((await search('p1')).data).toEqual([]);
    await sandbox.advanceClock(61_000);
    expect((await search('p1')).data).toHaveLength(1);
  });

  it('is paid by itself where buyers do, and its refund is what refunds are at first', async () => {
    sandbox.setBuyers({ pay: 'succeeded', refunds: 'pending' });
    const { id } = await make();
    await expect.poll(async () => (await read(id)).status).toBe('succeeded');
    const { json } = await api.post('/v1/refunds', { payment_intent: id, amount: '300' });
    expect(json).toMatchObject({ status: 'pending', payment_intent: id });
  });

  it('is as it was after a restart', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'stripe-'));
    const before = await startStripeSandbox({ stateDir });
    const { json } = await stripeApi(before.url).post('/v1/payment_intents', { amount: '7', currency: 'usd' });
    await before.close();
    const after = await startStripeSandbox({ stateDir });
    expect((await stripeApi(after.url).get(`/v1/payment_intents/${json.id}`)).json).toEqual(json);
    await after.close();
  });
});
