import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CERTAINTIES } from '../../../../src/domain/calls/certainty.js';
import { paymentKey, refundKey, reversalKey, transferKey } from '../../../../src/domain/calls/idempotency-keys.js';
import { KEY_FORGOTTEN_MS, keyUse, looksFirst } from '../../../../src/domain/calls/key-age.js';
import { newOrderId, newRefundId, newTransferId, type RefundId, type TransferId } from '../../../../src/domain/ids.js';
import { reversalId } from '../../../../src/domain/marketplace/reversal-id.js';
import { MINUTE_MS } from '../../../support/durations.js';

const at = (hours: number, minutes: number): number => (hours * 60 + minutes) * MINUTE_MS;
const NOW_MS = Date.UTC(2026, 10, 21);

describe('an idempotency key', () => {
  it('is the business id itself, and says its generation from the second on', () => {
    const [order, refund, transfer] = [newOrderId(NOW_MS), newRefundId(NOW_MS), newTransferId(NOW_MS)];
    const reversal = reversalId(refund, transfer);
    expect(paymentKey(order)).toBe(order);
    expect(refundKey(refund)).toBe(refund);
    expect(transferKey(transfer, 1)).toBe(transfer);
    expect(transferKey(transfer, 2)).toBe(`${transfer}:g2`);
    expect(reversalKey(reversal, 1)).toBe(reversal);
    expect(reversalKey(reversal, 12)).toBe(`${reversal}:g12`);
  });

  it('is never empty, never longer than Stripe takes, and never the same for two generations or two items', () => {
    const generations = fc.uniqueArray(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), {
      minLength: 2,
      maxLength: 9,
    });
    fc.assert(
      fc.property(generations, (list) => {
        const refund = newRefundId(NOW_MS);
        const transfers = [newTransferId(NOW_MS), newTransferId(NOW_MS)];
        const keys = transfers.flatMap((transfer) =>
          list.flatMap((generation) => [
            transferKey(transfer, generation),
            reversalKey(reversalId(refund, transfer), generation),
          ]),
        );
        expect(new Set(keys).size).toBe(keys.length);
        for (const key of keys) expect(key.trim().length).toBeGreaterThan(35);
        for (const key of keys) expect(key.length).toBeLessThanOrEqual(255);
      }),
    );
  });

  it('has no generation before the first', () => {
    const transfer = newTransferId(NOW_MS);
    for (const generation of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => transferKey(transfer, generation)).toThrow('counted from 1');
  });
});

describe('the id of a reversal', () => {
  const refund = '01932f3a-0000-7000-8000-000000000001' as RefundId;
  const transfer = '01932f3a-0000-7000-8000-00000000000a' as TransferId;

  it('is pinned: a build that derived another one would reverse a second time', () => {
    expect(reversalId(refund, transfer)).toBe('1a94231e-581d-842d-9a79-8d75ea095e06');
  });

  it('is a UUIDv8, the same for the same refund and transfer and no other', () => {
    const ids = new Set<string>();
    for (let count = 0; count < 200; count += 1) {
      const [oneRefund, oneTransfer] = [newRefundId(NOW_MS), newTransferId(NOW_MS)];
      const id = reversalId(oneRefund, oneTransfer);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(reversalId(oneRefund, oneTransfer)).toBe(id);
      ids.add(id).add(reversalId(oneRefund, transfer)).add(reversalId(refund, oneTransfer));
      ids.add(reversalId(oneTransfer as unknown as RefundId, oneRefund as unknown as TransferId));
    }
    expect(ids.size).toBe(800);
  });
});

describe('the age of a key', () => {
  const unknown = (keyAgeMs: number | null, absences = 0) => keyUse({ certainty: 'unknown', keyAgeMs, absences });

  it('lets an unknown outcome be repeated with the same key at 22:59 hours, and only be read at 23:01', () => {
    expect(unknown(at(22, 59))).toBe('same_key');
    expect(unknown(at(23, 0))).toBe('read_only');
    expect(unknown(at(23, 1))).toBe('read_only');
    expect(unknown(at(23, 1), 9)).toBe('read_only');
    expect(unknown(at(24, 59), 9)).toBe('read_only');
  });

  it('lets a new generation begin at 25:01 hours, on two proofs of absence and not on one', () => {
    expect([0, 1, 2, 3].map((absences) => unknown(at(25, 1), absences))).toEqual([
      'read_only',
      'read_only',
      'new_generation',
      'new_generation',
    ]);
    expect(unknown(KEY_FORGOTTEN_MS, 2)).toBe('new_generation');
  });

  it('treats an attempt that nobody lived to record as unknown', () => {
    for (const keyAgeMs of [null, 0, at(22, 59), at(23, 1), at(25, 1)])
      for (const absences of [0, 1, 2])
        expect(keyUse({ certainty: 'in_flight', keyAgeMs, absences })).toBe(unknown(keyAgeMs, absences));
  });

  it('repeats what was never carried out with the same key, and at 23 hours with a new one', () => {
    const turnedAway = (keyAgeMs: number | null) => keyUse({ certainty: 'not_sent', keyAgeMs, absences: 0 });
    expect([null, 0, at(22, 59)].map(turnedAway)).toEqual(['same_key', 'same_key', 'same_key']);
    expect([at(23, 0), at(30, 0)].map(turnedAway)).toEqual(['new_generation', 'new_generation']);
  });

  it('never sends what is done, and gives a saved refusal a new key', () => {
    for (const keyAgeMs of [null, at(1, 0), at(30, 0)]) {
      expect(keyUse({ certainty: 'done', keyAgeMs, absences: 2 })).toBe('read_only');
      expect(keyUse({ certainty: 'absent', keyAgeMs, absences: 0 })).toBe('new_generation');
    }
  });

  it('never sends anything between 23 and 25 hours of an unknown outcome, whatever was looked up', () => {
    fc.assert(
      fc.property(fc.integer({ min: at(23, 0), max: at(25, 0) - 1 }), fc.nat(50), (keyAgeMs, absences) => {
        expect(unknown(keyAgeMs, absences)).toBe('read_only');
      }),
    );
  });

  it('asks for a look before every send but the first, and before the first of a row as old as a key', () => {
    expect(CERTAINTIES.map((certainty) => looksFirst({ certainty }, at(0, 1)))).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
    expect(looksFirst({ certainty: 'not_sent' }, at(22, 59))).toBe(false);
    expect(looksFirst({ certainty: 'not_sent' }, at(23, 0))).toBe(true);
  });
});
