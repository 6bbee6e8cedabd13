import { describe, expect, it } from 'vitest';
import { ledgerForFile } from '../../../support/ledger-fixtures.js';

const test = await ledgerForFile();

const LONGEST_MS = 1_000;
const turns = (lane: 'first' | 'in_turn', howMany: number): Promise<(number | null)[]> =>
  Promise.all(Array.from({ length: howMany }, () => test.ledger.takeHyperswitchTurn(lane, 20, LONGEST_MS)));

describe('the pace of reads of Hyperswitch', () => {
  it('gives no more than its rate, sends back what would wait too long, and keeps the first lane free', async () => {
    const begun = performance.now();
    const given = (await turns('in_turn', 60)).filter((ms) => ms !== null);
    const tookMs = performance.now() - begun;
    // Of 60 that come at once, those of one second may wait, and what the asking itself took.
    expect(given.length).toBeGreaterThanOrEqual(20);
    expect(given.length).toBeLessThanOrEqual(22 + Math.ceil((tookMs / 1_000) * 20));
    expect(Math.max(...given)).toBeLessThanOrEqual(LONGEST_MS + 50);
    // The read before a reversal meets nobody.
    expect(await test.ledger.takeHyperswitchTurn('first', 25, LONGEST_MS)).toBe(0);
  });

  it('is a figure: how long the next read of each lane would wait, which stays when all turns are given', async () => {
    await turns('in_turn', 60);
    const { reads } = (await test.ledger.figures()).marketplace;
    const wait = (lane: string) => reads.find((one) => one.lane === lane)?.waitSeconds;
    expect(wait('in_turn')).toBeGreaterThan(0.5);
    expect(wait('in_turn')).toBeLessThanOrEqual(1.1);
    await test.database.query(
      `UPDATE hyperswitch_pace SET next_at = clock_timestamp() - interval '1 hour' WHERE lane = 'in_turn'`,
    );
    const [, idle] = (await test.ledger.figures()).marketplace.reads;
    expect(idle).toEqual({ lane: 'in_turn', waitSeconds: 0 });
  });

  it('comes back after the clock was set back', async () => {
    await test.database.query(
      `INSERT INTO hyperswitch_pace (lane, next_at) VALUES ('first', clock_timestamp() + interval '1 day')
       ON CONFLICT (lane) DO UPDATE SET next_at = excluded.next_at`,
    );
    expect(await test.ledger.takeHyperswitchTurn('first', 25, LONGEST_MS)).toBe(0);
  });
});
