import { randomUUID } from 'node:crypto';
import { afterAll, onTestFinished } from 'vitest';
import type { Answer } from '../../src/domain/calls/answers.js';
import { next } from '../../src/domain/calls/next.js';
import { type Clock, systemClock } from '../../src/domain/clock.js';
import { newSettlementId } from '../../src/domain/ids.js';
import type { DisputeRules } from '../../src/domain/marketplace/disputes.js';
import type { OffsetRules } from '../../src/domain/marketplace/offsets.js';
import type { AtomicAmount } from '../../src/domain/money.js';
import { createDatabase, type Database } from '../../src/ledger/database.js';
import { createLedger, type Ledger } from '../../src/ledger/ledger.js';
import { createSealer, type Sealer } from '../../src/ledger/sealer.js';
import type {
  AttemptOutcome,
  ClaimedSettlement,
  Lease,
  NewSession,
  NewSettlement,
} from '../../src/ledger/settlements/settlement-types.js';
import { createTestDatabase } from './database.js';

export const atomic = (digits: string | number | bigint): AtomicAmount => String(digits) as AtomicAmount;
export const testKey = (id = '1', fill = 7) => ({ id, key: Buffer.alloc(32, fill) });

/** A clock that stands at the real time until a test moves it. */
export function movableClock(): Clock & { advance(ms: number): void } {
  let offsetMs = 0;
  return {
    nowMs: () => systemClock.nowMs() + offsetMs,
    advance(ms) {
      offsetMs += ms;
    },
  };
}

export interface TestLedger {
  readonly ledger: Ledger;
  readonly database: Database;
  readonly url: string;
  readonly clock: ReturnType<typeof movableClock>;
  readonly dispose: () => Promise<void>;
}

export async function openTestLedger(
  options: { sealer?: Sealer; approvalThreshold?: bigint; disputeRules?: DisputeRules; offsets?: OffsetRules } = {},
): Promise<TestLedger> {
  const { url, drop } = await createTestDatabase();
  const clock = movableClock();
  const database = createDatabase({ url, clock });
  const ledger = createLedger({
    database,
    sealer: options.sealer ?? createSealer([testKey()]),
    clock,
    approvalThreshold: options.approvalThreshold ?? 10_000n,
    disputeRules: options.disputeRules,
    offsets: options.offsets,
  });
  return {
    ledger,
    database,
    url,
    clock,
    dispose: async () => {
      await database.close();
      await drop();
    },
  };
}

/** One ledger for all tests of the file that calls this while it is read. */
export async function ledgerForFile(options?: Parameters<typeof openTestLedger>[0]): Promise<TestLedger> {
  const test = await openTestLedger(options);
  afterAll(() => test.dispose());
  return test;
}

/** A ledger that is there until the test ends. */
export async function ledgerForTest(options?: Parameters<typeof openTestLedger>[0]): Promise<TestLedger> {
  const test = await openTestLedger(options);
  onTestFinished(() => test.dispose());
  return test;
}

/** What every payment has, unlike that of any other. */
const someFacts = (unique: string) =>
  ({
    id: newSettlementId(Date.now()),
    key: `key-${unique}`,
    identity: `identity-${unique}`,
    contentSha256: 'content',
    protocol: 'x402',
    asset: 'USDC',
    decimals: 6,
    payer: `payer-${unique}`,
    voucher: null,
  }) as const;

export function aSession(lease: Lease, changes: Partial<NewSession> = {}): NewSession {
  const unique = randomUUID();
  return {
    ...someFacts(unique),
    lookup: { network: 'eip155:8453' },
    context: {},
    expiresAtMs: null,
    route: 'GET /paid',
    cap: atomic(10_000),
    credential: `credential-${unique}`,
    lease,
    closeToken: randomUUID(),
    longestMs: 60_000,
    releasedLimit: 60,
    voucherChallenge: null,
    exposure: {},
    ...changes,
  };
}

export function aSettlement(changes: Partial<NewSettlement> = {}): NewSettlement {
  const unique = randomUUID();
  return {
    ...someFacts(unique),
    lookup: {},
    context: {},
    expiresAtMs: null,
    spent: atomic(3_000),
    cap: atomic(10_000),
    body: `{"id":"${unique}"}`,
    undecodable: null,
    credential: `credential-${unique}`,
    ...changes,
  };
}

export const DONE: Answer = { kind: 'done', alreadySettled: false, txHash: '0xabc' };
export const SERVER_ERROR: Answer = { kind: 'unclear', why: 'server_error', detail: '503' };
export const NO_ANSWER: Answer = { kind: 'unclear', why: 'no_answer', detail: 'no answer in time' };
export const refused = (why: 'insufficient' | 'used' | 'expired' | 'other'): Answer => ({
  kind: 'refused',
  why,
  detail: `400 ${why}`,
});

const POLICY = { backoffBaseMs: 1_000, backoffMaxMs: 300_000, answerWindowMs: 30_000 };

/** What an activity would record for this answer. */
export function attempt(claimed: ClaimedSettlement, answer: Answer, runner: string): AttemptOutcome {
  const decision = next(
    { certainty: claimed.certainty, answer, keyLeftMs: claimed.keyLeftMs, attempts: claimed.attempts, sinceSentMs: 0 },
    POLICY,
  );
  return { id: claimed.id, runner, answer, decision, patient: true };
}
