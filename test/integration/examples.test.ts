import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import type { OrderAnswer } from '../../src/domain/marketplace/marketplace-answer.js';
import { temporaryPath } from '../support/child-processes.js';
import { type MarketplaceStack, startMarketplaceStack } from '../support/marketplace/stack.js';

const directory = temporaryPath('examples');
let stack: MarketplaceStack;
beforeAll(async () => {
  stack = await startMarketplaceStack();
  mkdirSync(join(directory, '.makegood'), { recursive: true });
  writeFileSync(join(directory, '.makegood', 'endpoints.json'), JSON.stringify(stack.at));
  symlinkSync(join(projectRoot(), 'examples'), join(directory, 'examples'));
}, 120_000);
afterAll(async () => {
  await stack.stop();
  rmSync(directory, { recursive: true, force: true });
});

it('a team with a checkout of its own has its sellers’ shares right by two calls, refunds of Stripe’s dashboard included', async () => {
  const page = readFileSync(join(projectRoot(), 'examples/own-checkout/README.md'), 'utf8');
  const [, block = ''] = /```sh\n(.*?)```/s.exec(page) ?? [];
  const run = async () => {
    const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', block], {
      cwd: directory,
    });
    expect(stderr).toBe('');
    return stdout.trim();
  };
  const id = await run();
  // What goes back before a seller is paid is not sent, and what goes back after that is taken back: together it is the same.
  const left = (order: OrderAnswer) =>
    Object.fromEntries(order.transfers.map((one) => [one.seller_account, one.amount - one.amount_reversed]));
  const isOver = ({ refunds, transfers }: OrderAnswer) =>
    refunds.length === 2 && transfers.every(({ status }) => status === 'completed' || status === 'partially_reversed');
  const order = await stack.orderUntil('both refunds are followed', id, isOver);
  // Less the fee of a tenth, 5400 and 3600; of 10000 that were paid 4000 went back.
  expect(left(order)).toEqual({ acct_1Ada: 3240, acct_1Bob: 2160 });
  expect(order).toMatchObject({ status: 'partially_refunded', platform: { fees: 1000, kept: 600 } });
  // Run once more it is the same order, the same payment and the same refunds.
  expect(await run()).toBe(id);
  const { transfers, reversals } = await stack.books();
  const sum = (amounts: readonly { readonly amount: number }[]) => amounts.reduce((all, { amount }) => all + amount, 0);
  expect(transfers).toHaveLength(2);
  expect(sum(transfers) - sum(reversals)).toBe(5400);
});
