import { afterEach, describe, expect, it } from 'vitest';
import { needsSecondPerson } from '../../../src/http/reading/second-person.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';

/** What one person may end of a dispute whose record nobody here can read. Two decide from 10 000 on. */

let world: DisputeWorld;
afterEach(() => world.close());

async function asked(amount: number, paid = 1_000_000n): Promise<string> {
  world = await openDisputeWorld({ elsewhere: true });
  const order = await world.paid({ acct_1Ada: (paid * 3n) / 5n, acct_1Bob: (paid * 2n) / 5n });
  await world.settle();
  await world.hyperswitchTells(order, await world.dispute(order, { amount }));
  await world.settle();
  const { disputes } = await world.find(order);
  return disputes[0]!.id;
}
const inYen = (amount = 1_000) =>
  world.database.transaction(async (query) => {
    await query('SET LOCAL session_replication_role = replica');
    await query(`UPDATE disputes SET currency = 'JPY', amount = $1`, [amount]);
  });
const decided = () =>
  world.database.query('SELECT action, state, amount, currency FROM decisions ORDER BY requested_at, id');

describe('what is said to be out of a dispute', () => {
  it('gives up the rest as well: however little one person names, two decide about a large dispute', async () => {
    const id = await asked(1_000_000);
    expect((await world.request('dispute', id, 'funds_out', { amount: '1' })).kind).toBe('pending_approval');
    expect(await decided()).toEqual([
      { action: 'funds_out', state: 'pending_approval', amount: '1000000', currency: 'usd' },
    ]);
  });

  it('overtakes no request that waits for another person', async () => {
    const id = await asked(1_000_000);
    expect((await world.request('dispute', id, 'write_off')).kind).toBe('pending_approval');
    expect((await world.request('dispute', id, 'funds_out', { amount: '1' })).kind).toBe('not_waiting');
    expect(await decided()).toMatchObject([{ state: 'pending_approval' }, { state: 'ignored' }]);
  });

  it('is one person’s to say of a small dispute, and counts as the whole of it', async () => {
    const id = await asked(9_000);
    expect((await world.request('dispute', id, 'funds_out', { amount: '1' })).kind).toBe('applied');
    expect(await decided()).toEqual([{ action: 'funds_out', state: 'applied', amount: '9000', currency: 'usd' }]);
  });

  it('is weighed in the currency of the order, by all that could be out, where the dispute is in another', async () => {
    const id = await asked(1_000);
    await inYen();
    expect((await world.request('dispute', id, 'funds_out', { amount: '9000' })).kind).toBe('pending_approval');
    expect(await decided()).toEqual([
      { action: 'funds_out', state: 'pending_approval', amount: '1000000', currency: 'usd' },
    ]);
  });
});

describe('a dispute in another currency than its order', () => {
  /** What the console and a preview of many decisions say before. */
  async function hints(id: string, action: string): Promise<readonly boolean[]> {
    const items = [
      ...(await world.ledger.itemSummaries([id])),
      ...(await world.ledger.waitingItems({ kind: 'dispute', reason: 'dispute', ids: [id], limit: 1 })),
    ];
    expect(items).toHaveLength(2);
    return items.map((item) => needsSecondPerson(item, action, 10_000n));
  }

  const SUMS = [
    ['little of it, and much of the order that can be out', 1_000, 1_000_000n, true],
    ['much of it, and little of the order that can be out', 900_000, 9_000n, false],
  ] as const;
  describe.each(['write_off', 'funds_out'] as const)('%s', (action) => {
    it.each(SUMS)('is weighed by what can move, and so says the hint: %s', async (_, inIt, paid, two) => {
      const id = await asked(Number(paid), paid);
      await inYen(inIt);
      expect(await hints(id, action)).toEqual([two, two]);
      const { kind } = await world.request('dispute', id, action, action === 'funds_out' ? { amount: '1' } : {});
      expect(kind).toBe(two ? 'pending_approval' : 'applied');
      expect(await decided()).toMatchObject([{ action, amount: paid.toString(), currency: 'usd' }]);
    });
  });
});
