import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CallAnswer } from '../../../../src/domain/calls/answers.js';
import { newRefundId } from '../../../../src/domain/ids.js';
import { createDatabase, type Database } from '../../../../src/ledger/database.js';
import { createLedger } from '../../../../src/ledger/ledger.js';
import { createSealer } from '../../../../src/ledger/sealer.js';
import { openTestLedger, type TestLedger, testKey } from '../../../support/ledger-fixtures.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { refundAt } from '../../../support/marketplace/hyperswitch-facts.js';
import {
  DONE,
  LOCKED_OUT,
  type MarketplaceSteps,
  marketplaceSteps,
  type Paid,
  REFUSED,
  SHORT,
  THROTTLED,
  UNKNOWN,
} from '../../../support/marketplace/steps.js';

const CONNECTIONS = 20;
const OPERATIONS = 1_500;

let test: TestLedger;
let many: Database;
let steps: MarketplaceSteps;
beforeEach(async () => {
  test = await openTestLedger();
  // Seen at once, and not after the second that Postgres usually waits.
  await test.database.query(`ALTER DATABASE ${new URL(test.url).pathname.slice(1)} SET deadlock_timeout = '20ms'`);
  many = createDatabase({ url: test.url, clock: test.clock, maxConnections: CONNECTIONS });
  const ledger = createLedger({
    database: many,
    sealer: createSealer([testKey()]),
    clock: test.clock,
    approvalThreshold: 1_000n,
  });
  steps = marketplaceSteps({ ...test, database: many, ledger });
});
afterEach(async () => {
  await many.close();
  await test.dispose();
});

/** The same choices in every run; what they meet differs, because twenty make them at once. */
function choices(seed: number) {
  let state = seed;
  const below = (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return { below, of: <T>(list: readonly T[]): T => list[below(list.length)]! };
}

const ANSWERS: readonly CallAnswer[] = [DONE, DONE, UNKNOWN, REFUSED, SHORT, THROTTLED, LOCKED_OUT];

/** Everything that may happen to the money of these orders, each time something else. */
function anything(orders: readonly Paid[]) {
  const { ledger } = steps;
  const pick = choices(20_261_121);
  const anyOrder = () => steps.find(pick.of(orders).id);

  /** One attempt, by a process that may die before its answer. */
  async function attempt(
    claim: Awaited<ReturnType<MarketplaceSteps['claimTransfer' | 'claimReversal']>>,
  ): Promise<void> {
    if (claim.kind === 'probe') await ledger.parkProvider(claim.provider, 'probed');
    if (claim.kind !== 'claimed') return;
    const { claim: held } = claim;
    if (held.looksFirst) await steps.noteAbsent(held);
    const permit = await steps.permit(held);
    if (permit.kind !== 'send' || pick.below(8) === 0) return;
    const answer = pick.of(ANSWERS);
    await steps.answered(held, answer, {
      provedAbsent: answer === REFUSED || answer === SHORT,
      parks: answer === LOCKED_OUT ? pick.of(['seller', 'stripe'] as const) : null,
    });
  }
  async function reverse(): Promise<void> {
    const { reversals } = await anyOrder();
    if (reversals.length > 0) await attempt(await steps.claimReversal(pick.of(reversals).id));
  }

  async function decide(): Promise<void> {
    const order = await anyOrder();
    const asked = (['transfers', 'reversals', 'refunds'] as const).flatMap((kind) =>
      order[kind].filter(({ attention }) => attention !== null).map(({ id }) => ({ kind, id })),
    );
    if (asked.length === 0) return;
    const { kind, id } = pick.of(asked);
    const action = pick.of(['retry', kind === 'refunds' ? 'compensate' : 'adopt', 'write_off'] as const);
    const verified = action === 'adopt' ? ({ kind: 'found', providerId: unique('id') } as const) : ABSENT;
    const outcome = await steps.decide({ kind: ONE_OF[kind], itemId: id, action, verified });
    if (outcome.kind === 'pending_approval')
      await ledger.approve({ decisionId: outcome.decisionId, by: 'anna', note: 'yes', verified });
  }

  async function refund(): Promise<void> {
    const { id, refunds } = await anyOrder();
    if (refunds.length > 0 && pick.below(3) > 0)
      await steps.refundSays(pick.of(refunds).id, pick.of(['succeeded', 'succeeded', 'failed', 'pending'] as const));
    else if (pick.below(2) === 0) await refundHere(id);
    else await refundThere(orders.find((one) => one.id === id)!);
  }
  async function refundHere(order: Paid['id']): Promise<void> {
    try {
      await steps.refunded(order, 1 + pick.below(200));
    } catch (error) {
      if (!(error instanceof Error) || error.message !== 'exceeds_paid') throw error;
    }
  }
  const refundThere = ({ paymentId, hyperswitchPaymentId }: Paid) =>
    ledger.adoptRefund(
      paymentId,
      newRefundId(test.clock.nowMs()),
      refundAt({
        hyperswitchRefundId: unique('ref'),
        hyperswitchPaymentId,
        amount: BigInt(1 + pick.below(200)),
        currency: 'USD',
      }),
    );

  async function sweep(): Promise<void> {
    const items = await ledger.dueItems(pick.of(['transfer', 'reversal', 'refund'] as const), 50);
    await ledger.markItemsStarted(items.toReversed());
  }
  async function evidence(): Promise<void> {
    const { reversals } = await anyOrder();
    if (reversals.length > 0 && pick.below(20) === 0) await ledger.adoptReversal(pick.of(reversals).id, unique('trr'));
  }
  const operations: readonly (() => Promise<unknown>)[] = [
    async () => await attempt(await steps.claimTransfer(pick.of((await anyOrder()).transfers).id)),
    reverse,
    reverse,
    refund,
    decide,
    sweep,
    sweep,
    evidence,
    () => ledger.balanceRose(pick.of(['acct_a', 'acct_b', 'acct_c'])),
    () => ledger.unparkProvider(pick.of(['stripe', 'stripe:acct_a'])),
    () => Promise.resolve(steps.pass(5_000)),
  ];
  return () => pick.of(operations)();
}
const ABSENT = { kind: 'absent' } as const;
const ONE_OF = { transfers: 'transfer', reversals: 'reversal', refunds: 'refund' } as const;

const inFull = (error: unknown): string =>
  error instanceof Error ? `${'code' in error ? String(error.code) : ''} ${error.stack}` : String(error);

it('twenty connections that do everything at once to a few orders and sellers never deadlock, and break no rule', {
  timeout: 120_000,
}, async () => {
  const orders: Paid[] = [];
  for (let index = 0; index < 3; index += 1) orders.push(await steps.paid({ acct_a: 1_000, acct_b: 700, acct_c: 300 }));
  const something = anything(orders);
  const failures: unknown[] = [];
  let left = OPERATIONS;
  const loop = async () => {
    while (left > 0) {
      left -= 1;
      await something().catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, loop));

  expect(failures.map(inFull)).toEqual([]);
  // Something has really happened to all of it.
  const found = await Promise.all(orders.map(({ id }) => steps.find(id)));
  expect(found.flatMap(({ transfers }) => transfers).some(({ amountReversed }) => amountReversed > 0n)).toBe(true);
  expect(found.flatMap(({ reversals }) => reversals).length).toBeGreaterThan(10);
});
