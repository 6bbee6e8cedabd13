import type { SettlementId } from '../../src/domain/ids.js';
import { type SettlementProvider, TEMPO } from '../../src/domain/settlements/settlement-providers.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { DueSettlement } from '../../src/ledger/settlements/settlement-sweep.js';
import type { Logger } from '../../src/observability/logger.js';
import type { LaneWork, Pass } from './lane-pass.js';

export interface SettlementSweepDependencies {
  readonly ledger: Pick<
    Ledger,
    'dueSettlements' | 'markStarted' | 'unblock' | 'crowded' | 'busyProviders' | 'openBreakers' | 'startable'
  >;
  readonly starter: SettlementStarter;
  readonly sweep: SettlementSweepSettings;
  readonly logger: Logger;
}

export interface SettlementStarter {
  startSettlement(settlement: DueSettlement): Promise<void>;
  /** Starts it, or tells the one that runs to look into the ledger. */
  wake(settlement: DueSettlement): Promise<void>;
  /** @returns the workflow's id */
  startBatch(settlements: readonly DueSettlement[]): Promise<string>;
}

export interface SettlementSweepSettings {
  /** Pending rows of one provider above which they go into shared workflows. */
  readonly overflowBacklog: number;
  readonly maxBatch: number;
  /** Of the chain, or of all protocols of the auth server together. */
  readonly maxPerSecond: number;
}

const PAGE = 500;
const UNBLOCKED_AT_ONCE = 100;
/** While something is left to do, or the provider is probed, one pass looks again this often. */
const LOOK_AGAIN_MS = 500;
const LOOK_AT_PAGE_MS = 25;
/** A page that a slow provider holds up does not hold up the next one for long. */
const LONGEST_WAIT_FOR_PAGE_MS = 2_000;
/** A batch holds no more than may be sent in this time, so that the pause after it is short beside any limit of a pass. */
const LONGEST_PAUSE_MS = 5_000;

/** Starts again what is due at one provider, paced. */
export function createSettlementSweep(
  provider: SettlementProvider,
  dependencies: SettlementSweepDependencies,
): LaneWork {
  const { ledger } = dependencies;
  return async (pass) => {
    const report = { unblocked: 0, started: 0, batches: 0 };
    for (;;) {
      report.unblocked += await ledger.unblock(provider, UNBLOCKED_AT_ONCE);
      const page = await startDue(provider, dependencies, pass);
      report.started += page.started.length;
      report.batches += page.batches;
      const probing = (await ledger.openBreakers()).includes(provider);
      if ((page.started.length === 0 && !probing) || pass.over()) return report;
      if (page.started.length < PAGE) await pass.sleep(LOOK_AGAIN_MS);
      else await untilHalfDone(page.started, ledger, pass);
    }
  };
}

/** Starts one page of what is due, no faster than the pace. @throws when nothing of it could be started */
async function startDue(
  provider: SettlementProvider,
  { ledger, starter, sweep, logger }: SettlementSweepDependencies,
  pass: Pass,
): Promise<{ readonly started: readonly SettlementId[]; readonly batches: number }> {
  const due = await ledger.dueSettlements(provider, PAGE);
  if (due.length === 0) return { started: [], batches: 0 };
  const shared = (await ledger.crowded(sweep.overflowBacklog)).includes(provider);
  const perSecond = sweep.maxPerSecond / (await sharers(provider, ledger));
  const batchSize = Math.min(sweep.maxBatch, Math.max(1, Math.floor((perSecond * LONGEST_PAUSE_MS) / 1000)));
  const groups = [
    // The few that wait for a person go first, as they would without the crowd.
    ...due.filter((row) => !shared || row.status !== 'pending').map((row) => [row]),
    ...(shared
      ? inBatches(
          due.filter(({ status }) => status === 'pending'),
          batchSize,
        )
      : []),
  ];
  const started: SettlementId[] = [];
  let begun = 0;
  let batches = 0;
  let failure: unknown;
  for (const group of groups) {
    const [first] = group;
    // Never before the first one: where the ledger is slow, finding them may have used up the time of a short pass.
    if (!first || (begun > 0 && pass.over())) break;
    begun += 1;
    try {
      // A pending row may have a workflow that still waits for a person, because the nudge after the decision was lost.
      if (group.length === 1) await (first.status === 'pending' ? starter.wake(first) : starter.startSettlement(first));
      const workflowId = group.length === 1 ? null : await starter.startBatch(group);
      const ids = group.map((row) => row.id);
      await ledger.markStarted(ids, workflowId);
      started.push(...ids);
      if (group.length > 1) batches += 1;
    } catch (error) {
      failure = error;
      logger.warn(
        { settlement: first.id, err: error },
        'a due settlement could not be started; the next sweep tries again',
      );
    }
    await pass.sleep(jittered((group.length * 1000) / perSecond));
  }
  if (started.length === 0 && failure !== undefined) throw failure;
  return { started, batches };
}

/** The protocols of one auth server share its pace; a chain has its own. */
async function sharers(provider: SettlementProvider, ledger: SettlementSweepDependencies['ledger']): Promise<number> {
  if (provider === TEMPO) return 1;
  const others = (await ledger.busyProviders()).filter((busy) => busy !== TEMPO && busy !== provider);
  return 1 + others.length;
}

/**
 * A full page says that more is due now: the next one follows as soon as this one is settled for the most part, and no
 * sooner, because calls that wait for each other in a busy worker run out of their time limits.
 */
async function untilHalfDone(
  page: readonly SettlementId[],
  ledger: SettlementSweepDependencies['ledger'],
  pass: Pass,
): Promise<void> {
  const giveUpMs = Date.now() + LONGEST_WAIT_FOR_PAGE_MS;
  do await pass.sleep(LOOK_AT_PAGE_MS);
  while (Date.now() < giveUpMs && (await ledger.startable(page)).length > page.length / 2);
}

function inBatches(rows: readonly DueSettlement[], size: number): DueSettlement[][] {
  const batches: DueSettlement[][] = [];
  for (let at = 0; at < rows.length; at += size) batches.push(rows.slice(at, at + size));
  return batches;
}

/** ±25 %, so that servers and sweeps that began together do not stay together. */
const jittered = (ms: number): number => ms * (0.75 + Math.random() * 0.5);
