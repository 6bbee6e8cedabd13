import fc from 'fast-check';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { BEFORE_FIRST, brokenLink, type ChainedEvent, digestAfter } from '../../../../src/domain/proof/chain.js';
import { createDatabase } from '../../../../src/ledger/database.js';
import { migrate } from '../../../../src/ledger/migrate.js';
import { createEventChains } from '../../../../src/ledger/proof/event-chains.js';
import { recordEvent } from '../../../../src/ledger/transition.js';
import { createTestDatabase } from '../../../support/database.js';
import { ledgerForFile, type TestLedger } from '../../../support/ledger-fixtures.js';
import { anyMoment, anyText } from '../../../support/proof.js';

const test = await ledgerForFile();

/** The chain of one item as it stands, and what the walk over all of them finds. */
async function chainOf(kind: string, id: string, { database }: Pick<TestLedger, 'database'> = test) {
  const events: ChainedEvent[] = [];
  await createEventChains(database).exportEvents({ items: [{ kind, id }] }, (page) => {
    events.push(...page);
    return Promise.resolve();
  });
  return events;
}
const broken = (events: readonly ChainedEvent[]) =>
  events.flatMap((event, nth) => brokenLink(event, events[nth - 1]) ?? []);

const anyNumber = fc.constantFrom('0', '-1', '1.50', '12345678901234567890123456789.000001', '1e3', '-0.0', '1E-7');
const { detail: anyDetail } = fc.letrec<{ detail: string; value: string }>((tie) => ({
  detail: fc.dictionary(anyText, tie('value'), { maxKeys: 4 }).map(
    (members) =>
      `{${Object.entries(members)
        .map(([name, value]) => `${JSON.stringify(name)}:${value}`)
        .join(',')}}`,
  ),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('null', 'true', 'false', '""'),
    anyNumber,
    anyText.map((text) => JSON.stringify(text)),
    fc.array(tie('value'), { maxLength: 3 }).map((values) => `[${values.join(',')}]`),
    tie('detail'),
  ),
}));

describe('the chain of an item', () => {
  it('has the digests that are computed without Postgres, whatever its events hold and however the session writes', async () => {
    const client = new Client({ connectionString: test.url });
    await client.connect();
    await client.query(`SET TIME ZONE 'Asia/Kathmandu'; SET DateStyle = 'SQL, DMY'; SET extra_float_digits = -3`);
    const anyRow = fc.record({
      at: anyMoment,
      kind: anyText,
      certainty: fc.option(anyText),
      idempotency_key: fc.option(anyText),
      answer_class: fc.option(anyText),
      detail: anyDetail,
    });
    let item = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow, { minLength: 1, maxLength: 3 }), anyText, async (rows, name) => {
        item += 1;
        const item_id = `${item} ${name}`;
        let before = BEFORE_FIRST;
        for (const [nth, row] of rows.entries()) {
          const { rows: written } = await client.query<{ seq: string; place: string; digest: string; detail: string }>(
            `INSERT INTO operation_events (item_kind, item_id, at, kind, certainty, idempotency_key, answer_class, detail)
             VALUES ('order', $1, $2::timestamp AT TIME ZONE 'UTC', $3, $4, $5, $6, $7)
             RETURNING seq, place, encode(digest, 'hex') AS digest, detail::text AS detail`,
            [item_id, row.at, row.kind, row.certainty, row.idempotency_key, row.answer_class, row.detail],
          );
          const [{ seq, place, digest, detail } = { seq: '', place: '', digest: '', detail: '' }] = written;
          const event = { ...row, item_kind: 'order', item_id, seq, place: nth + 1, detail };
          expect({ place, digest }).toEqual({ place: String(nth + 1), digest: digestAfter(before, event) });
          before = digest;
        }
        const events = await chainOf('order', item_id);
        expect(events.map(({ at }) => at)).toEqual(rows.map(({ at }) => at));
        expect(broken(events)).toEqual([]);
      }),
      { numRuns: 60 },
    );
    await client.end();
  });

  it('is written by Postgres, whatever a writer says of place and digest, and by one statement for many events', async () => {
    await test.database.query(
      `INSERT INTO operation_events (item_kind, item_id, kind, place, digest)
       SELECT 'order', 'told-' || g % 2, 'x', 77, decode(repeat('ff', 32), 'hex') FROM generate_series(1, 9) AS g ORDER BY g`,
    );
    const events = await chainOf('order', 'told-1');
    expect(events.map(({ place }) => place)).toEqual([1, 2, 3, 4, 5]);
    expect(broken(events)).toEqual([]);
    await expect(
      test.database.query(`UPDATE operation_events SET detail = '{}' WHERE item_id = 'told-1'`),
    ).rejects.toThrow('append-only');
  });

  it('never forks, and nobody waits in a circle, when many write to the same items at once', async () => {
    const { database } = test;
    const items = ['a', 'b', 'c'];
    await Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let round = 0; round < 6; round += 1)
          await database.transaction(async (query) => {
            await query(
              `INSERT INTO operation_events (item_kind, item_id, kind) SELECT 'refund', id, 'batch' FROM unnest($1::text[]) AS id ORDER BY id`,
              [items],
            );
            await recordEvent(query, { kind: 'refund', id: 'c', what: 'one', detail: { writer, round } });
          });
      }),
    );
    for (const [item, count] of [
      ['a', 48],
      ['b', 48],
      ['c', 96],
    ] as const) {
      const events = await chainOf('refund', item);
      expect(events.map(({ place }) => place)).toEqual(Array.from({ length: count }, (_, nth) => nth + 1));
      expect(broken(events)).toEqual([]);
    }
  });

  it('loses no place to a transaction that was rolled back', async () => {
    const { database } = test;
    const write = (what: string) => recordEvent(database.query, { kind: 'payment', id: 'p', what });
    await write('first');
    await expect(
      database.transaction(async (query) => {
        await recordEvent(query, { kind: 'payment', id: 'p', what: 'never' });
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    await write('second');
    const events = await chainOf('payment', 'p');
    expect(events.map(({ kind, place }) => [kind, place])).toEqual([
      ['first', 1],
      ['second', 2],
    ]);
    expect(broken(events)).toEqual([]);
  });

  it('holds the events from before there were chains, in their order, and goes on after them', async () => {
    const { url, drop } = await createTestDatabase('empty');
    await migrate(url, { to: 55 });
    const database = createDatabase({ url });
    try {
      await database.query(
        `INSERT INTO operation_events (item_kind, item_id, kind, detail)
         SELECT 'settlement', 'old-' || g % 3, 'x', jsonb_build_object('nth', g, 'ü', 1.50) FROM generate_series(1, 3000) AS g ORDER BY g`,
      );
      await migrate(url);
      await recordEvent(database.query, { kind: 'settlement', id: 'old-1', what: 'new' });
      const events = await chainOf('settlement', 'old-1', { database });
      expect(events).toHaveLength(1_001);
      expect(events.map(({ seq }) => Number(seq))).toEqual(events.map(({ seq }) => Number(seq)).sort((a, b) => a - b));
      expect(broken(events)).toEqual([]);
      await expect(database.query('DELETE FROM operation_events')).rejects.toThrow('append-only');
    } finally {
      await database.close();
      await drop();
    }
  });
});
