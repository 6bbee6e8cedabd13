import { randomBytes } from 'node:crypto';
import { Store } from 'mppx/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AtomicStore } from '../../src/domain/channels/channel.js';
import { createAtomicStore } from '../../src/ledger/channels/atomic-store.js';
import { createDatabase } from '../../src/ledger/database.js';
import { openTestLedger, type TestLedger } from '../support/ledger-fixtures.js';

let ledger: TestLedger;
beforeAll(async () => {
  ledger = await openTestLedger();
});
afterAll(() => ledger.dispose());

/** Several stores on the same data, as several servers have them. */
type Opened = { readonly stores: readonly AtomicStore[]; readonly close: () => Promise<void> };

function onPostgres(): Opened {
  const databases = [1, 2, 3].map(() => createDatabase({ url: ledger.url, maxConnections: 5 }));
  return {
    stores: databases.map(createAtomicStore),
    close: async () => {
      await Promise.all(databases.map((database) => database.close()));
    },
  };
}

/** npm mppx' own; `tryClaim` is what its `Store.tryClaim` does for a store that has none. */
function inMemory(): Opened {
  const memory = Store.memory();
  const store = { ...memory, tryClaim: (key: string, at: number) => Store.tryClaim(memory, key, at) } as AtomicStore;
  return { stores: [store, store, store], close: () => Promise.resolve() };
}

const newKey = () => `key:${randomBytes(8).toString('hex')}`;

describe.each([
  ['the memory of npm mppx', inMemory],
  ['Postgres', onPostgres],
] as const)('an atomic store on %s', (_name, open) => {
  let opened: Opened;
  let store: AtomicStore;
  let others: readonly AtomicStore[];
  beforeAll(() => {
    opened = open();
    [store, ...others] = opened.stores as [AtomicStore, ...AtomicStore[]];
  });
  afterAll(() => opened.close());

  it('has nothing under a key that was never written, and null is what that looks like', async () => {
    expect(await store.get(newKey())).toBeNull();
    await store.delete(newKey());
  });

  it('gives back what was put, in every store, with bigints as bigints and text as text', async () => {
    const key = newKey();
    const value = {
      amount: 2n ** 96n - 1n,
      less: -5n,
      nested: { list: [1n, 'a', null, true, 1.5], text: '12n' },
      'quote"': "it's",
    };
    await store.put(key, value);
    for (const one of opened.stores) expect(await one.get(key)).toEqual(value);
    await store.put(key, { other: 1 });
    expect(await store.get(key)).toEqual({ other: 1 });
  });

  it('keeps a copy: what was put or given out and is changed afterwards changes nothing', async () => {
    const key = newKey();
    const value = { list: [1] };
    await store.put(key, value);
    value.list.push(2);
    ((await store.get(key)) as typeof value).list.push(3);
    expect(await store.get(key)).toEqual({ list: [1] });
  });

  it('forgets what is deleted', async () => {
    const key = newKey();
    await store.put(key, 1);
    await store.delete(key);
    expect(await store.get(key)).toBeNull();
  });

  it('hands the present value to a change, writes what it sets, and passes its result on', async () => {
    const key = newKey();
    const seen: unknown[] = [];
    const set = (value: unknown, result: string) =>
      store.update(key, (current) => {
        seen.push(current);
        return { op: 'set', value, result };
      });
    expect(await set({ n: 1n }, 'first')).toBe('first');
    expect(await set({ n: 2n }, 'second')).toBe('second');
    expect(seen).toEqual([null, { n: 1n }]);
    expect(await store.get(key)).toEqual({ n: 2n });
  });

  it('leaves everything as it is for noop, and removes for delete', async () => {
    const key = newKey();
    await store.put(key, { n: 1 });
    expect(await store.update(key, (current) => ({ op: 'noop', result: current }))).toEqual({ n: 1 });
    expect(await store.get(key)).toEqual({ n: 1 });
    expect(await store.update(key, () => ({ op: 'delete', result: 'gone' }))).toBe('gone');
    expect(await store.get(key)).toBeNull();
    expect(await store.update(key, () => ({ op: 'delete', result: 'never there' }))).toBe('never there');
  });

  it('writes nothing when the change throws', async () => {
    const key = newKey();
    await store.put(key, { n: 1 });
    const failing = store.update(key, () => {
      throw new Error('refused by the change');
    });
    await expect(failing).rejects.toThrow('refused by the change');
    expect(await store.get(key)).toEqual({ n: 1 });
  });

  it('loses none of a hundred changes made at once through three stores, also to a key that nobody has written', async () => {
    const key = newKey();
    const add = (one: AtomicStore) =>
      one.update(key, (current) => {
        const n = ((current as { n: bigint } | null)?.n ?? 0n) + 1n;
        return { op: 'set', value: { n }, result: n };
      });
    const results = await Promise.all(Array.from({ length: 100 }, (_, at) => add(opened.stores[at % 3] ?? store)));
    expect(await store.get(key)).toEqual({ n: 100n });
    expect(new Set(results).size).toBe(100);
  });

  it('changes of one key do not touch another', async () => {
    const [one, two] = [newKey(), newKey()];
    await Promise.all([
      ...Array.from({ length: 10 }, (_, n) => store.put(one, { n })),
      ...others.map((other) => other.put(two, { kept: true })),
    ]);
    expect(await store.get(two)).toEqual({ kept: true });
  });

  it('gives a claim to exactly one of thirty that ask at once, and again once it has expired', async () => {
    const key = newKey();
    const later = Date.now() + 60_000;
    const claims = await Promise.all(
      Array.from({ length: 30 }, (_, at) => (opened.stores[at % 3] ?? store).tryClaim(key, later)),
    );
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await store.tryClaim(key, later)).toBe(false);
    const past = newKey();
    expect(await store.tryClaim(past, Date.now() - 1_000)).toBe(true);
    expect(await store.tryClaim(past, later)).toBe(true);
    expect(await store.tryClaim(past, later)).toBe(false);
  });

  it('knows keys that differ by a letter, by case or by a colon apart', async () => {
    const key = newKey();
    await store.put(key, 'lower');
    await store.put(key.toUpperCase(), 'upper');
    await store.put(`${key}:`, 'colon');
    expect([await store.get(key), await store.get(key.toUpperCase()), await store.get(`${key}:`)]).toEqual([
      'lower',
      'upper',
      'colon',
    ]);
  });
});
