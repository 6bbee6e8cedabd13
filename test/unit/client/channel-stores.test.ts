import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createChannelStore, createJsonChannelStore } from 'mppx/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ChannelEntry,
  type ChannelStore,
  createFileChannelStore,
  createMemoryChannelStore,
  createTextChannelStore,
} from '../../../src/client.js';
import { entryOf, payerWorld, SHOP } from '../../support/sessions/payer-world.js';
import { CHAIN, ESCROW, PAYEE, TOKEN } from '../../support/sessions/session-world.js';

const KEY = `${PAYEE}:${TOKEN}:${ESCROW}:${CHAIN}`;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'channels-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function texts() {
  const kept = new Map<string, string>();
  return {
    get: (key: string) => kept.get(key),
    set: (key: string, value: string) => void kept.set(key, value),
    delete: (key: string) => void kept.delete(key),
  };
}

describe.each<[string, () => ChannelStore]>([
  ['in memory', () => createMemoryChannelStore()],
  ['of texts', () => createTextChannelStore(texts())],
  ['of files', () => createFileChannelStore(join(folder, 'made', 'by it'))],
  ['of the stock client', () => createChannelStore()],
  ['of the stock client, of texts', () => createJsonChannelStore(texts())],
])('a channel store %s', (_what, create) => {
  it('gives back what it was given, to the last unit, and forgets what it is told to', async () => {
    const store = create();
    const entry = entryOf({
      cumulativeAmount: 2n ** 96n - 1n,
      mirrors: { accepted: '5', spent: '4' },
      pending: { action: 'topUp', transaction: '0x76', depositAfter: '2000', validBefore: 17 },
    });
    expect(await store.get(KEY)).toBeUndefined();
    await store.set(entryOf());
    await store.set(entry);
    expect(await store.get(KEY)).toEqual(entry);
    await store.delete(KEY);
    expect(await store.get(KEY)).toBeUndefined();
    await store.delete(KEY);
  });

  it('lets a client go on where another one stopped', async () => {
    const store = create();
    const { client, shop } = payerWorld();
    await client(store)(SHOP);
    await client(store)(SHOP);
    expect(shop.log).toEqual(['open 10 200', 'voucher 20 200']);
  });

  it('lets a client close what another one left, and what that one opened after it', async () => {
    const store = create();
    const { client, shop, chain } = payerWorld();
    await client(store)(SHOP);
    const lost = new Map(shop.channels);
    shop.channels.clear();
    await client(store)(SHOP);
    for (const [id, known] of lost) shop.channels.set(id, known);
    await client(store).close(SHOP);
    expect(shop.log.slice(-2)).toEqual(['close 10 204', 'close 10 204']);
    expect([...chain.channels.values()].map(({ deposit }) => deposit)).toEqual([0n, 0n]);
    expect(await store.get(KEY)).toBeUndefined();
  });
});

describe('a record of the versions before', () => {
  it('that knew of one channel alone is paid with and closed', async () => {
    const { cumulativeAmount, deposit, ...rest } = entryOf();
    const kept = texts();
    kept.set(
      `chan:${KEY}`,
      JSON.stringify({ ...rest, cumulativeAmount: `${cumulativeAmount}`, deposit: `${deposit}` }),
    );
    const { client, shop, opened } = payerWorld();
    opened(50n);
    const pays = client(createTextChannelStore(kept));
    await pays(SHOP);
    await pays.close(SHOP);
    expect(shop.log).toEqual(['voucher 60 200', 'close 60 204']);
    expect(kept.get(`chan:${KEY}`)).toBeUndefined();
  });
});

describe('a channel store of files', () => {
  it('keeps entries of different payees, tokens and chains apart', async () => {
    const store = createFileChannelStore(folder);
    const scopes = fc.record({
      payee: fc.constantFrom(PAYEE, TOKEN, ESCROW),
      token: fc.constantFrom(PAYEE, TOKEN, ESCROW),
      chainId: fc.constantFrom(4, 42, 42431),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(scopes, { selector: (scope) => JSON.stringify(scope), maxLength: 6 }),
        async (all) => {
          const entries = all.map(({ payee, token, chainId }, index) =>
            entryOf({
              chainId,
              cumulativeAmount: BigInt(index),
              descriptor: { ...entryOf().descriptor, payee, token },
            }),
          );
          for (const entry of entries) await store.set(entry);
          const keyOf = ({ descriptor, escrow, chainId }: ChannelEntry) =>
            `${descriptor.payee}:${descriptor.token}:${escrow}:${chainId}`.toLowerCase();
          for (const entry of entries) expect(await store.get(keyOf(entry))).toEqual(entry);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('leaves no half-written entry: many at once end as one of them, whole', async () => {
    const store = createFileChannelStore(folder);
    const amounts = Array.from({ length: 40 }, (_none, index) => BigInt(index));
    await Promise.all(
      amounts.map(async (cumulativeAmount) => createFileChannelStore(folder).set(entryOf({ cumulativeAmount }))),
    );
    expect(amounts).toContain((await store.get(KEY))?.cumulativeAmount);
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('can be read by nobody else', async () => {
    await createFileChannelStore(folder).set(entryOf());
    const [file = ''] = await readdir(folder);
    expect((await stat(join(folder, file))).mode & 0o077).toBe(0);
    expect(await readFile(join(folder, file), 'utf8')).toContain('"cumulativeAmount":"50"');
  });

  it('that was damaged stops the payment instead of starting from nothing', async () => {
    const store = createFileChannelStore(folder);
    await store.set(entryOf());
    const [file = ''] = await readdir(folder);
    await writeFile(join(folder, file), '{"cumulative');
    const { client, outcome, shop } = payerWorld();
    expect(await outcome(client(store))).toBe('store_failed');
    expect(shop.payloads).toEqual([]);
  });
});
