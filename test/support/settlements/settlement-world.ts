import type { Client } from '@temporalio/client';
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import type { CloseTimeSettlementInput, SettlementActivities } from '../../../activities/contract.js';
import { createDecisionActivities } from '../../../activities/decision-activities.js';
import { createSettlementActivities } from '../../../activities/settlement-activities.js';
import type { SweepActivities } from '../../../activities/sweep-contract.js';
import { createSweeps } from '../../../activities/sweeps/sweep-lanes.js';
import type { SettlementSweepSettings } from '../../../activities/sweeps/sweep-settlements.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { atxpCredential } from '../../../sandbox/payer/atxp.js';
import { x402Credential } from '../../../sandbox/payer/x402.js';
import { createResolution } from '../../../src/calls/decisions/decide.js';
import { createRecorder } from '../../../src/calls/settlements/recorder.js';
import type { SettlementTimings } from '../../../src/calls/steps.js';
import { newSettlementId, type SettlementId } from '../../../src/domain/ids.js';
import type { Protocol } from '../../../src/domain/settlements/settlement-status.js';
import { sweepIntervals } from '../../../src/domain/sweep-lanes.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import type {
  Lease,
  NewSession,
  NewSettlement,
  SettlementFacts,
} from '../../../src/ledger/settlements/settlement-types.js';
import { createSettlementOrchestration } from '../../../src/orchestration/settlements.js';
import { isUndecodable } from '../../../src/protocols/credential.js';
import { decodeCredential } from '../../../src/protocols/decode-credential.js';
import { settleBody } from '../../../src/protocols/settle-body.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import type { Tempo } from '../../../src/providers/tempo/client.js';
import { followingClock } from '../clock-following.js';
import { aSession, aSettlement, atomic, type movableClock } from '../ledger-fixtures.js';
import { quietRuntime } from '../quiet-runtime.js';
import { workflowsInThisThread } from '../workflow-bundle.js';

export const TIMINGS: SettlementTimings = { backoffBaseMs: 1_000, backoffMaxMs: 300_000, httpTimeoutMs: 30_000 };
const SWEEP: SettlementSweepSettings = { overflowBacklog: 1_000, maxBatch: 50, maxPerSecond: 1_000 };
/** A pass that probes goes on for most of it. */
const EVERY_MS = 1_000;

/** Logs that a test can read; nothing is printed. */
export function memoryLogger() {
  const lines: { level: string; message: string; fields: unknown }[] = [];
  const at = (level: string) => (fields: unknown, message?: string) => {
    lines.push({ level, message: message ?? String(fields), fields });
  };
  return { lines, trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

// Before any connection: the SDK's runtime is made once per process, and its own log is not ours.
quietRuntime();

export interface SettlementWorld {
  readonly taskQueue: string;
  readonly activities: SettlementActivities & SweepActivities;
  readonly logger: ReturnType<typeof memoryLogger>;
  readonly orchestration: ReturnType<typeof createSettlementOrchestration>;
  stop(): Promise<void>;
}

export interface WorldOptions {
  readonly connection: NativeConnection;
  readonly client: Client;
  readonly ledger: Ledger;
  readonly authServerUrl: string;
  readonly tempo?: Tempo;
  readonly taskQueue: string;
  readonly timings?: SettlementTimings;
  readonly sweep?: SettlementSweepSettings;
  /** What the worker does differently from a test's. */
  readonly worker?: Partial<WorkerOptions>;
  /** Given: the ledger's and the sandbox's clock follows the Temporal server's skipped time. */
  readonly follow?: { readonly clock: ReturnType<typeof movableClock>; readonly nowMs: () => Promise<number> };
}

/** The real activities and the real workflow bundle in a worker of this process. */
export async function startWorld(options: WorldOptions): Promise<SettlementWorld> {
  const { ledger, client, taskQueue, timings = TIMINGS, follow } = options;
  const logger = memoryLogger();
  const orchestration = createSettlementOrchestration(client, taskQueue, timings);
  const settling = createSettlementActivities({
    ledger: { ...ledger, recordAttempt: createRecorder((outcomes) => ledger.recordAttempts(outcomes)) },
    tempo: options.tempo,
    authServer: createAuthServer({ baseUrl: options.authServerUrl, clock: { nowMs: () => Date.now() } }),
    timings,
    logger: logger as never,
    // Two workers of one task queue are two runners.
    processName: `test-${crypto.randomUUID()}`,
    monotonicMs: () => performance.now(),
  });
  const { decide } = createDecisionActivities(createResolution({ ledger, stripe: undefined, chain: options.tempo }));
  const activities = {
    ...settling,
    decide,
    ...createSweeps({
      ledger,
      settlements: { starter: orchestration, sweep: options.sweep ?? SWEEP },
      money: { starter: { wake: () => Promise.reject(new Error('there are no orders in this world')) } },
      processWebhook: () => Promise.reject(new Error('there are no webhooks in this world')),
      chain: undefined,
      intervals: sweepIntervals({
        settlement: { sweepIntervalMs: EVERY_MS },
        transferRetry: { checkIntervalMs: EVERY_MS },
        reversal: { checkIntervalMs: EVERY_MS },
      }),
      logger: logger as never,
    }),
  };
  const worker = await Worker.create({
    connection: options.connection,
    taskQueue,
    ...workflowsInThisThread(),
    activities: follow ? followingClock(activities, follow.clock, follow.nowMs) : activities,
    // Never fewer than the workflow tasks that may be at work: the SDK's worker stands still when more workflows are inside
    // a local activity than it may remember. Given 0, every task replays its history; for one workflow at a time.
    maxCachedWorkflows: 100,
    maxConcurrentActivityTaskExecutions: 300,
    ...options.worker,
  });
  const running = worker.run();
  return {
    taskQueue,
    activities,
    logger,
    orchestration,
    stop: async () => {
      worker.shutdown();
      await running;
    },
  };
}

export interface PaidOptions {
  readonly payer?: string;
  readonly spent?: number;
  readonly nowMs?: number;
  readonly validForMs?: number;
  /** ATXP: the bearer secret. */
  readonly token?: string;
}

/** A settlement as the API would store it, with a credential that the sandbox's auth server honours. */
export async function paidSettlement(
  protocol: Exclude<Protocol, 'mpp'>,
  options: PaidOptions = {},
): Promise<NewSettlement> {
  const { facts, raw, decoded, context } = await paid(protocol, options);
  const spent = atomic(options.spent ?? 3_000);
  return aSettlement({
    ...facts,
    spent,
    cap: decoded.cap,
    body: settleBody({ credential: decoded, context, spent, decimals: 6 }),
    credential: raw,
  });
}

/** A session as paidSession would open it; ATXP, because it can be metered. */
export async function paidSessionRow(lease: Lease, options: PaidOptions = {}): Promise<NewSession> {
  const { facts, raw, decoded } = await paid('atxp', options);
  return aSession(lease, { ...facts, cap: decoded.cap ?? atomic(10_000), credential: raw });
}

async function paid(protocol: Exclude<Protocol, 'mpp'>, options: PaidOptions) {
  const { payer = 'pat', spent = 3_000, nowMs = Date.now(), validForMs = 3_600_000, token } = options;
  const account = payerAccount(payer);
  const accept = {
    scheme: 'exact',
    network: 'eip155:84532',
    asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
    amount: String(spent),
    payTo: '0x1111111111111111111111111111111111111111',
    maxTimeoutSeconds: 3600,
    extra: { name: 'USDC', version: '2' },
  };
  const offered = [{ network: 'base', currency: 'USDC', address: accept.payTo, amount: '0.01' }];
  const credential =
    protocol === 'atxp'
      ? atxpCredential({ account, token })
      : await x402Credential({ account, accept, nowMs, validBefore: Math.floor((nowMs + validForMs) / 1000) });
  const raw = Object.entries(credential.headers).find(([name]) => !/request-id/i.test(name))?.[1] ?? '';
  const context = protocol === 'atxp' ? { options: offered } : { paymentRequirements: accept };
  const decoded = decodeCredential(protocol, raw, context);
  if (isUndecodable(decoded)) throw new Error(decoded.undecodable);
  const facts = {
    id: newSettlementId(nowMs),
    protocol,
    identity: decoded.identity,
    key: decoded.identity,
    payer: decoded.account,
    voucher: decoded.voucher,
    lookup: decoded.lookup,
    context: context as never,
    expiresAtMs: decoded.expiresAtMs,
  } satisfies Partial<SettlementFacts>;
  return { facts, raw, decoded, context };
}

export const workflowInput = (id: SettlementId, protocol: Protocol, settings = TIMINGS): CloseTimeSettlementInput => ({
  settlementId: id,
  protocol,
  settings,
});
