import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CallAnswer } from '../../../../src/domain/calls/answers.js';
import type { SellerStanding } from '../../../../src/domain/marketplace/seller-standing.js';
import { createDatabase, type Database } from '../../../../src/ledger/database.js';
import { createLedger } from '../../../../src/ledger/ledger.js';
import { createSealer } from '../../../../src/ledger/sealer.js';
import { openTestLedger, type TestLedger, testKey } from '../../../support/ledger-fixtures.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import {
  DONE,
  LOCKED_OUT,
  type MarketplaceSteps,
  marketplaceSteps,
  type Paid,
  REFUSED,
  SHORT,
  THROTTLED,
} from '../../../support/marketplace/steps.js';

const CONNECTIONS = 20;
const OPERATIONS = 1_500;
const SELLERS = ['acct_a', 'acct_b', 'acct_c'] as const;

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

const ANSWERS: readonly CallAnswer[] = [
  SHORT,
  SHORT,
  SHORT,
  { kind: 'not_able' },
  REFUSED,
  THROTTLED,
  LOCKED_OUT,
  DONE,
];
const PROVING: ReadonlySet<string> = new Set(['short', 'not_able', 'refused']);
const STANDINGS: readonly SellerStanding[] = [
  { state: 'able', reason: null },
  { state: 'able', reason: null },
  { state: 'waiting', reason: 'transfers_pending' },
  { state: 'gone', reason: 'deauthorised' },
];

/** Everything that may happen to shares that wait, each time something else. */
function anything(orders: readonly Paid[]) {
  const { ledger } = steps;
  const pick = choices(20_261_130);
  const anyTransfer = () => pick.of(Object.values(pick.of(orders).transfers));
  const shows = () => ledger.balanceShows(new Map([['USD', BigInt(pick.below(4_000))]]), pick.below(2) === 0);
  const sellerShows = () => ledger.sellerShows(pick.of(SELLERS), pick.of(STANDINGS));

  async function attempt(): Promise<void> {
    const id = anyTransfer();
    let claim = await steps.claimTransfer(id);
    if (claim.kind === 'read') {
      await (claim.of === 'seller' ? sellerShows() : shows());
      claim = await steps.claimTransfer(id);
    }
    if (claim.kind === 'probe') await ledger.parkProvider(claim.provider, 'probed');
    if (claim.kind !== 'claimed') return;
    const held = claim.claim;
    if (held.looksFirst) await steps.noteAbsent(held);
    if (pick.below(8) === 0) {
      await ledger.releaseTransfer(held.id, held.runner, 1_000);
      return;
    }
    if (held.gated && (await ledger.admitTransfer(held.id, held.runner))) return;
    const permit = await steps.permit(held);
    if (permit.kind !== 'send' || pick.below(20) === 0) return;
    const answer = pick.of(ANSWERS);
    const parks = answer === LOCKED_OUT ? ('seller' as const) : null;
    await steps.answered(held, answer, { provedAbsent: PROVING.has(answer.kind), parks });
  }
  const decide = () => steps.decide({ kind: 'transfer', itemId: anyTransfer(), action: 'retry' });
  async function refund(): Promise<void> {
    try {
      await steps.refunded(pick.of(orders).id, 1 + pick.below(20));
    } catch (error) {
      if (!(error instanceof Error) || error.message !== 'exceeds_paid') throw error;
    }
  }
  async function evidence(): Promise<void> {
    if (pick.below(20) === 0) await ledger.adoptTransfer(anyTransfer(), unique('tr'));
  }
  async function more(): Promise<void> {
    if (pick.below(3) === 0) (orders as Paid[]).push(await steps.paid({ acct_a: 1_000, acct_b: 700, acct_c: 300 }));
  }
  async function sweep(): Promise<void> {
    await ledger.markItemsStarted((await ledger.dueItems('transfer', 50)).toReversed());
  }
  const operations: readonly (() => Promise<unknown>)[] = [
    ...Array.from({ length: 12 }, () => attempt),
    shows,
    shows,
    sellerShows,
    sellerShows,
    decide,
    refund,
    evidence,
    more,
    sweep,
    () => ledger.unparkProvider(`stripe:${pick.of(SELLERS)}`),
    () => Promise.resolve(steps.pass(20_000)),
  ];
  return () => pick.of(operations)();
}

const inFull = (error: unknown): string =>
  error instanceof Error ? `${'code' in error ? String(error.code) : ''} ${error.stack}` : String(error);

it('twenty connections that do everything at once to shares that wait never deadlock, and break no rule', {
  timeout: 120_000,
}, async () => {
  const orders: Paid[] = [];
  for (let index = 0; index < 4; index += 1) orders.push(await steps.paid({ acct_a: 1_000, acct_b: 700, acct_c: 300 }));
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
  // Something of each kind has really happened.
  const told = await many.query<{ kind: string }>('SELECT DISTINCT kind FROM operation_events');
  expect(told.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining([
      'waiting_platform_balance',
      'waiting_seller',
      'balance_suffices',
      'completed',
      'seller_gone',
    ]),
  );
});
