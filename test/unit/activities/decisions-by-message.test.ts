import { describe, expect, it, vi } from 'vitest';
import { createDecisionActivities } from '../../../activities/decision-activities.js';
import type { Resolution } from '../../../src/calls/decisions/decide.js';

const MESSAGE = { action: 'retry', by: 'ann', note: 'x', evidence: null, decisionId: 'd1' };
const APPLIED = { kind: 'applied', status: 'pending', decisionId: 'd1' } as const;

function withLedger(decide: () => Promise<unknown>) {
  const asked = vi.fn<() => Promise<unknown>>(decide);
  const activities = createDecisionActivities({ decide: asked } as unknown as Resolution);
  return { asked, ...activities };
}
const fails = (code: string) => withLedger(() => Promise.reject(Object.assign(new Error('no'), { code })));

describe('a decision that came by message', () => {
  it.each([
    ['NUL', { note: '\0' }],
    ['half a surrogate pair', { by: '\udfff' }],
    ['a name that is too long', { by: 'x'.repeat(201) }],
    ['a note that is too long', { note: 'x'.repeat(2_001) }],
    ['evidence with another name', { evidence: { 'a\0b': 'x' } }],
    ['evidence that is no text', { evidence: { reference: 1 } }],
    ['evidence that says nothing', { evidence: { reference: ' ' } }],
  ])('is refused with %s before the ledger is asked, of a charge as of the marketplace', async (_what, change) => {
    const { asked, decide, decideMoney } = withLedger(async () => APPLIED);
    const message = { ...MESSAGE, ...change };
    const answers = [
      await decide({ settlementId: 's1', ...message }),
      await decideMoney({ kind: 'reversal', itemId: 'r1', ...message }),
    ];
    for (const answer of answers) {
      expect(answer).toMatchObject({ kind: 'refused' });
      expect(JSON.stringify(answer)).not.toMatch(/\\u/);
    }
    expect(asked).not.toHaveBeenCalled();
  });

  it('is put before the ledger as it came when it can be kept', async () => {
    const { asked, decide } = withLedger(async () => APPLIED);
    const evidence = { reference: 'Zürich 💶' };
    expect(await decide({ settlementId: 's1', ...MESSAGE, evidence })).toEqual(APPLIED);
    expect(asked).toHaveBeenCalledWith(expect.objectContaining({ note: 'x', evidence, authenticated: false }));
  });

  it.each(['22P05', '22021', '54000'])(
    'is refused when Postgres says %s, which no other attempt changes',
    async (code) => {
      expect(await fails(code).decide({ settlementId: 's1', ...MESSAGE })).toMatchObject({
        kind: 'refused',
        detail: expect.stringContaining(code) as string,
      });
    },
  );

  it.each(['57P01', 'ECONNREFUSED', '23505', '40001'])('is tried again when the ledger says %s', async (code) => {
    await expect(fails(code).decide({ settlementId: 's1', ...MESSAGE })).rejects.toThrow('no');
  });
});
