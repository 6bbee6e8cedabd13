import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAuthServerSandbox } from '../../sandbox/auth-server/start.js';
import { startKillableSandbox } from '../support/killable-sandbox.js';
import { atxpBody, post } from '../support/sandbox-bodies.js';

let stateDir: string;
let child: Awaited<ReturnType<typeof startKillableSandbox>>;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'makegood-sandbox-'));
});
afterEach(async () => {
  await child.kill();
  await rm(stateDir, { recursive: true });
});

const settle = (url: string, body: unknown) => post(`${url}/settle/atxp`, body);
const debits = async (url: string) => {
  const ledger = (await (await fetch(`${url}/_sandbox/ledger`)).json()) as { totals: { debits: number } };
  return ledger.totals.debits;
};

describe('a sandbox that is killed with SIGKILL', () => {
  it('never loses a payment it answered for, nor one whose answer it was hiding', async () => {
    const url = await startChild();
    const body = atxpBody();
    expect((await settle(url, body)).json.txHash).toEqual(expect.any(String));
    const hidden = atxpBody();
    await post(`${url}/_sandbox/faults`, { rules: [{ kinds: ['hang_after_commit'], times: 1 }] }, { method: 'PUT' });
    const call = settle(url, hidden).catch((error: Error) => error);
    await expect.poll(() => debits(url)).toBe(2);
    // The ledger shows it before it is on disk; what comes after it is answered only when both are.
    await settle(url, atxpBody());
    await child.kill();
    expect(await call).toBeInstanceOf(Error);
    const restarted = await startAuthServerSandbox({ stateDir });
    expect((await settle(restarted.url, body)).json.alreadySettled).toBe(true);
    expect((await settle(restarted.url, hidden)).json.alreadySettled).toBe(true);
    expect(restarted.ledger().totals).toEqual({ debits: 3, debited: '30000' });
    await restarted.close();
  });

  it('never loses any of the payments it answered for in the middle of many', async () => {
    const url = await startChild();
    const answered: unknown[] = [];
    let killed: Promise<void> | undefined;
    const payUntilItDies = async () => {
      for (;;) {
        const body = atxpBody();
        const answer = await settle(url, body).catch(() => undefined);
        if (answer?.status !== 200) return;
        answered.push(body);
        if (answered.length === 60) killed = child.kill();
      }
    };
    await Promise.all(Array.from({ length: 20 }, payUntilItDies));
    expect(killed).toBeInstanceOf(Promise);
    await killed;

    const restarted = await startAuthServerSandbox({ stateDir });
    const again = await Promise.all(answered.map((body) => settle(restarted.url, body)));
    expect(again.filter(({ json }) => json.alreadySettled !== true)).toEqual([]);
    await restarted.close();
  });
});

async function startChild(): Promise<string> {
  child = await startKillableSandbox('sandbox', stateDir);
  return child.url;
}
