import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createAnchoring } from '../../../../activities/sweeps/write-anchors.js';
import {
  anchorBefore,
  anchorEndOf,
  anchorName,
  anchorOf,
  createAnchorWriter,
} from '../../../../src/domain/proof/anchors.js';
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

/** The worlds of four days, each with an item of its own. */
async function fourDays() {
  const made = await world();
  for (const item of ['a', 'b', 'c', 'd']) {
    await made.tell(item);
    await made.pass();
    made.clock.advance(DAY_MS);
  }
  return made;
}

it.each([
  ['the last one', 1],
  ['the last three', 3],
  ['all', 4],
])('where anchors are gone the pass fails, and goes on once they are back: %s', async (_which, so) => {
  const { names, directory, pass, failures, day, tell } = await fourDays();
  const gone = names().slice(-so);
  for (const name of gone) renameSync(join(directory, name), join(directory, `${name}.bak`));
  await tell('e');
  await expect(pass()).rejects.toThrow(`${gone.at(-1)} was written and is not there`);
  expect(failures).toHaveLength(1);
  for (const name of gone) renameSync(join(directory, `${name}.bak`), join(directory, name));
  expect(await pass()).toEqual({ anchored: 2 });
  expect(names().at(-1)).toBe(anchorName(5, day()));
});

it.each([
  ['9999-12-31', 'is of a day that has not come'],
  [undefined, 'was written by no worker of this database'],
])('an anchor that no worker has written fails the pass, whatever day it names: %s', async (named, why) => {
  const { names, directory, pass, day, tell } = await fourDays();
  const last = readFileSync(join(directory, names().at(-1)!), 'utf8')
    .trimEnd()
    .split('\n')
    .at(-1)!;
  const end = anchorEndOf(last)!;
  const forged = { number: 5, day: named ?? day(), madeAt: `${day()}T00:00:00.000Z`, before: anchorBefore(end) };
  const writer = createAnchorWriter(forged);
  const path = join(directory, anchorName(5, forged.day));
  writeFileSync(path, writer.begin() + writer.end({ reached: end.reached, complete: true, earlier: end.reached }));
  await tell('e');
  await expect(pass()).rejects.toThrow(why);
  rmSync(path);
  expect(await pass()).toEqual({ anchored: 2 });
});

it.each([
  ['added below all of them', 'ALTER TABLE operation_events ALTER COLUMN seq SET MINVALUE -1000 RESTART WITH -1000'],
  ['added in a gap between them', 'ALTER TABLE operation_events ALTER COLUMN seq RESTART WITH 3'],
])('an event among those that are looked at no more fails the pass: %s', async (_how, meddle) => {
  const { pass, tell, database, clock } = await world();
  await tell('a');
  await tell('b');
  // Numbers that were given and never committed.
  await database.query(
    `SELECT nextval(pg_get_serial_sequence('operation_events', 'seq')) FROM generate_series(1, 1000)`,
  );
  for (const item of ['c', 'd', 'e']) {
    await tell(item);
    await pass();
    clock.advance(DAY_MS);
  }
  await database.query(meddle);
  await tell('unseen');
  await expect(pass()).rejects.toThrow('nothing is anchored any more');
});

it('an event that is taken from those that are looked at no more fails the pass', async () => {
  const { pass, database } = await fourDays();
  await database.transaction(async (query) => {
    await query('SET LOCAL session_replication_role = replica');
    await query(`DELETE FROM operation_events WHERE item_id = 'a'`);
  });
  await expect(pass()).rejects.toThrow('there are 2 events up to number');
});

it('a worker that dies before its file has its name, or before it could say so, holds nothing up', async () => {
  const { ledger, directory, pass, tell, names, day, database, clock } = await world();
  const store = createAnchorDirectory(directory);
  const dying = (changed: object) =>
    createAnchoring({ ledger, store, logger: { info: () => undefined, error: () => undefined }, ...changed })(PASS);
  await tell('a');
  const unnamed = {
    ...store,
    async write(_name: string, lines: AsyncIterable<string>) {
      for await (const line of lines) expect(line).toBeTypeOf('string');
      throw new Error('died');
    },
  };
  await expect(dying({ store: unnamed })).rejects.toThrow('died');
  expect(names()).toEqual([]);
  const unsaid = {
    ...ledger,
    markAnchor: (...[mark, step]: Parameters<typeof ledger.markAnchor>) =>
      step === 'written' ? Promise.reject(new Error('died')) : ledger.markAnchor(mark, step),
  };
  await expect(dying({ ledger: unsaid })).rejects.toThrow('died');
  expect(names()).toEqual([anchorName(1, day())]);
  expect(await pass()).toEqual({});
  clock.advance(DAY_MS);
  expect(await pass()).toEqual({ anchored: 1 });
  expect(await database.query('SELECT number::int, step FROM anchor_marks ORDER BY seq')).toEqual([
    { number: 1, step: 'meant' },
    { number: 1, step: 'meant' },
    { number: 1, step: 'written' },
    { number: 2, step: 'meant' },
    { number: 2, step: 'written' },
  ]);
});

it('anchors from before there were marks are gone on with, and a directory is begun anew when a person says so', async () => {
  const { pass, database, names, directory, day, heads } = await fourDays();
  await expect(database.query('DELETE FROM anchor_marks')).rejects.toThrow('append-only');
  await database.transaction(async (query) => {
    await query('SET LOCAL session_replication_role = replica');
    await query('DELETE FROM anchor_marks');
  });
  expect(await pass()).toEqual({ anchored: 1 });
  expect(anchorOf(names().at(-1)!)?.number).toBe(5);
  for (const name of names()) rmSync(join(directory, name));
  await expect(pass()).rejects.toThrow('was written and is not there');
  await database.query(
    `INSERT INTO anchor_marks (number, day, digest, step) VALUES (0, current_date::text, repeat('0', 64), 'written')`,
  );
  expect(await pass()).toEqual({ anchored: 4 });
  expect(heads(anchorName(1, day())).map(([item]) => item)).toEqual(['a', 'b', 'c', 'd']);
});
