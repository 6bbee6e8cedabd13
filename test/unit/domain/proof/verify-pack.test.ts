import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rawLines } from '../../../../src/cli/raw-lines.js';
import { sealedLine } from '../../../../src/domain/proof/sealed-line.js';
import { type PackVerdict, verifyPack } from '../../../../src/domain/proof/verify-pack.js';
import { anyEvent, chainOf, packOf } from '../../../support/proof.js';

const verified = (bytes: Uint8Array): Promise<PackVerdict> =>
  verifyPack(
    rawLines(
      (async function* () {
        yield* [bytes.subarray(0, 7), bytes.subarray(7)];
      })(),
    ),
  );
const bytesOf = (lines: readonly string[]) => Buffer.from(`${lines.join('\n')}\n`);
const findingOf = async (lines: readonly string[]) => (await verified(bytesOf(lines))).finding;

const anyChains = fc
  .array(fc.array(anyEvent, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 })
  .map((items) => items.flatMap((events, nth) => chainOf(`item-${nth}`, events)));

const someEvents = (count: number, item = 'a') =>
  chainOf(
    item,
    Array.from({ length: count }, (_, nth) => ({
      seq: String(nth + 1),
      at: '2026-11-30T07:10:06.123456',
      kind: 'sent',
      certainty: null,
      idempotency_key: 'key',
      answer_class: null,
      detail: `{"nth": ${nth}}`,
    })),
  );

describe('a proof pack', () => {
  it('is right as it was written, whatever happened', async () => {
    await fc.assert(
      fc.asyncProperty(anyChains, async (events) => {
        const verdict = await verified(bytesOf(packOf(events)));
        expect(verdict).toMatchObject({ records: events.length, finding: undefined });
        expect(verdict.items).toBe(new Set(events.map(({ item_id }) => item_id)).size);
      }),
    );
  });

  it('fails at the very record of which any byte was changed, wherever it stands', async () => {
    await fc.assert(
      fc.asyncProperty(anyChains, fc.nat(), fc.integer({ min: 1, max: 255 }), async (events, where, by) => {
        const bytes = bytesOf(packOf(events));
        const at = where % bytes.length;
        const line = bytes.subarray(0, at).filter((byte) => byte === 0x0a).length + 1;
        bytes[at] = (bytes[at] ?? 0) ^ by;
        const { finding } = await verified(bytes);
        expect(finding).toMatchObject({ line });
        const isRecord = line > 1 && line <= events.length + 1;
        expect(finding?.record ?? null).toBe(isRecord ? line - 1 : line === 1 ? null : (finding?.record ?? null));
      }),
      { numRuns: 500 },
    );
  });

  it('fails at every position of a small one, for another digit, letter and line break', async () => {
    const good = bytesOf(packOf(someEvents(3)));
    for (let at = 0; at < good.length; at += 1) {
      for (const other of ['0', '7', 'x', '"', '\n', ' ', '}']) {
        const bytes = Buffer.from(good);
        bytes[at] = other.charCodeAt(0);
        if (bytes.equals(good)) continue;
        const line = good.subarray(0, at).filter((byte) => byte === 0x0a).length + 1;
        expect((await verified(bytes)).finding, `${at}: ${other}`).toMatchObject({ line });
      }
    }
  });

  it('names the record that is missing, once more there, or elsewhere', async () => {
    const lines = packOf([...someEvents(4, 'a'), ...someEvents(3, 'b')]);
    const without = (...numbers: number[]) => lines.filter((_, nth) => !numbers.includes(nth));
    expect(await findingOf(without(3))).toMatchObject({
      problem: 'missing',
      record: 3,
      item: 'settlement/a',
      place: 3,
    });
    expect(await findingOf(without(2, 3))).toMatchObject({ problem: 'missing', record: 2, place: 2 });
    expect(await findingOf(without(4))).toMatchObject({ problem: 'missing', record: 4 });
    expect(await findingOf(without(5))).toMatchObject({ problem: 'missing', record: 5 });
    expect(await findingOf(without(7))).toMatchObject({ problem: 'missing', record: 7 });
    expect(await findingOf(without(8))).toMatchObject({ problem: 'missing', record: 8 });
    const twice = [...lines.slice(0, 4), ...lines.slice(3)];
    expect(await findingOf(twice)).toMatchObject({ problem: 'added', record: 4, line: 5 });
    const swapped = [...lines.slice(0, 2), lines[3]!, lines[2]!, ...lines.slice(4)];
    expect(await findingOf(swapped)).toMatchObject({ problem: 'out_of_order', record: 2, line: 3 });
    expect(await findingOf([...lines, lines[3]!])).toMatchObject({ problem: 'added', record: null });
    expect((await verified(Buffer.alloc(0))).finding).toMatchObject({ problem: 'missing', line: 1 });
  });

  it('is found out where records were left out and the rest was numbered and summed up anew', async () => {
    const [a, b] = [someEvents(4, 'a'), someEvents(3, 'b')];
    expect(await findingOf(packOf([...a.filter(({ place }) => place !== 3), ...b]))).toMatchObject({
      problem: 'missing',
      record: 3,
      place: 3,
    });
    expect(await findingOf(packOf([...a.slice(1), ...b]))).toMatchObject({ problem: 'missing', record: 1, place: 1 });
    expect(await findingOf(packOf([...b, ...a]))).toMatchObject({ problem: 'out_of_order', record: 4 });
    const forged = a.map((event) => (event.place === 2 ? { ...event, detail: '{"nth": 9}' } : event));
    expect(await findingOf(packOf(forged))).toMatchObject({
      problem: 'changed',
      record: 2,
      item: 'settlement/a',
      place: 2,
    });
  });

  it('that was cut off anywhere is not whole', async () => {
    const good = bytesOf(packOf(someEvents(3)));
    for (let length = 0; length < good.length; length += 1) {
      const { finding, records } = await verified(good.subarray(0, length));
      expect(finding?.problem, `${length} bytes`).toBe('missing');
      expect(records).toBe(Math.max(0, good.subarray(0, length).filter((byte) => byte === 0x0a).length - 1));
    }
  });

  it('of a period begins in the middle of chains, and holds what follows to the digest before it', async () => {
    const period = { from: '2026-11-01T00:00:00.000Z', to: null };
    const [a, b] = [someEvents(4, 'a').slice(2), someEvents(3, 'b')];
    expect(await findingOf(packOf([...a, ...b], period))).toBe(undefined);
    const early = a.map((event, nth) => (nth === 0 ? { ...event, before: 'f'.repeat(64) } : event));
    expect(await findingOf(packOf([...early, ...b], period))).toMatchObject({ problem: 'changed', record: 1 });
    const cut = packOf([...a, b[0]!, b[2]!], period);
    expect(await findingOf(cut)).toMatchObject({ problem: 'missing', record: 4, item: 'settlement/b', place: 2 });
  });

  it('of another version says so instead of being judged', async () => {
    const lines = packOf(someEvents(1));
    const newer = sealedLine({ makegood: 'proof', version: 2, items: [], from: null, to: null, made_at: '' });
    expect(await findingOf([newer, ...lines.slice(1)])).toMatchObject({ detail: expect.stringContaining('version 2') });
  });
});
