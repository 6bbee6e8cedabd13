import { beforeEach, describe, expect, it } from 'vitest';
import { createDatabase } from '../../../../src/ledger/database.js';
import { ledgerForTest, type TestLedger } from '../../../support/ledger-fixtures.js';

let test: TestLedger;
beforeEach(async () => {
  test = await ledgerForTest();
});

/**
 * When calls may begin, asked for by three processes at once; in ms of Postgres' own clock, read with the answer, so that
 * nothing here depends on how fast this machine is.
 */
async function timesOf(takes: readonly string[]): Promise<number[]> {
  const queue = [...takes];
  const times: number[] = [];
  const process = async () => {
    const database = createDatabase({ url: test.url, maxConnections: 1 });
    for (let take = queue.shift(); take; take = queue.shift()) {
      const [row] = await database.query<{ wait: number; now: number }>(
        `SELECT ${take} AS wait, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`,
      );
      times.push(row!.wait + row!.now);
    }
    await database.close();
  };
  await Promise.all([process(), process(), process()]);
  return times.sort((one, other) => one - other);
}
/** A process may be put aside between its answer and its look at the clock. */
const NOISE_MS = 40;
/** The most that begin within any one second. */
const mostInASecond = (times: readonly number[]) =>
  Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1_000 - NOISE_MS).length));
const lastOf = (times: readonly number[]) => times.at(-1)! - times[0]!;

describe('turns between sellers', () => {
  const turn = (seller: string) => `take_seller_turn('${seller}', 25)`;

  it('come at the whole pace for a seller alone, whoever asks', async () => {
    const times = await timesOf(Array<string>(100).fill(turn('acct_a')));
    expect(mostInASecond(times)).toBeLessThanOrEqual(25);
    expect(lastOf(times)).toBeGreaterThan(99 * 40 - NOISE_MS);
    expect(lastOf(times)).toBeLessThan(99 * 40 + 100);
  });

  it('let no seller wait for another one’s five hundred', async () => {
    for (let taken = 0; taken < 500; taken += 1) await test.ledger.takeTurn('acct_busy', 25);
    expect(await test.ledger.takeTurn('acct_b', 25)).toBeLessThan(100);
    expect(await test.ledger.takeTurn('acct_c', 25)).toBeLessThan(150);
    expect(await test.ledger.takeTurn('acct_busy', 25)).toBeGreaterThan(10_000);
  });

  it('go round between busy sellers, each as often as the others, at the whole pace together', async () => {
    const sellers = ['acct_a', 'acct_b', 'acct_c', 'acct_d'];
    const times = await timesOf(Array.from({ length: 100 }, (_, index) => turn(sellers[index % 4]!)));
    // Who joins a round late makes it longer than the next round was told; the budget above is the limit.
    expect(mostInASecond(times)).toBeLessThanOrEqual(25 + sellers.length - 1);
    expect(lastOf(times)).toBeLessThan(99 * 40 + 100);
    const waits = await Promise.all(sellers.map((seller) => test.ledger.takeTurn(seller, 25)));
    expect(Math.max(...waits) - Math.min(...waits)).toBeLessThan(400);
  });

  it('leave a busy seller what a hundred others with one call each do not need', async () => {
    const times = await timesOf(
      Array.from({ length: 100 }, (_, index) => [turn(`acct_small_${index}`), turn('acct_busy')]).flat(),
    );
    // 200 calls take 8 s; a hundredth of the pace for the busy one would be 400 s.
    expect(lastOf(times)).toBeLessThan(8_200);
  });

  it('wait for nothing when the clock was set back', async () => {
    for (let taken = 0; taken < 10; taken += 1) await test.ledger.takeTurn('acct_a', 25);
    await test.database.query(`UPDATE turn_clock SET begins_at = begins_at + interval '1 hour'`);
    expect(await test.ledger.takeTurn('acct_b', 25)).toBeLessThan(1_000);
  });
});
