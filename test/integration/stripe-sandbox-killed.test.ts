import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type StripeSandbox, startStripeSandbox } from '../../sandbox/stripe/start.js';
import { startKillableSandbox } from '../support/killable-sandbox.js';
import { SELLER, stripeApi, transferOf } from '../support/marketplace/stripe-api.js';

let stateDir: string;
let child: Awaited<ReturnType<typeof startKillableSandbox>>;
let restarted: StripeSandbox | undefined;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'makegood-sandbox-'));
});
afterEach(async () => {
  await child.kill();
  await restarted?.close();
  restarted = undefined;
  await rm(stateDir, { recursive: true });
});

async function startChild(): Promise<string> {
  child = await startKillableSandbox('stripe-sandbox', stateDir);
  return child.url;
}

describe('a stand-in of Stripe that is killed with SIGKILL', () => {
  it('never loses a transfer it answered for, nor one whose answer it was hiding, nor either’s key', async () => {
    const url = await startChild();
    const create = (base: string, idempotencyKey: string) =>
      stripeApi(base).post('/v1/transfers', transferOf(), { idempotencyKey });
    const told = await create(url, 'told');
    await fetch(`${url}/control/faults`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ rules: [{ kinds: ['hang_after_commit'], times: 1 }] }),
    });
    const hidden = create(url, 'hidden').catch((error: Error) => error);
    await expect.poll(async () => (await stripeApi(url).get('/v1/transfers')).json.data.length).toBe(2);
    // Stripe's lists show it before it is on disk; what comes after it is answered only when both are.
    await create(url, 'after');
    await child.kill();
    expect(await hidden).toBeInstanceOf(Error);

    restarted = await startStripeSandbox({ stateDir });
    expect((await create(restarted.url, 'told')).json.id).toBe(told.json.id);
    expect((await create(restarted.url, 'hidden')).headers['idempotent-replayed']).toBe('true');
    expect(restarted.ledger().transfers.length).toBe(3);
  });

  it('never parts money from its key or from the other side of it, in the middle of many', async () => {
    const url = await startChild();
    const answered: string[] = [];
    let killed: Promise<void> | undefined;
    let next = 0;
    const transferUntilItDies = async () => {
      for (;;) {
        next += 1;
        const key = `k${next}`;
        const answer = await stripeApi(url)
          .post('/v1/transfers', transferOf(), { idempotencyKey: key })
          .catch(() => undefined);
        if (answer?.status !== 200) return;
        answered.push(key);
        if (answered.length === 60) killed = child.kill();
      }
    };
    await Promise.all(Array.from({ length: 20 }, transferUntilItDies));
    expect(killed).toBeInstanceOf(Promise);
    await killed;

    restarted = await startStripeSandbox({ stateDir });
    const { transfers, keys, accounts } = restarted.ledger();
    expect(answered.filter((key) => !keys.some((row) => row.key === key))).toEqual([]);
    expect(transfers.length).toBe(keys.length);
    expect(accounts.find(({ id }) => id === SELLER)?.balances.usd?.available).toBe(transfers.length * 1000);
  });
});
