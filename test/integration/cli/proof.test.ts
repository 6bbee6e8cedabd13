import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAnchoring } from '../../../activities/sweeps/write-anchors.js';
import { CommandRefused } from '../../../src/cli/context.js';
import { anchorEndOf, anchorName, createAnchorWriter } from '../../../src/domain/proof/anchors.js';
import { createAnchorDirectory } from '../../../src/providers/anchors/anchor-directory.js';
import { aSettlement } from '../../support/ledger-fixtures.js';
import { type MarketplaceCli, openMarketplaceCli } from '../../support/marketplace/cli.js';

const DAY_MS = 86_400_000;
const PASS = { over: () => false, sleep: () => Promise.resolve() };
const silent = () => undefined;

let terminal: MarketplaceCli;
let folder: string;
let nth = 0;
beforeAll(async () => {
  terminal = await openMarketplaceCli();
  folder = mkdtempSync(join(tmpdir(), 'proof-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await terminal.close();
});

const makegood = (...args: readonly string[]) => terminal.makegood(...args);
const json = (...args: readonly string[]) => terminal.json(...args);
const fresh = () => {
  nth += 1;
  return join(folder, `pack-${nth}.jsonl`);
};
/** What a command that fails has told: as JSON, and as its last words. */
async function refused(...args: readonly string[]) {
  const words = await makegood(...args, '--json').then(
    () => 'it did not fail',
    (error: Error) => {
      if (!(error instanceof CommandRefused)) throw error;
      return error.message;
    },
  );
  return { words, told: JSON.parse(terminal.out.join('')) };
}

/** A settlement with so many events. */
async function aStory(events = 4): Promise<string> {
  const settlement = aSettlement();
  await terminal.test.ledger.createSettlement(settlement);
  for (let more = 1; more < events; more += 1)
    await terminal.test.database.query(
      `INSERT INTO operation_events (item_kind, item_id, kind, detail) VALUES ('settlement', $1, 'answered', $2)`,
      [settlement.id, JSON.stringify({ more })],
    );
  return settlement.id;
}

/** As somebody who owns the database: no trigger stops him. */
const asOwner = (statement: string, values: readonly unknown[]) =>
  terminal.test.database.transaction(async (query) => {
    await query('SET LOCAL session_replication_role = replica');
    await query(statement, values);
  });
/** What he did is undone, so that the next test finds everything right. */
async function meddled(id: string, statement: string, look: () => Promise<void>): Promise<void> {
  await asOwner('CREATE TABLE kept AS SELECT * FROM operation_events WHERE item_id = $1', [id]);
  await asOwner(statement, [id]);
  try {
    await look();
  } finally {
    await asOwner('DELETE FROM operation_events WHERE item_id = $1', [id]);
    await asOwner('INSERT INTO operation_events OVERRIDING SYSTEM VALUE SELECT * FROM kept', []);
    await asOwner('DROP TABLE kept', []);
  }
}

describe('makegood export', () => {
  it('writes the chain of one item, and verify says that it is as it was', async () => {
    const id = await aStory(3);
    const lines = (await makegood('export', id)).split('\n');
    expect(lines.map((line) => Object.keys(JSON.parse(line))[0])).toEqual([
      'makegood',
      ...Array(3).fill('record'),
      'summary',
    ]);
    expect(JSON.parse(lines[0]!)).toMatchObject({ makegood: 'proof', version: 1, items: [`settlement/${id}`] });
    expect(JSON.parse(lines[1]!)).toMatchObject({ item_id: id, place: 1, kind: 'received', before: '0'.repeat(64) });
    expect(JSON.parse(lines[4]!)).toMatchObject({ records: 3, items: 1 });
    const file = fresh();
    await makegood('export', id, '--out', file);
    expect(terminal.err).toEqual([`3 events of 1 item written to ${file}`]);
    expect(await makegood('verify', file)).toContain('3 events of 1 item are as they were written');
    expect(await json('verify', file)).toMatchObject({ ok: true, records: 3, items: 1, first: null });
  });

  it('writes all that came of an order, by any name it has', async () => {
    const order = await terminal.put();
    const [payment] = await terminal.test.database.query<{ id: string }>(
      'SELECT id FROM payments WHERE order_id = $1',
      [order.id],
    );
    const items = [
      ['reversal', order.reversals[1]?.id],
      ['order', order.id],
      ['payment', payment?.id],
      ['refund', order.refunds[0]?.id],
      ['order', order.id],
      ['order', 'another'],
    ];
    for (const [kind, id] of items)
      await terminal.test.database.query(
        `INSERT INTO operation_events (item_kind, item_id, kind) VALUES ($1, $2, 'x')`,
        [kind, id],
      );
    const file = fresh();
    const told = await json('export', order.id, '--out', file);
    const packed = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const kinds = new Set(packed.map(({ item_kind: kind }) => kind).filter(Boolean));
    expect([...kinds]).toEqual(['order', 'payment', 'refund', 'reversal']);
    expect(packed[0].items).toContain(`reversal/${order.reversals[1]?.id}`);
    expect(told).toMatchObject({ file, records: 5, items: 4 });
    expect(packed).toHaveLength(7);
    expect(await json('verify', file)).toMatchObject({ ok: true });
  });

  it('writes a period, whose chains begin where they were on that day', async () => {
    const id = await aStory(2);
    terminal.test.clock.advance(2 * DAY_MS);
    const from = new Date(terminal.test.clock.nowMs() - 60_000).toISOString();
    await terminal.test.database.query(
      `INSERT INTO operation_events (item_kind, item_id, kind) VALUES ('settlement', $1, 'later'), ('provider', 'stripe', 'parked')`,
      [id],
    );
    const file = fresh();
    await makegood('export', '--from', from, '--out', file);
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line)).map(({ item_kind, place }) => [item_kind, place])).toEqual([
      [undefined, undefined],
      ['provider', 1],
      ['settlement', 3],
      [undefined, undefined],
    ]);
    expect(await json('verify', file)).toMatchObject({ ok: true, records: 2 });
    expect(await makegood('export', 'provider/stripe')).toContain('"kind":"parked"');
    const before = fresh();
    await makegood('export', '--to', from, '--out', before);
    expect(await json('verify', before)).toMatchObject({ ok: true });
  });

  it('writes over no file, and wants one thing named', async () => {
    const file = fresh();
    await makegood('export', '--from', '2026-01-01', '--out', file);
    await expect(makegood('export', '--from', '2026-01-01', '--out', file)).rejects.toThrow(CommandRefused);
    await expect(makegood('export')).rejects.toThrow(CommanderError);
    await expect(makegood('export', 'some-id', '--from', '2026-01-01')).rejects.toThrow(CommanderError);
    await expect(makegood('export', 'nothing/here')).rejects.toThrow('nothing has the id');
    for (const name of ['seller/acct_quiet', 'webhook/stripe/evt_none'])
      await expect(makegood('export', name)).rejects.toThrow(`nothing has happened to ${name} that is kept`);
    await expect(makegood('verify')).rejects.toThrow(CommanderError);
    await expect(makegood('verify', file, '--database')).rejects.toThrow(CommanderError);
  });

  it('is found out at the record that somebody changed', async () => {
    const file = fresh();
    const id = await aStory(3);
    await makegood('export', id, '--out', file);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"more": 1', '"more": 2'));
    const { words, told } = await refused('verify', file);
    expect(words).toContain(`line 3, record 2, settlement/${id} event 2: changed`);
    expect(told).toMatchObject({ ok: false, records: 1, first: { problem: 'changed', record: 2, place: 2 } });
    await expect(makegood('verify', join(folder, 'none'))).rejects.toThrow('cannot be read');
  });
});

describe('makegood verify --database', () => {
  let id: string;
  beforeEach(async () => {
    id = await aStory(4);
  });
  const verify = () => refused('verify', '--database');

  it('finds every chain right, and says what it cannot see without anchors', async () => {
    expect(await makegood('verify', '--database')).toContain('are as they were written; compared with no anchor');
    expect(terminal.err.join('\n')).toContain('without --anchors');
    expect(await json('verify', '--database')).toMatchObject({ ok: true, broken: 0, first: null });
  });

  it.each([
    ['another detail', `detail = '{"more": 9}'`],
    ['another time', `at = at + interval '1 microsecond'`],
    ['another name', `kind = 'settled'`],
    ['a certainty', `certainty = 'done'`],
    ['another key', `idempotency_key = coalesce(idempotency_key, '') || 'x'`],
    ['another answer', `answer_class = 'ok'`],
    ['another number', `seq = DEFAULT`],
    ['another digest', `digest = sha256(digest)`],
  ])('names the first event that the owner of the database gave %s', async (_what, set) => {
    await meddled(id, `UPDATE operation_events SET ${set} WHERE item_id = $1 AND place IN (2, 4)`, async () => {
      const { words, told } = await verify();
      expect(told).toMatchObject({
        ok: false,
        broken: 1,
        first: { problem: 'changed', item: `settlement/${id}`, place: 2 },
      });
      expect(words).toContain(`settlement/${id} event 2`);
    });
  });

  it('names the first event that he took away, from the beginning or the middle', async () => {
    for (const place of [1, 3])
      await meddled(id, `DELETE FROM operation_events WHERE item_id = $1 AND place = ${place}`, async () => {
        expect((await verify()).told.first).toMatchObject({ problem: 'missing', item: `settlement/${id}`, place });
      });
  });

  it('names an event that he added', async () => {
    const added = `INSERT INTO operation_events (item_kind, item_id, kind, place, digest)
      SELECT 'settlement', $1, 'settled', 5, sha256('made up')`;
    await meddled(id, added, async () => {
      expect((await verify()).told.first).toMatchObject({ problem: 'changed', item: `settlement/${id}`, place: 5 });
    });
  });
});

describe('with anchors', () => {
  /** Another directory than before: a person says so. */
  async function newDirectory(): Promise<string> {
    await terminal.test.database.query(
      `INSERT INTO anchor_marks (number, day, digest, step) VALUES (0, current_date::text, repeat('0', 64), 'written')`,
    );
    return mkdtempSync(join(folder, 'anchors-'));
  }
  const anchoring = (directory: string) =>
    createAnchoring({
      ledger: terminal.test.ledger,
      store: createAnchorDirectory(directory),
      logger: { info: silent, error: silent },
    });

  it('a chain that was cut off, or written anew, is found by the day on which it was another', async () => {
    const directory = await newDirectory();
    const id = await aStory(4);
    await anchoring(directory)(PASS);
    const [name] = readdirSync(directory);
    const verify = () => refused('verify', '--database', '--anchors', directory);
    expect(await makegood('verify', '--database', '--anchors', directory)).toContain('heads in 1 anchor agree');

    await meddled(id, 'DELETE FROM operation_events WHERE item_id = $1 AND place >= 3', async () => {
      expect((await verify()).told.first).toMatchObject({
        problem: 'missing',
        item: `settlement/${id}`,
        place: 3,
        anchor: name,
      });
    });
    await meddled(id, 'DELETE FROM operation_events WHERE item_id = $1', async () => {
      expect((await verify()).told.first).toMatchObject({ problem: 'missing', item: `settlement/${id}`, place: 1 });
    });
    const forged = `WITH RECURSIVE meant AS (
        SELECT e, CASE WHEN place = 2 THEN '{"more": 9}' ELSE detail END AS said FROM operation_events e WHERE item_id = $1
      ), anew AS (
        SELECT 0::bigint AS place, decode(repeat('0', 64), 'hex') AS digest
        UNION ALL SELECT a.place + 1, sha256(a.digest || convert_to(event_text(jsonb_populate_record((m.e), jsonb_build_object('detail', m.said)), a.place + 1), 'UTF8'))
        FROM anew a JOIN meant m ON (m.e).place = a.place + 1
      ) UPDATE operation_events o SET digest = a.digest, detail = m.said FROM anew a JOIN meant m ON (m.e).place = a.place
        WHERE o.seq = (m.e).seq`;
    await meddled(id, forged, async () => {
      expect(await json('verify', '--database')).toMatchObject({ ok: true });
      expect((await verify()).told.first).toMatchObject({ problem: 'changed', item: `settlement/${id}`, anchor: name });
    });
    expect(await json('verify', '--database', '--anchors', directory)).toMatchObject({ ok: true });
  });

  it('an anchor that was changed, renamed or taken away is named itself, and the setting is asked where none is given', async () => {
    const directory = await newDirectory();
    terminal.env['AUDIT_ANCHOR_DIR'] = directory;
    try {
      await expect(makegood('verify', '--database')).rejects.toThrow('there is no anchor');
      for (let day = 0; day < 3; day += 1) {
        await aStory(2);
        await anchoring(directory)(PASS);
        terminal.test.clock.advance(DAY_MS);
      }
      const names = readdirSync(directory).sort();
      expect(names).toHaveLength(3);
      expect(await json('verify', '--database')).toMatchObject({ ok: true, anchors: { files: 3 } });
      const path = join(directory, names[1]!);
      const good = readFileSync(path);
      const first = async () => (await refused('verify', '--database')).told.first;
      for (let at = 0; at < good.length; at += Math.max(1, Math.floor(good.length / 12))) {
        const bytes = Buffer.from(good);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        writeFileSync(path, bytes);
        expect(await first()).toMatchObject({ problem: 'changed', item: null, anchor: names[1] });
      }
      rmSync(path);
      expect(await first()).toMatchObject({ anchor: names[2], detail: expect.stringContaining('number 2 is missing') });
    } finally {
      delete terminal.env['AUDIT_ANCHOR_DIR'];
    }
  });

  /** So many days, each with an item and its file. */
  async function days(so: number, directory: string): Promise<void> {
    for (let day = 0; day < so; day += 1) {
      await aStory(2);
      await anchoring(directory)(PASS);
      terminal.test.clock.advance(DAY_MS);
    }
  }
  const whole = (directory: string) => json('verify', '--database', '--anchors', directory);
  const broken = async (directory: string) =>
    (await refused('verify', '--database', '--anchors', directory)).told.findings;

  it('the last anchors are missed, dropped or renamed, and named', async () => {
    const directory = await newDirectory();
    await days(3, directory);
    expect(await whole(directory)).toMatchObject({ ok: true });
    const [, second, third] = readdirSync(directory).sort();
    renameSync(join(directory, second!), join(directory, `${second}.bak`));
    renameSync(join(directory, third!), join(directory, `${third}.bak`));
    expect(await broken(directory)).toMatchObject([
      { anchor: third, item: null, detail: expect.stringContaining('dropped or renamed') },
    ]);
  });

  it('a directory that was emptied is missed by the name of the last anchor', async () => {
    const directory = await newDirectory();
    await days(2, directory);
    const names = readdirSync(directory).sort();
    for (const name of names) rmSync(join(directory, name));
    expect(await broken(directory)).toMatchObject([
      { anchor: names[1], item: null, detail: expect.stringContaining('was written and is not there') },
    ]);
  });

  it('an anchor that no worker has written is named, of a day to come or of today', async () => {
    const directory = await newDirectory();
    await days(2, directory);
    const text = readFileSync(join(directory, readdirSync(directory).sort().at(-1)!), 'utf8');
    const end = anchorEndOf(text.trimEnd().split('\n').at(-1)!)!;
    const today = new Date(terminal.test.clock.nowMs()).toISOString().slice(0, 10);
    for (const [day, why] of [
      ['9999-12-31', 'has not come'],
      [today, 'by no worker'],
    ] as const) {
      const writer = createAnchorWriter({ number: 3, day, madeAt: `${day}T00:00:00.000Z`, before: end.digest });
      const path = join(directory, anchorName(3, day));
      writeFileSync(path, writer.begin() + writer.end({ reached: end.reached, complete: true, earlier: end.reached }));
      expect(await broken(directory)).toMatchObject([
        { anchor: anchorName(3, day), detail: expect.stringContaining(why) },
      ]);
      rmSync(path);
    }
    expect(await whole(directory)).toMatchObject({ ok: true });
  });

  it('a directory that nothing was written into for two days is no proof of today', async () => {
    const directory = await newDirectory();
    await days(1, directory);
    expect(await whole(directory)).toMatchObject({ ok: true });
    terminal.test.clock.advance(DAY_MS);
    expect(await broken(directory)).toMatchObject([{ detail: expect.stringContaining('nothing was anchored since') }]);
  });

  it.each([
    ['', 'as it is'],
    ["ALTER COLUMN at SET DEFAULT '9999-12-31'", 'of a day to come'],
  ])('a chain that is older than a day and in no anchor is named: %s %s', async (also) => {
    const directory = await newDirectory();
    await days(3, directory);
    const { query } = terminal.test.database;
    // As no worker would: one goes on as if it had seen all.
    const skipped = createAnchoring({
      ledger: { ...terminal.test.ledger, changedHeads: () => Promise.resolve({ heads: [], reached: undefined }) },
      store: createAnchorDirectory(directory),
      logger: { info: silent, error: silent },
    });
    if (also !== '') await query(`ALTER TABLE operation_events ${also}`);
    try {
      const id = await aStory(2);
      await skipped(PASS);
      terminal.test.clock.advance(DAY_MS);
      if (also === '') expect(await whole(directory)).toMatchObject({ ok: true });
      await skipped(PASS);
      terminal.test.clock.advance(DAY_MS);
      await skipped(PASS);
      expect(await broken(directory)).toMatchObject([{ problem: 'not_anchored', item: `settlement/${id}`, place: 2 }]);
    } finally {
      if (also !== '') await query('ALTER TABLE operation_events ALTER COLUMN at SET DEFAULT clock_now()');
    }
  });
});
