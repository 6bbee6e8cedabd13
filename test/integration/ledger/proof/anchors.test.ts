import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createAnchoring } from '../../../../activities/sweeps/write-anchors.js';
import { anchorName } from '../../../../src/domain/proof/anchors.js';
import { recordEvent } from '../../../../src/ledger/transition.js';
import { createAnchorDirectory } from '../../../../src/providers/anchors/anchor-directory.js';
import { ledgerForTest } from '../../../support/ledger-fixtures.js';

const DAY_MS = 86_400_000;
const PASS = { over: () => false, sleep: () => Promise.resolve() };

async function world() {
  const test = await ledgerForTest();
  // Noon: no test meets midnight.
  test.clock.advance(1.5 * DAY_MS - (test.clock.nowMs() % DAY_MS));
  const directory = mkdtempSync(join(tmpdir(), 'anchors-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const failures: unknown[] = [];
  const anchoring = createAnchoring({
    ledger: test.ledger,
    store: createAnchorDirectory(directory),
    logger: { info: () => undefined, error: (told: unknown) => failures.push(told) },
  });
  const { query } = test.database;
  return {
    ...test,
    directory,
    failures,
    anchoring,
    pass: () => anchoring(PASS),
    tell: (id: string, what = 'x') => recordEvent(query, { kind: 'order', id, what }),
    day: () => new Date(test.clock.nowMs()).toISOString().slice(0, 10),
    names: () => readdirSync(directory).sort(),
    /** The items in a file, with their places. */
    heads: (name: string) =>
      readFileSync(join(directory, name), 'utf8')
        .trim()
        .split('\n')
        .slice(1, -1)
        .map((line) => JSON.parse(line))
        .map(({ item_id, place }): [string, number] => [item_id, place])
        .sort(([one], [other]) => Number(one > other) - Number(one < other)),
  };
}

it('the heads are anchored once a day, each day those that have changed since, with a day before for what commits late', async () => {
  const { pass, tell, clock, day, names, heads } = await world();
  await tell('a');
  await tell('a');
  await tell('b');
  const first = anchorName(1, day());
  expect(await pass()).toEqual({ anchored: 2 });
  expect(await pass()).toEqual({});
  expect(names()).toEqual([first]);
  expect(heads(first)).toEqual([
    ['a', 2],
    ['b', 1],
  ]);

  clock.advance(DAY_MS);
  await tell('b');
  const second = anchorName(2, day());
  expect(await pass()).toEqual({ anchored: 2 });
  expect(heads(second)).toEqual([
    ['a', 2],
    ['b', 2],
  ]);

  clock.advance(DAY_MS);
  await tell('c');
  const third = anchorName(3, day());
  expect(await pass()).toEqual({ anchored: 2 });
  expect(heads(third)).toEqual([
    ['b', 2],
    ['c', 1],
  ]);
  expect(names()).toEqual([first, second, third]);
});

it('an event that is committed after the day was anchored is in the file of the next one', async () => {
  const { pass, tell, clock, day, heads, database } = await world();
  await tell('before');
  await pass();
  clock.advance(DAY_MS);
  await pass();
  clock.advance(DAY_MS);
  await tell('a');
  await database.transaction(async (query) => {
    await recordEvent(query, { kind: 'order', id: 'late', what: 'x' });
    await tell('b');
    await pass();
    expect(heads(anchorName(3, day())).map(([id]) => id)).toEqual(['a', 'b']);
  });
  clock.advance(DAY_MS);
  await pass();
  expect(heads(anchorName(4, day())).map(([id]) => id)).toEqual(['a', 'b', 'late']);
});

it('a pass that has no time for all goes on where it was, on the same day', async () => {
  const { anchoring, pass, database, day, names, heads } = await world();
  await database.query(
    `INSERT INTO operation_events (item_kind, item_id, kind) SELECT 'order', 'item-' || g, 'x' FROM generate_series(1, 4500) AS g`,
  );
  let looked = 0;
  const short = { ...PASS, over: () => (looked++, looked > 1) };
  expect(await anchoring(short)).toEqual({ anchored: 2_000 });
  expect(await pass()).toEqual({ anchored: 2_500 });
  expect(await pass()).toEqual({});
  expect(names()).toEqual([anchorName(1, day()), anchorName(2, day())]);
  expect(new Set(names().flatMap((name) => heads(name).map(([id]) => id))).size).toBe(4_500);
});

it('two workers at once leave one file, and nothing of the other', async () => {
  const { tell, day, names, anchoring, failures } = await world();
  await tell('a');
  expect(await Promise.all([anchoring(PASS), anchoring(PASS)])).toEqual(expect.arrayContaining([{ anchored: 1 }, {}]));
  expect(names()).toEqual([anchorName(1, day())]);
  expect(failures).toEqual([]);
});

it('a directory that is not there, or a file that was changed, fails the pass and is told; the next one tries again', async () => {
  const { tell, clock, day, names, directory, pass, failures } = await world();
  await tell('a');
  rmSync(directory, { recursive: true });
  await expect(pass()).rejects.toThrow('ENOENT');
  mkdirSync(directory);
  expect(await pass()).toEqual({ anchored: 1 });
  const path = join(directory, anchorName(1, day()));
  const good = readFileSync(path, 'utf8');
  writeFileSync(path, good.replace('"complete":true', '"complete":fals'));
  clock.advance(DAY_MS);
  await expect(pass()).rejects.toThrow('was changed, and nothing is written after it');
  writeFileSync(path, good);
  expect(await pass()).toEqual({ anchored: 1 });
  expect(names()).toHaveLength(2);
  expect(failures).toHaveLength(2);
});

it('a day on which nothing happened has its file too', async () => {
  const { pass, clock, day, names, heads } = await world();
  expect(await pass()).toEqual({ anchored: 0 });
  clock.advance(DAY_MS);
  expect(await pass()).toEqual({ anchored: 0 });
  expect(names()).toHaveLength(2);
  expect(heads(anchorName(2, day()))).toEqual([]);
});
