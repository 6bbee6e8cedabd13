import { CommanderError } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeOrRead } from '../../../src/calls/marketplace/hyperswitch-step.js';
import { CommandRefused } from '../../../src/cli/context.js';
import { createMetrics } from '../../../src/observability/metrics.js';
import { aSettlement } from '../../support/ledger-fixtures.js';
import { type MarketplaceCli, openMarketplaceCli } from '../../support/marketplace/cli.js';

const A_DAY_MS = 86_400_000;
const HOLD_MS = 60_000;
/** A reversal that may be sent, of a transfer that was. */
const DUE = {
  transfers: [{ amount: 600 }],
  refunds: [{ amount: 100, reversals: [{ transfer: 0, amount: 100 }] }],
};

let terminal: MarketplaceCli;
beforeAll(async () => {
  terminal = await openMarketplaceCli();
});
afterAll(() => terminal.close());
const ledger = () => terminal.test.ledger;
const dueReversal = async () => (await terminal.put(DUE)).reversals[0]?.id as never;
const eventsOf = (provider: string) =>
  terminal.test.database.query(
    `SELECT kind, detail FROM operation_events WHERE item_kind = 'provider' AND item_id = $1 ORDER BY seq`,
    [provider],
  );

describe('makegood pause stripe', () => {
  it('lets no call leave, burns no retry, and no probe and no answer opens it; resume lets it all go on', async () => {
    const id = await dueReversal();
    const said = await terminal.makegood('pause', 'stripe', '--note', 'balance is being checked', '--by', 'ann');
    expect(said).toMatch(/^stripe is paused by ann since 2\S+ \(balance is being checked\)\./);
    terminal.test.clock.advance(A_DAY_MS);
    await ledger().unparkProvider('stripe');
    await ledger().parkProvider('stripe', 'the key is revoked');
    expect(await ledger().claimReversal(id, 'runner', HOLD_MS)).toMatchObject({ kind: 'parked', afterMs: 60_000 });
    expect(await ledger().dueItems('reversal', 10)).toEqual([]);
    expect(await ledger().findReversal(id)).toMatchObject({ status: 'pending', certainty: 'not_sent', retryCount: 0 });

    expect(await terminal.makegood('resume', 'stripe', '--by', 'bob')).toBe(
      'stripe is called again: what waited goes on',
    );
    expect((await ledger().dueItems('reversal', 10)).map((item) => item.id)).toContain(id);
    expect(await ledger().claimReversal(id, 'runner', HOLD_MS)).toMatchObject({ kind: 'claimed' });
    expect(await eventsOf('stripe')).toEqual([
      { kind: 'paused', detail: { by: 'ann', authenticated: false, note: 'balance is being checked' } },
      { kind: 'resumed', detail: { by: 'bob', authenticated: false, note: '' } },
    ]);
  });

  it('stops what was claimed before it and has not left', async () => {
    const id = await dueReversal();
    expect(await ledger().claimReversal(id, 'early', HOLD_MS)).toMatchObject({ kind: 'claimed' });
    await terminal.makegood('pause', 'stripe');
    expect(await ledger().permitReversal(id, 'early', HOLD_MS)).toEqual({ kind: 'stop', why: 'stripe is paused' });
    expect(await ledger().findReversal(id)).toMatchObject({ certainty: 'not_sent' });
    await terminal.makegood('resume', 'stripe');
    expect(await ledger().claimReversal(id, 'later', HOLD_MS)).toMatchObject({ kind: 'claimed' });
  });

  it('is shown by list, show, explain and metrics: who, and since when', async () => {
    const id = (await dueReversal()) as string;
    await terminal.makegood('pause', 'stripe', '--by', 'ann', '--note', 'ticket 7');
    await terminal.makegood('list', 'reversals');
    expect(terminal.err.join('\n')).toMatch(/^stripe is paused by ann since 2\S+ \(ticket 7\)$/m);
    expect((await terminal.json('list', 'reversals')).paused).toMatchObject([
      { provider: 'stripe', by: 'ann', note: 'ticket 7', at: expect.stringMatching(/^2/) },
    ]);
    for (const command of ['show', 'explain'])
      expect((await terminal.json(command, id)).next).toMatch(
        /^waits until a person resumes its provider: stripe is paused by ann since 2\S+ \(ticket 7\); nothing is sent/,
      );
    const { text } = await createMetrics({ figures: () => ledger().figures() }).scrape();
    expect(text).toMatch(/^makegood_provider_paused_since_timestamp_seconds\{provider="stripe",by="ann"\} 1/m);
    expect(text).toMatch(/^makegood_breaker_open\{provider="stripe"\} 1$/m);
    await terminal.makegood('resume', 'stripe');
    expect(await terminal.json('list', 'reversals')).not.toHaveProperty('paused');
  });
});

describe('makegood pause auth-server', () => {
  it('keeps every charge of it, whatever it answers, and none of the chain', async () => {
    const settlement = aSettlement();
    await ledger().createSettlement(settlement);
    await terminal.makegood('pause', 'auth-server', '--by', 'ann');
    for (const protocol of ['atxp', 'x402', 'mpp'] as const) await ledger().unparkProvider(`auth-server:${protocol}`);
    terminal.test.clock.advance(60_000);
    const held = await ledger().claimSettlements([settlement.id], 'runner', HOLD_MS);
    expect(held).toEqual({ claimed: [], refused: [{ id: settlement.id, kind: 'waiting', why: 'breaker' }] });
    expect(await ledger().findSettlement(settlement.id)).toMatchObject({ status: 'pending', attempts: 0 });
    expect(new Set(await ledger().openBreakers())).toEqual(
      new Set(['auth-server:atxp', 'auth-server:mpp', 'auth-server:x402']),
    );
    expect((await terminal.json('show', settlement.id)).next).toMatch(/auth-server is paused by ann/);
    await terminal.makegood('resume', 'auth-server');
    expect((await ledger().claimSettlements([settlement.id], 'runner', HOLD_MS)).claimed).toHaveLength(1);
  });
});

describe('makegood pause hyperswitch', () => {
  it('lets no payment, refund or cancel leave, and gives the claim back', async () => {
    const order = await terminal.put({
      payment: { status: 'pending' },
      status: 'pending',
      transfers: [{ amount: 600, status: 'pending' }],
    });
    const held = { id: order.paymentId, runner: 'runner' };
    await ledger().claimPayment(held.id, held.runner, HOLD_MS);
    await terminal.makegood('pause', 'hyperswitch', '--by', 'ann');
    expect(await ledger().paymentLeaves({ ...held, params: '{}' })).toBeNull();
    expect(await ledger().claimCancel({ ...held, holdMs: HOLD_MS, expiryMs: 1 })).toBeUndefined();
    const { paymentId: waits } = await terminal.put({
      payment: { status: 'pending' },
      status: 'pending',
      transfers: [{ amount: 600, status: 'pending' }],
    });
    expect((await terminal.json('show', waits)).next).toMatch(/hyperswitch is paused by ann/);
    await terminal.makegood('resume', 'hyperswitch');
    expect(await ledger().paymentLeaves({ ...held, params: '{}' })).toBe('{}');
  });

  it('lets nothing leave that was waiting for its row when it was paused', async () => {
    const { paymentId: id } = await terminal.put({
      payment: { status: 'pending' },
      status: 'pending',
      transfers: [{ amount: 600, status: 'pending' }],
    });
    await ledger().claimPayment(id, 'runner', HOLD_MS);
    const leaving: Promise<unknown>[] = [];
    await terminal.test.database.transaction(async (query) => {
      await query('SELECT 1 FROM payments WHERE id = $1 FOR UPDATE', [id]);
      leaving.push(ledger().paymentLeaves({ id, runner: 'runner', params: '{}' }));
      await expect
        .poll(() =>
          terminal.test.database.query(
            `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          ),
        )
        .toHaveLength(1);
      await ledger().pauseProvider({ provider: 'hyperswitch', by: 'ann', authenticated: true, note: '' });
    });
    expect(await Promise.all(leaving)).toEqual([null]);
    await terminal.makegood('resume', 'hyperswitch');
  });

  it('makes an attempt that is not counted, and one later', async () => {
    const unread: object[] = [];
    const never = () => Promise.reject(new Error('not asked'));
    const step = await makeOrRead(
      {
        certainty: 'not_sent',
        refusal: null,
        leaves: () => Promise.resolve(null),
        unread: (outcome: object) => Promise.resolve(void unread.push(outcome)),
        make: never,
        read: never,
      } as never,
      { verify: () => Promise.resolve({ kind: 'ours' }) } as never,
    );
    expect(step).toEqual({ kind: 'later', afterMs: 60_000, why: 'a person has paused hyperswitch: nothing was sent' });
    expect(unread).toEqual([
      { certainty: 'not_sent', detail: 'a person has paused hyperswitch: nothing was sent', nextCheckMs: 60_000 },
    ]);
  });
});

describe('pause and resume', () => {
  it('are recorded under a token, and say when there was nothing to change', async () => {
    terminal.token = '0123456789abcdef';
    terminal.env = { API_TOKENS: 'ann:operator:0123456789abcdef' };
    expect(await terminal.json('pause', 'chain', '--note', 'node is ill')).toMatchObject({
      provider: 'chain',
      changed: true,
      paused: { by: 'ann', note: 'node is ill' },
    });
    expect(await terminal.json('pause', 'chain', '--note', 'again')).toMatchObject({
      changed: false,
      paused: { note: 'node is ill' },
    });
    await expect(terminal.makegood('resume', 'chain', '--by', 'bob')).rejects.toThrow(CommandRefused);
    expect(await terminal.json('resume', 'chain')).toEqual({ provider: 'chain', changed: true, paused: null });
    expect(await terminal.makegood('resume', 'chain')).toBe('nobody had paused chain');
    expect(await eventsOf('tempo')).toMatchObject([
      { kind: 'paused', detail: { by: 'ann', authenticated: true } },
      { kind: 'resumed', detail: { by: 'ann', authenticated: true } },
    ]);
    terminal.token = undefined;
  });

  it('know no other provider', async () => {
    await expect(terminal.makegood('pause', 'paypal')).rejects.toThrow(CommanderError);
  });

  it('are held by the database: what is paused is open, without a probe', async () => {
    await terminal.makegood('pause', 'chain');
    await expect(
      terminal.test.database.query(
        `UPDATE provider_breakers SET state = 'closed', probe_at = NULL WHERE provider = 'tempo'`,
      ),
    ).rejects.toThrow(/paused_stays_paused/);
    await terminal.makegood('resume', 'chain');
  });
});
