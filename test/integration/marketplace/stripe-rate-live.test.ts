import { execFile } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporalTool } from '../../../sandbox/stack/tools.js';
import {
  isPaidOut,
  isTakenBack,
  type MarketplaceStack,
  startMarketplaceStack,
} from '../../support/marketplace/stack.js';

let stack: MarketplaceStack;
beforeAll(async () => {
  stack = await startMarketplaceStack();
  const atOnce = { to: 'succeeded', afterMs: 0 };
  await stack.hyperswitch('auto', ['PUT', { pay: atOnce, refund: atOnce }]);
}, 120_000);
afterAll(() => stack.stop());

/** As in the runbook. */
async function limit(rps: string): Promise<void> {
  const queue = ['--task-queue', 'makegood-stripe', '--task-queue-type', 'activity', '--address', stack.at.temporal];
  const args = ['task-queue', 'config', 'set', ...queue, '--queue-rps-limit', rps];
  await promisify(execFile)(temporalTool('temporal', process.env), args);
}

const sentToStripe = async (): Promise<number> =>
  (await stack.stripe<{ calls: readonly { method: string }[] }>('calls')).calls.filter(
    ({ method }) => method === 'POST',
  ).length;
/** Far above the time that a worker with nothing else to do needs for a transfer. */
const LONG_ENOUGH_MS = 4_000;

it('the limit of the Stripe queue holds for every send from the moment it is set, and buyers notice nothing', async () => {
  const { id: early } = await stack.sell({ acct_1Ada: 1_000 });
  await stack.orderUntil('the seller is paid', early, isPaidOut);
  const before = await sentToStripe();

  await limit('0');
  const { id: late } = await stack.sell({ acct_1Bob: 2_000, acct_1Cyd: 3_000 });
  await stack.refund(early);
  await wait(LONG_ENOUGH_MS);
  expect(await sentToStripe()).toBe(before);
  expect(await stack.order(late)).toMatchObject({
    status: 'paid',
    transfers: [{ status: 'pending' }, { status: 'pending' }],
  });
  expect(await stack.order(early)).toMatchObject({ status: 'refunded', reversals: [{ status: 'pending' }] });

  await limit('default');
  await stack.orderUntil('both sellers are paid', late, isPaidOut);
  await stack.orderUntil('the share is back', early, isTakenBack);
  expect(await sentToStripe()).toBe(before + 3);
});
