import { describe, expect, it } from 'vitest';
import { newSettlementId } from '../../../src/domain/ids.js';
import { type BulkDependencies, decideMany } from '../../../src/http/acting/bulk.js';

type Decide = BulkDependencies['resolution']['decide'];

const IDS = [newSettlementId(1), newSettlementId(2), newSettlementId(3)] as const;
const OUTAGE = Object.assign(new Error('terminating connection'), { code: '57P01' });
const BUG = Object.assign(new Error('column does not exist'), { code: '42703' });
const applied: Decide = ({ id }) =>
  Promise.resolve({ kind: 'applied', decisionId: id, status: 'pending' } as Awaited<ReturnType<Decide>>);

/** Three charges that wait, of which the `nth` meets `error`. */
async function decideThree({ nth, error, at = 'decide' }: { nth: number; error: Error; at?: 'decide' | 'isHeard' }) {
  const woken: string[] = [];
  let asked = 0;
  let heard = 0;
  const summary = (id: string) => ({ id, status: 'needs_attention', amount: '5', unit: 'USDC', decimals: 6 });
  const dependencies = {
    ledger: {
      waitingItems: ({ ids = IDS }: { ids?: readonly string[] }) => Promise.resolve(ids.map(summary)),
      decisionsNotTaken: () => Promise.resolve([]),
    },
    resolution: {
      decide: (request: Parameters<Decide>[0]) => {
        asked += 1;
        return at === 'decide' && asked === nth ? Promise.reject(error) : applied(request);
      },
    },
    wake: ({ id }: { id: string }) => woken.push(id),
    clock: { nowMs: () => 0 },
    approvalThreshold: 10n,
  } as unknown as BulkDependencies;
  const call = {
    body: { kind: 'settlement', reason: 'conflict', action: 'retry', note: 'x', ids: [...IDS], dry_run: false },
    principal: { name: 'olga', role: 'operator' },
    isHeard: () => {
      heard += 1;
      return at === 'isHeard' && heard === nth ? Promise.reject(error) : Promise.resolve(true);
    },
  } as unknown as Parameters<typeof decideMany>[0];
  const answered = decideMany(call, dependencies).then(({ status, body }) => ({
    status,
    items: (body as { items: { id: string; outcome: string; detail: string | null }[] }).items,
  }));
  return { answered, woken, asked: () => asked };
}

describe('decisions about many', () => {
  it.each(['decide', 'isHeard'] as const)(
    'tell what was decided before Postgres went away (%s), that one is not confirmed, and that the rest was not decided',
    async (at) => {
      const { answered, woken, asked } = await decideThree({ nth: 2, error: OUTAGE, at });
      const { status, items } = await answered;
      expect([status, ...items.map(({ outcome }) => outcome)]).toEqual([200, 'decided', 'unanswered', 'skipped']);
      expect(items[1]?.detail).toContain('may or may not be recorded');
      expect(items[2]?.detail).toContain('nothing was decided about it');
      expect(woken).toEqual([IDS[0]]);
      expect(asked()).toBe(at === 'decide' ? 2 : 1);
    },
  );

  it('are answered 503 where Postgres was away before anything was decided', async () => {
    const { answered } = await decideThree({ nth: 1, error: OUTAGE });
    await expect(answered).rejects.toMatchObject({ code: 'ledger_unavailable' });
  });

  it('never tell a fault of ours as an outage', async () => {
    const { answered } = await decideThree({ nth: 2, error: BUG });
    await expect(answered).rejects.toBe(BUG);
  });
});
