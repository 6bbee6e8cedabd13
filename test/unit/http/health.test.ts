import { describe, expect, it } from 'vitest';
import { NO_FIGURES, TOKENS } from '../../support/api.js';
import { ID, problemOf, startRememberingApi } from './support.js';

const broken = () => Promise.reject(new Error('connect ECONNREFUSED postgres://user:hunter2@db'));

describe('health', () => {
  it('is ready with everything up', async () => {
    const { api } = await startRememberingApi({ optionalComponents: { temporal: () => Promise.resolve(true) } });
    const answer = await api.send('/readyz');
    expect([answer.status, answer.body]).toEqual([
      200,
      { status: 'ready', components: { postgres: 'ok', schema: 'ok', temporal: 'ok' } },
    ]);
  });

  it.each([
    ['says no', () => Promise.resolve(false)],
    ['fails', broken],
  ])('stays ready, degraded, when Temporal %s', async (_how, temporal) => {
    const { api } = await startRememberingApi({ optionalComponents: { temporal } });
    const answer = await api.send('/readyz');
    expect([answer.status, answer.body.status, answer.body.components.temporal]).toEqual([200, 'degraded', 'degraded']);
  });

  it('is not made worse by what nobody configured', async () => {
    const { api } = await startRememberingApi({
      optionalComponents: { stripe: () => Promise.resolve('not_configured') },
    });
    expect((await api.send('/readyz')).body).toEqual({
      status: 'ready',
      components: { postgres: 'ok', schema: 'ok', stripe: 'not_configured' },
    });
  });

  it('stays ready when Temporal does not answer at all', { timeout: 10_000 }, async () => {
    const { api } = await startRememberingApi({ optionalComponents: { temporal: () => new Promise(() => undefined) } });
    expect((await api.send('/readyz')).body.components.temporal).toBe('degraded');
  });

  it.each([
    ['Postgres is away', broken],
    ['the schema is old', () => Promise.resolve('behind' as const)],
  ])('is not ready when %s, and alive all the same', async (_why, schemaState) => {
    const { api } = await startRememberingApi({ ledger: { schemaState } });
    const answer = await api.send('/readyz');
    expect(problemOf(answer)).toEqual([503, 'not_ready']);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(answer.text).not.toContain('hunter2');
    expect((await api.send('/healthz')).body).toEqual({ status: 'ok' });
  });

  it('is ready on a newer schema: migrations only add', async () => {
    const { api } = await startRememberingApi({
      ledger: { schemaState: () => Promise.resolve('ahead' as const) },
    });
    expect((await api.send('/readyz')).body).toMatchObject({ status: 'degraded', components: { schema: 'degraded' } });
  });
});

describe('metrics', () => {
  it('tell the money, and the requests without any id', async () => {
    const unsettled = [
      { protocol: 'x402', asset: '0xusdc', decimals: 6, count: 2, amount: '3000', oldestSeconds: 61.5 },
    ] as never;
    const { api } = await startRememberingApi({
      ledger: { figures: () => Promise.resolve({ ...NO_FIGURES, unsettled, unknown: 1 }) },
    });
    await api.send(`/api/v1/settlements/${ID}`, { token: TOKENS.viewer });
    await api.send(`/nothing/${ID}`);
    const { text, headers } = await api.send('/metrics', { token: TOKENS.viewer });
    expect(headers.get('content-type')).toMatch(/^text\/plain/);
    expect(text).toContain('makegood_unsettled_amount{protocol="x402",asset="0xusdc"} 0.003');
    expect(text).toContain('makegood_unsettled_oldest_seconds 61.5');
    expect(text).toContain('makegood_unknown_count 1');
    expect(text).toContain('settle_failed_at_close_total{protocol="atxp",reason="server_error"} 0');
    expect(text).toContain('makegood_up{component="postgres"} 1');
    expect(text).toMatch(/method="GET",route="\/api\/v1\/settlements\/\{id\}",status="404"/);
    expect(text).toMatch(/route="unmatched",status="404"/);
    expect(text).not.toContain(ID);
  });

  it('answer without Postgres, and claim no figure then', async () => {
    const { api } = await startRememberingApi({
      ledger: { figures: () => Promise.reject(new Error('away')) },
    });
    const { status, text } = await api.send('/metrics', { token: TOKENS.viewer });
    expect(status).toBe(200);
    expect(text).toContain('makegood_up{component="postgres"} 0');
    expect(text).not.toContain('makegood_unsettled_count');
  });
});
