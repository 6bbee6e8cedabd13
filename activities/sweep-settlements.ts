import { Context } from '@temporalio/activity';
import type { SettlementId } from '../src/domain/ids.js';
import type { SettlementProvider } from '../src/domain/settlement-providers.js';
import type { Ledger } from '../src/ledger/ledger.js';
import type { AbandonedSession, DueSettlement } from '../src/ledger/sweep.js';
import type { Logger } from '../src/observability/logger.js';
import { isUndecodable } from '../src/protocols/credential.js';
import { decodeCredential } from '../src/protocols/decode-credential.js';
import { settleBody } from '../src/protocols/settle-body.js';
import { type CaptureDependencies, captureChannels } from './capture-channels.js';
import type { SweepReport } from './contract.js';

export interface SweepDependencies {
  readonly ledger: Pick<
    Ledger,
    | 'abandonedSessions'
    | 'closeAbandoned'
    | 'abandonedRequests'
    | 'closeAbandonedRequest'
    | 'dueSettlements'
    | 'markStarted'
    | 'unblock'
    | 'eraseOverdue'
    | 'reseal'
    | 'sweepStarted'
    | 'sweepSucceeded'
    | 'crowded'
    | 'openBreakers'
    | 'startable'
  >;
  readonly starter: SettlementStarter;
  /** Undefined: no chain is configured, and what channels have earned waits in the ledger. */
  readonly captures: CaptureDependencies | undefined;
  readonly sweep: SweepSettings;
  readonly logger: Logger;
}

export interface SettlementStarter {
  startSettlement(settlement: DueSettlement): Promise<void>;
  /** Starts it, or tells the one that runs to look into the ledger. */
  wake(settlement: DueSettlement): Promise<void>;
  /** @returns the workflow's id */
  startBatch(settlements: readonly DueSettlement[]): Promise<string>;
}

export interface SweepSettings {
  readonly intervalMs: number;
  /** Pending rows of one provider above which they go into shared workflows. */
  readonly overflowBacklog: number;
  readonly maxBatch: number;
  readonly maxPerSecond: number;
}

const PAGE = 500;
/** While something is left to do, or a provider is probed, one pass looks again this often. */
const LOOK_AGAIN_MS = 500;
const LOOK_AT_PAGE_MS = 25;
/** A page that a slow provider holds up does not hold up the next one for long. */
const LONGEST_WAIT_FOR_PAGE_MS = 2_000;
/** A pass goes on for most of the interval; the schedule then starts the next one. */
const SHARE_OF_INTERVAL = 0.8;
/** Well below the activity's time limit, however long the interval. */
const LONGEST_PASS_MS = 5 * 60_000;

/** One pass: close what dead servers left open, start again what is due, paced; then keep the ledger tidy. */
export function createSweep(dependencies: SweepDependencies) {
  const { ledger, sweep, captures, logger } = dependencies;
  return async function sweepSettlements(): Promise<SweepReport> {
    const context = Context.current();
    const endMs = Date.now() + Math.min(Math.max(sweep.intervalMs * SHARE_OF_INTERVAL, LOOK_AGAIN_MS), LONGEST_PASS_MS);
    const report = emptyReport();
    await ledger.sweepStarted('settlements');
    for (;;) {
      report.sessionsClosed += await closeAbandoned(dependencies);
      report.requestsClosed += await closeAbandonedRequests(dependencies);
      if (captures) report.capturesOpened += await captureChannels(captures);
      report.unblocked += await ledger.unblock(100);
      const started = await startDue(dependencies, report, (ms) => rest(context, ms));
      const probing = (await ledger.openBreakers()).length > 0;
      context.heartbeat();
      if ((started.length === 0 && !probing) || Date.now() >= endMs) break;
      // Ends early when the worker shuts down: the next pass continues.
      if (started.length < PAGE) await context.sleep(LOOK_AGAIN_MS);
      else await untilHalfDone(started, ledger, context);
    }
    report.erased = await ledger.eraseOverdue(PAGE);
    report.resealed = await ledger.reseal(PAGE);
    await ledger.sweepSucceeded('settlements', { ...report });
    if (report.started > 0 || report.sessionsClosed > 0 || report.requestsClosed > 0)
      logger.info({ report }, 'sweep took up settlements that had stopped');
    return report;
  };
}

const emptyReport = (): SweepReport => ({
  sessionsClosed: 0,
  requestsClosed: 0,
  capturesOpened: 0,
  started: 0,
  batches: 0,
  unblocked: 0,
  erased: 0,
  resealed: 0,
});

/** What a dead server has reserved on channels is given back, and what it had made durable is earned. */
async function closeAbandonedRequests({ ledger, logger }: SweepDependencies): Promise<number> {
  let closed = 0;
  for (const request of await ledger.abandonedRequests(PAGE)) {
    try {
      if (await ledger.closeAbandonedRequest(request)) closed += 1;
    } catch (error) {
      logger.error(
        { request: request.id, channel: request.channelId, err: error },
        'an abandoned request of a channel could not be closed; it is tried again by the next sweep',
      );
    }
  }
  return closed;
}

async function closeAbandoned({ ledger, logger }: SweepDependencies): Promise<number> {
  let closed = 0;
  for (const session of await ledger.abandonedSessions(PAGE)) {
    try {
      if (await ledger.closeAbandoned(session, closingBody(session))) closed += 1;
    } catch (error) {
      // One bad row never keeps the others open.
      logger.error(
        { settlement: session.id, err: error },
        'an abandoned session could not be closed; it is tried again by the next sweep',
      );
    }
  }
  return closed;
}

/** What to send for a session that its own server could not close; null: nothing durable was charged. */
function closingBody({ protocol, credential, context, spent, decimals }: AbandonedSession): string | null {
  if (credential instanceof Error) throw credential;
  const decoded = decodeCredential(protocol, credential, context, decimals);
  if (isUndecodable(decoded))
    throw new Error(`the credential of an open session is undecodable: ${decoded.undecodable}`);
  if (BigInt(spent) === 0n && !decoded.closesAtZero) return null;
  return settleBody({ credential: decoded, context, spent, decimals });
}

/** Starts one page of what is due, no faster than the pace. @returns the rows that were started */
async function startDue(
  { ledger, starter, sweep, logger }: SweepDependencies,
  report: SweepReport,
  pause: (ms: number) => Promise<void>,
): Promise<SettlementId[]> {
  const due = await ledger.dueSettlements(PAGE);
  const crowded: ReadonlySet<SettlementProvider> = new Set(
    due.length > 0 ? await ledger.crowded(sweep.overflowBacklog) : [],
  );
  const isShared = (row: DueSettlement) => row.status === 'pending' && crowded.has(row.provider);
  // The few of the others go first, as they would without the crowd.
  const groups = [
    ...due.filter((row) => !isShared(row)).map((row) => [row]),
    ...inBatches(due.filter(isShared), sweep.maxBatch),
  ];
  const started: SettlementId[] = [];
  for (const group of groups) {
    const [first] = group;
    if (!first) continue;
    try {
      // A pending row may have a workflow that still waits for a person, because the nudge after the decision was lost.
      if (group.length === 1) await (first.status === 'pending' ? starter.wake(first) : starter.startSettlement(first));
      const workflowId = group.length === 1 ? null : await starter.startBatch(group);
      const ids = group.map((row) => row.id);
      await ledger.markStarted(ids, workflowId);
      started.push(...ids);
      report.started += group.length;
      if (group.length > 1) report.batches += 1;
    } catch (error) {
      logger.warn(
        { settlement: first.id, err: error },
        'a due settlement could not be started; the next sweep tries again',
      );
    }
    await pause(jittered((group.length * 1000) / sweep.maxPerSecond));
  }
  return started;
}

/**
 * A full page says that more is due now: the next one follows as soon as this one is settled for the most part, and no
 * sooner, because calls that wait for each other in a busy worker run out of their time limits.
 */
async function untilHalfDone(
  page: readonly SettlementId[],
  ledger: SweepDependencies['ledger'],
  context: Context,
): Promise<void> {
  const giveUpMs = Date.now() + LONGEST_WAIT_FOR_PAGE_MS;
  do {
    await context.sleep(LOOK_AT_PAGE_MS);
    context.heartbeat();
  } while (Date.now() < giveUpMs && (await ledger.startable(page)).length > page.length / 2);
}

/** Rows of one batch share a provider: an outage of one provider never holds up the rows of another. */
function inBatches(rows: readonly DueSettlement[], size: number): DueSettlement[][] {
  const batches: DueSettlement[][] = [];
  for (const provider of new Set(rows.map((row) => row.provider))) {
    const same = rows.filter((row) => row.provider === provider);
    for (let at = 0; at < same.length; at += size) batches.push(same.slice(at, at + size));
  }
  return batches;
}

/** ±25 %, so that servers and sweeps that began together do not stay together. */
const jittered = (ms: number): number => ms * (0.75 + Math.random() * 0.5);

/** Well below the heartbeat timeout: at one call a second a batch of fifty is followed by a minute of silence. */
const BEAT_EVERY_MS = 5_000;

async function rest(context: Context, ms: number): Promise<void> {
  context.heartbeat();
  for (let left = ms; left > 0; left -= BEAT_EVERY_MS) {
    await context.sleep(Math.min(left, BEAT_EVERY_MS));
    context.heartbeat();
  }
}
