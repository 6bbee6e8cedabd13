import { describe, expect, it } from 'vitest';
import { SELLER, stripeSandboxForFile, transferOf } from '../../support/marketplace/stripe-api.js';

const { sandbox, api } = await stripeSandboxForFile();

const account = async () => (await api.get(`/v1/accounts/${SELLER}`)).json;
const capability = async (name = 'transfers') => await api.get(`/v1/accounts/${SELLER}/capabilities/${name}`);
const told = () => sandbox.events().map(({ event }) => event);

describe('a seller', () => {
  it('who cannot receive yet says so, and is told of when that changes', async () => {
    await sandbox.setAccount(SELLER, { transfers: 'inactive', disabledReason: 'requirements.past_due' });
    expect((await capability()).json).toMatchObject({
      id: 'transfers',
      object: 'capability',
      account: SELLER,
      status: 'inactive',
      requirements: { disabled_reason: 'requirements.past_due' },
    });
    expect(await account()).toMatchObject({
      capabilities: { transfers: 'inactive' },
      payouts_enabled: false,
      requirements: { disabled_reason: 'requirements.past_due' },
    });
    const { json } = await api.post('/v1/transfers', transferOf());
    expect(json.error.message).toMatch(/^Your destination account needs to have at least one of the following/);
    await sandbox.setAccount(SELLER, { transfers: 'active', disabledReason: null });
    expect(told()).toMatchObject([
      { type: 'capability.updated', account: SELLER, data: { object: { id: 'transfers', status: 'inactive' } } },
      { type: 'account.updated', account: SELLER, data: { object: { id: SELLER } } },
      { type: 'capability.updated', account: SELLER, data: { object: { id: 'transfers', status: 'active' } } },
      { type: 'account.updated', account: SELLER, data: { object: { capabilities: { transfers: 'active' } } } },
    ]);
    expect((await api.post('/v1/transfers', transferOf())).status).toBe(200);
  });

  it('who was rejected has no capability, whatever it was before', async () => {
    await sandbox.setAccount(SELLER, { disabledReason: 'rejected.fraud' });
    expect((await capability()).json.status).toBe('inactive');
    expect(await account()).toMatchObject({
      capabilities: { transfers: 'inactive' },
      charges_enabled: false,
      requirements: { disabled_reason: 'rejected.fraud' },
    });
    expect(told().map(({ type }) => type)).toEqual(['capability.updated', 'account.updated']);
  });

  it('who disconnected is out of reach and is told of', async () => {
    await sandbox.setAccount(SELLER, { access: 'revoked' });
    for (const path of ['', '/capabilities', '/capabilities/transfers']) {
      const { status, json } = await api.get(`/v1/accounts/${SELLER}${path}`);
      expect([status, json.error.code]).toEqual([403, 'account_invalid']);
    }
    await sandbox.setAccount(SELLER, { access: 'granted' });
    expect(told()).toMatchObject([
      { type: 'account.application.deauthorized', account: SELLER, data: { object: { object: 'application' } } },
      { type: 'account.application.authorized', account: SELLER },
    ]);
  });

  it('who did not change is not told of, and has the capabilities of a seller', async () => {
    await sandbox.setAccount(SELLER, { liable: true, transfers: 'active' });
    expect(told()).toEqual([]);
    const { json } = await api.get(`/v1/accounts/${SELLER}/capabilities`);
    expect(json.data.map(({ id }: { id: string }) => id)).toEqual(['card_payments', 'transfers']);
    expect((await capability('cash')).status).toBe(404);
  });

  it('is changed over HTTP too', async () => {
    const answer = await fetch(`${sandbox.url}/control/accounts`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ account: SELLER, disabledReason: 'under_review', transfers: 'pending' }),
    });
    expect(answer.status).toBe(200);
    expect((await capability()).json).toMatchObject({
      status: 'pending',
      requirements: { disabled_reason: 'under_review' },
    });
  });
});
