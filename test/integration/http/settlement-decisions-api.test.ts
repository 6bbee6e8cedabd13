import { describe, expect, it } from 'vitest';
import { startApi, summary, TOKENS } from '../../support/api.js';
import { settlementsApiForFile } from '../../support/settlements/settlements-api.js';

const { api, database, ledger, nonce, post, read, request } = await settlementsApiForFile();

describe('decisions', () => {
  /** A settlement that an operator has to look at; amounts are in units of a millionth. */
  async function waiting(amount = '3000') {
    const { body } = await post(
      request({
        protocol: 'atxp',
        credential: `tok en ${nonce()}`,
        key: nonce('9'),
        spent: { amount, asset: 'USDC', decimals: 6 },
      }),
    );
    expect(body.status).toBe('needs_attention');
    return body.id as string;
  }
  const resolve = (id: string, json: object, token: string = TOKENS.operator) =>
    api.send(`/api/v1/settlements/${id}/resolve`, { token, json });
  const approve = (id: string, token: string = TOKENS.approver) =>
    api.send(`/api/v1/decisions/${id}/approve`, { token, json: { note: 'checked' } });
  const GONE = { action: 'write_off', note: 'the credential never was one' };
  const SEEN = { action: 'settled', note: 'seen on chain', evidence: { tx_hash: '0xabc' } };

  it('settle with evidence and a second person, recorded under the names of the tokens, and wake the workflow', async () => {
    const id = await waiting();
    const { status, body } = await resolve(id, SEEN);
    expect([status, body.status, api.woken]).toEqual([202, 'pending_approval', []]);
    expect(summary(await approve(body.decision_id))).toEqual([200, 'settled']);
    expect((await read(`/${id}`)).body).toMatchObject({ status: 'settled', tx_hash: '0xabc' });
    expect(api.woken).toEqual([id]);
    const [row] = await database.query('SELECT by, authenticated, note FROM decisions WHERE id = $1', [
      body.decision_id,
    ]);
    expect(row).toEqual({ by: 'olga', authenticated: true, note: 'seen on chain' });
  });

  it('are made once: the second is told that nothing waits', async () => {
    const id = await waiting();
    await resolve(id, GONE);
    expect(summary(await resolve(id, SEEN))).toEqual([409, 'not_waiting']);
    expect((await read(`/${id}`)).body.status).toBe('written_off');
  });

  it('are refused without evidence, or where there is nothing to send', async () => {
    const id = await waiting();
    expect(summary(await resolve(id, { action: 'settled', note: 'trust me' }))).toEqual([422, 'decision_refused']);
    expect(summary(await resolve(id, { action: 'retry', note: 'again' }))).toEqual([422, 'decision_refused']);
    expect((await read(`/${id}`)).body.status).toBe('needs_attention');
  });

  it('about a settlement that waits for nobody are refused', async () => {
    const { body } = await post(request({ key: nonce('8') }));
    expect(summary(await resolve(body.id, { action: 'retry', note: 'hurry' }))).toEqual([409, 'not_waiting']);
  });

  it('above the threshold need another person, whatever tokens the first one holds', async () => {
    const id = await waiting('500000000');
    const asked = await resolve(id, { action: 'write_off', note: 'gone' });
    expect([asked.status, asked.body.status]).toEqual([202, 'pending_approval']);
    expect((await read(`/${id}`)).body.attention.reason).toBe('approval_pending');
    expect(summary(await approve(asked.body.decision_id, TOKENS.operatorAsApprover))).toEqual([403, 'self_approval']);
    expect((await read(`/${id}`)).body.status).toBe('needs_attention');
    expect(api.woken).toEqual([]);
    const confirmed = await approve(asked.body.decision_id);
    expect([confirmed.status, confirmed.body]).toEqual([
      200,
      { id, status: 'written_off', decision_id: asked.body.decision_id },
    ]);
    expect(api.woken).toEqual([id]);
    expect(summary(await approve(asked.body.decision_id))).toEqual([409, 'not_waiting']);
  });

  it('stand although the workflow cannot be told', async () => {
    const deaf = await startApi({
      ledger: ledger,
      orchestration: { dispatch: () => undefined, wake: () => Promise.reject(new Error('Temporal is away')) },
    });
    try {
      const id = await waiting();
      const answer = await deaf.send(`/api/v1/settlements/${id}/resolve`, { token: TOKENS.operator, json: GONE });
      expect([answer.status, answer.body.status]).toEqual([200, 'written_off']);
      await expect.poll(() => deaf.logged.join('\n')).toContain('Temporal is away');
    } finally {
      await deaf.close();
    }
  });
});
