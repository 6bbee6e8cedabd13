import fc from 'fast-check';
import { BEFORE_FIRST, type ChainedEvent, digestAfter } from '../../src/domain/proof/chain.js';
import { createPackWriter, type PackedEvent, type PackHead } from '../../src/domain/proof/pack.js';

/** Text as Postgres can hold it. */
export const anyText = fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replaceAll('\u0000', ''));

export type NewChainedEvent = Omit<ChainedEvent, 'item_kind' | 'item_id' | 'place' | 'digest'>;

const micros = fc.integer({ min: 0, max: 999_999 }).map((part) => {
  const digits = String(part).padStart(6, '0').replace(/0+$/, '');
  return digits === '' ? '' : `.${digits}`;
});
/** As Postgres writes it in JSON. */
export const anyMoment = fc
  .tuple(
    fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true }),
    micros,
  )
  .map(([date, part]) => `${date.toISOString().slice(0, 19)}${part}`);

/** Facts of one event, its detail as Postgres would write it. */
export const anyEvent: fc.Arbitrary<NewChainedEvent> = fc.record({
  seq: fc.bigInt({ min: 1n, max: 2n ** 62n }).map(String),
  at: anyMoment,
  kind: anyText,
  certainty: fc.option(anyText),
  idempotency_key: fc.option(anyText),
  answer_class: fc.option(anyText),
  detail: fc.constantFrom(
    '{}',
    '{"amount": 123456789012345678901234567890.10}',
    '{"a": [1, {"b": null}], "ü": "\\u0001"}',
  ),
});

/** Events of an item, each with the digest after the one before it, from `place` on. */
export function chainOf(item: string, events: readonly NewChainedEvent[]): PackedEvent[] {
  let before = BEFORE_FIRST;
  return events.map((event, nth) => {
    const row = { ...event, item_kind: 'settlement', item_id: item, place: nth + 1 };
    const digest = digestAfter(before, row);
    const packed = { ...row, digest, before };
    before = digest;
    return packed;
  });
}

/** The lines of a pack, without their line breaks. */
export function packOf(events: readonly PackedEvent[], head: Partial<PackHead> = {}): string[] {
  const writer = createPackWriter({ items: [], from: null, to: null, madeAt: '2026-11-30T00:00:00.000Z', ...head });
  const text = [writer.begin(), ...events.map((event) => writer.record(event)), writer.end()].join('');
  return text.trimEnd().split('\n');
}
