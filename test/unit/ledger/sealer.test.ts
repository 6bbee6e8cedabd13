import { describe, expect, it } from 'vitest';
import { createSealer } from '../../../src/ledger/sealer.js';

const key = (id: string, fill: number) => ({ id, key: Buffer.alloc(32, fill) });
const place = { table: 'settlements', row: 'a', column: 'sealed' };
const secret = 'a bearer token, {"with":"json"} and ünïcode';

describe('a sealed credential', () => {
  it('opens where it was sealed, and looks different each time', () => {
    const sealer = createSealer([key('1', 1)]);
    const [first, second] = [sealer.seal(secret, place), sealer.seal(secret, place)];
    expect(sealer.open(first, place)).toBe(secret);
    expect(first.bytes.equals(second.bytes)).toBe(false);
    expect(first.bytes.includes(Buffer.from('bearer'))).toBe(false);
  });
  it('never opens in another row, column or table', () => {
    const sealer = createSealer([key('1', 1)]);
    const sealed = sealer.seal(secret, place);
    for (const moved of [{ row: 'b' }, { column: 'other' }, { table: 'other' }]) {
      expect(() => sealer.open(sealed, { ...place, ...moved })).toThrow('unable to authenticate data');
    }
  });
  it('never opens when a single bit was changed', () => {
    const sealer = createSealer([key('1', 1)]);
    const { bytes, keyId } = sealer.seal(secret, place);
    for (let at = 0; at < bytes.length; at += 1) {
      const bent = Buffer.from(bytes);
      bent[at] = (bent[at] ?? 0) ^ 1;
      expect(() => sealer.open({ bytes: bent, keyId }, place)).toThrow('unable to authenticate data');
    }
  });
  it('opens under an older key while new ones are sealed by the first', () => {
    const old = createSealer([key('1', 1)]).seal(secret, place);
    const rotated = createSealer([key('2', 2), key('1', 1)]);
    expect(rotated.open(old, place)).toBe(secret);
    expect(rotated.seal(secret, place).keyId).toBe('2');
  });
  it('says which key is missing, and never what was inside', () => {
    const sealed = createSealer([key('old', 1)]).seal(secret, place);
    const without = createSealer([key('new', 2)]);
    expect(() => without.open(sealed, place)).toThrow('encryption key old is needed');
    expect(() => createSealer([])).toThrow('CREDENTIAL_ENCRYPTION_KEY');
    expect(() => createSealer([{ id: 'short', key: Buffer.alloc(16) }])).toThrow('32 are needed');
  });
});
