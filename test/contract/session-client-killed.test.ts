import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { startTempoSandbox, type TempoSandbox } from '../../sandbox/tempo/start.js';
import { createFileChannelStore } from '../../src/client.js';
import { ourClient, type StockShop, startStockShop } from '../support/channels/stock-mppx-shop.js';
import type { PayingOrder } from '../support/processes/paying-client.js';

let node: TempoSandbox;
let shop: StockShop;
let folder: string;
const key = generatePrivateKey();
beforeEach(async () => {
  node = await startTempoSandbox();
  // It tells nothing of channels, so that the record alone says what was signed.
  shop = await startStockShop(node, { tells: 'nothing' });
  folder = await mkdtemp(join(tmpdir(), 'paying-'));
});
afterEach(async () => {
  await shop.close();
  await node.close();
  await rm(folder, { recursive: true, force: true });
});

/** @returns the signal that ended it, or null where it came to its end */
function payInAnotherProcess(order: Pick<PayingOrder, 'requests' | 'dies'>): Promise<string | null> {
  const program = join(projectRoot(), '.build', 'test', 'test', 'support', 'processes', 'paying-client.js');
  const whole: PayingOrder = { shop: shop.url, node: node.url, folder, key, ...order };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program, JSON.stringify(whole)], { timeout: 30_000 }, (error, _stdout, stderr) => {
      if (error === null) resolve(null);
      else if (typeof error.signal === 'string') resolve(error.signal);
      else reject(new Error(stderr));
    });
  });
}

const here = () => ourClient(node, shop, privateKeyToAccount(key), { channelStore: createFileChannelStore(folder) });

it('is what the package exports', async () => {
  const program = `import * as client from 'makegood/client'; console.log(typeof client.createSessionFetch)`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    cwd: projectRoot(),
  });
  expect(stdout.trim()).toBe('function');
});

it('a process goes on with the channel of the one before it', async () => {
  expect(await payInAnotherProcess({ requests: 3, dies: 'never' })).toBeNull();
  const { pays, payments } = here();
  expect((await pays(shop.url)).status).toBe(200);
  expect(payments).toEqual(['voucher 40000 200']);
  expect(node.ledger().channels).toHaveLength(1);
});

it.each(['before its payment leaves', 'after its payment was answered'] as const)(
  'never signs too low after a process was killed %s',
  async (dies) => {
    expect(await payInAnotherProcess({ requests: 3, dies })).toBe('SIGKILL');
    const { pays, payments } = here();
    expect((await pays(shop.url)).status).toBe(200);
    expect(payments).toEqual(['voucher 40000 200']);
  },
);

it('deposits once when a process was killed before its opening left: the same transaction opens the channel', async () => {
  expect(await payInAnotherProcess({ requests: 1, dies: 'before its payment leaves' })).toBe('SIGKILL');
  expect(node.ledger().channels).toEqual([]);
  const { pays, payments } = here();
  expect((await pays(shop.url)).status).toBe(200);
  expect(payments).toEqual(['open 10000 200']);
  expect(node.ledger().channels).toHaveLength(1);
});

it('deposits once when a process was killed after its opening was answered', async () => {
  expect(await payInAnotherProcess({ requests: 1, dies: 'after its payment was answered' })).toBe('SIGKILL');
  const { pays, payments } = here();
  expect((await pays(shop.url)).status).toBe(200);
  expect(payments).toEqual(['voucher 20000 200']);
  expect(node.ledger().channels).toHaveLength(1);
});
