import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { runMakegood } from '../../support/cli.js';
import { aSettlement, ledgerForFile } from '../../support/ledger-fixtures.js';
import { forceColumns } from '../../support/marketplace/fixtures.js';

const world = await ledgerForFile();
const bin = fileURLToPath(new URL('../../../bin/makegood.js', import.meta.url));

/** Runs until Ctrl-C is pressed, which `stop` does; `seen` is what it has written. */
function watching(args: readonly string[], { redraws = false } = {}) {
  const seen: string[] = [];
  const interruption = new AbortController();
  const ended = runMakegood(args, {
    env: { DATABASE_URL: world.url },
    clock: world.clock,
    redraws,
    interruption: interruption.signal,
    out: (line) => seen.push(line),
    err: () => undefined,
  });
  const stop = async () => {
    interruption.abort();
    await ended;
  };
  return { seen, stop };
}
const within = { timeout: 15_000, interval: 50 };

describe('--watch', () => {
  it('of a list that is piped writes everything once, and then only what changed', async () => {
    const [first, second] = [aSettlement(), aSettlement()];
    await world.ledger.createSettlement(first);
    const { seen, stop } = watching(['list', '--watch', '1']);
    await expect.poll(() => seen.length, within).toBe(2);
    await world.ledger.createSettlement(second);
    await expect.poll(() => seen.length, within).toBe(3);
    await stop();
    expect(seen[0]).toMatch(/^ID +STATUS/);
    expect(seen[1]).toContain(first.id);
    expect(seen[2]).toContain(second.id);
  });

  it('of an item writes the lines that are new, as JSON the whole answer', async () => {
    const settlement = aSettlement();
    await world.ledger.createSettlement(settlement);
    const lines = watching(['show', settlement.id, '--watch', '1']);
    const json = watching(['show', settlement.id, '--watch', '1', '--json']);
    await expect.poll(() => Math.min(lines.seen.length, json.seen.length), within).toBeGreaterThan(0);
    const before = lines.seen.length;
    await forceColumns(world.database, 'settlements', settlement.id, { tx_hash: '0xfeed' });
    await expect.poll(() => lines.seen.length, within).toBe(before + 1);
    await expect.poll(() => json.seen.length, within).toBe(2);
    await Promise.all([lines.stop(), json.stop()]);
    expect(lines.seen.at(-1)).toMatch(/^transaction +0xfeed$/);
    expect(JSON.parse(json.seen[1] ?? '')).toMatchObject({ id: settlement.id, tx_hash: '0xfeed' });
  });

  it('draws the whole picture anew on a terminal', async () => {
    const { seen, stop } = watching(['list', '--watch', '1', '--limit', '1'], { redraws: true });
    await expect.poll(() => seen.length, within).toBeGreaterThan(1);
    await stop();
    for (const picture of seen) expect(picture.startsWith('\u001b[2J\u001b[3J\u001b[HID ')).toBe(true);
  });

  it.each(['0', 'often', '1.5'])('refuses %s seconds', async (seconds) => {
    const { stop } = watching(['list', '--watch', seconds]);
    await expect(stop()).rejects.toThrow(CommanderError);
  });

  it('ends with 0 at Ctrl-C', async () => {
    const child = spawn(process.execPath, [bin, 'list', '--watch'], {
      env: { PATH: process.env.PATH ?? '', DATABASE_URL: world.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
