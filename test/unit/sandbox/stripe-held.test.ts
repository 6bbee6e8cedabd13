import { describe, expect, it } from 'vitest';
import { stripeSandboxForFile } from '../../support/marketplace/stripe-api.js';

// A buyer's money that Stripe holds is captured once, called off, or lapses, as Stripe's documents have it.

const { sandbox, api } = await stripeSandboxForFile({ funded: false });

const held = async (): Promise<{ id: string; charge: string }> => {
  const { json } = await api.post('/v1/payment_intents', {
    amount: '1000',
    currency: 'usd',
    capture_method: 'manual',
    customer: 'cus_42',
  });
  const { charge } = await sandbox.pay(json.id);
  return { id: json.id, charge: charge.id };
};
const read = async (id: string) => (await api.get(`/v1/payment_intents/${id}`)).json;
const chargeOf = async (id: string) => (await api.get(`/v1/charges/${id}`)).json;
const refundsOf = async (id: string) => (await api.get(`/v1/refunds?payment_intent=${id}`)).json.data;
const capture = (id: string, form: Record<string, string> = {}) => api.post(`/v1/payment_intents/${id}/capture`, form);
const ROOM = { amount_to_capture: '400' };

describe('what Stripe’s stand-in holds of a buyer', () => {
  it('is held once he has paid, and no balance has it', async () => {
    const { id, charge } = await held();
    expect(await read(id)).toMatchObject({
      status: 'requires_capture',
      capture_method: 'manual',
      customer: 'cus_42',
      amount_capturable: 1000,
      amount_received: 0,
      latest_charge: charge,
    });
    expect(await chargeOf(charge)).toMatchObject({ captured: false, amount_captured: 0, balance_transaction: null });
  });

  it('is captured as a whole, once', async () => {
    const { id } = await held();
    expect((await capture(id)).json).toMatchObject({
      status: 'succeeded',
      amount_received: 1000,
      amount_capturable: 0,
    });
    expect(await refundsOf(id)).toEqual([]);
    const { status, json } = await capture(id);
    expect([status, json.error.code]).toEqual([400, 'payment_intent_unexpected_state']);
  });

  it('is captured in part, and the rest is a refund that no balance shows', async () => {
    const { id, charge } = await held();
    expect((await capture(id, ROOM)).json).toMatchObject({
      status: 'succeeded',
      amount: 1000,
      amount_received: 400,
      capture_method: 'manual',
      customer: 'cus_42',
    });
    expect(await chargeOf(charge)).toMatchObject({ captured: true, amount_captured: 400, amount_refunded: 600 });
    expect(await refundsOf(id)).toMatchObject([{ amount: 600, status: 'succeeded', balance_transaction: null }]);
    // And no more than the part can be given back.
    expect((await api.post('/v1/refunds', { payment_intent: id, amount: '401' })).status).toBe(400);
    expect((await api.post('/v1/refunds', { payment_intent: id })).json).toMatchObject({ amount: 400 });
  });

  it.each([
    [{ amount_to_capture: '1001' }, 'amount_too_large'],
    [{ amount_to_capture: '400', final_capture: 'false' }, undefined],
  ])('is not captured by %j', async (form, code) => {
    const { id } = await held();
    const { status, json } = await capture(id, form);
    expect([status, json.error.code]).toEqual([400, code]);
    expect(await read(id)).toMatchObject({ status: 'requires_capture' });
  });

  it('is called off, or lapses, and goes back to him', async () => {
    const off = await held();
    expect((await api.post(`/v1/payment_intents/${off.id}/cancel`)).json).toMatchObject({
      status: 'canceled',
      latest_charge: off.charge,
      amount_capturable: 0,
    });
    expect(await refundsOf(off.id)).toMatchObject([{ amount: 1000, balance_transaction: null, reason: null }]);
    const lapsed = await held();
    await sandbox.lapse(lapsed.id);
    expect(await read(lapsed.id)).toMatchObject({ status: 'canceled', cancellation_reason: 'automatic' });
    expect(await refundsOf(lapsed.id)).toMatchObject([{ amount: 1000, reason: 'expired_uncaptured_charge' }]);
    for (const { id } of [off, lapsed]) expect((await capture(id)).status).toBe(400);
    await expect(sandbox.lapse(off.id)).rejects.toThrow('canceled');
    await expect(sandbox.pay(off.id)).rejects.toThrow('canceled');
  });

  it('is captured in the dashboard, whole or in part', async () => {
    const { id, charge } = await held();
    await sandbox.updateCharge(charge, 'captured', 700);
    expect(await read(id)).toMatchObject({ status: 'succeeded', amount_received: 700 });
  });

  it('is of a customer of Stripe', async () => {
    const { status } = await api.post('/v1/payment_intents', { amount: '1', currency: 'usd', customer: 'shop_7' });
    expect(status).toBe(400);
  });
});
