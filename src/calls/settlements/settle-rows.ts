import { assertNever } from '../../domain/assert-never.js';
import { type Answer, isUndecided } from '../../domain/calls/answers.js';
import { next } from '../../domain/calls/next.js';
import type { SettlementId } from '../../domain/ids.js';
import { formatDecimal, parseAtomic, parseDecimal } from '../../domain/money.js';
import { TEMPO } from '../../domain/settlements/settlement-providers.js';
import type { Protocol, SettlementStatus } from '../../domain/settlements/settlement-status.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { AttemptOutcome, ClaimedSettlement, ClaimRefusal } from '../../ledger/settlements/settlement-types.js';
import type { Logger } from '../../observability/logger.js';
import type { RowOutcome, SettlementTimings } from '../steps.js';

export interface SettleRowsDependencies {
  readonly ledger: Pick<Ledger, 'claimSettlements' | 'findSettlement' | 'settlementStopped'> & {
    /** Shares one commit with other attempts that end at the same moment. */
    recordAttempt(outcome: AttemptOutcome): Promise<SettlementStatus | null>;
  };
  readonly authServer: {
    settle(protocol: Protocol, call: SettleCall): Promise<Answer>;
  };
  /** Undefined: TEMPO_RPC_URL is not set here. */
  readonly tempo: { settle(call: CaptureCall): Promise<Answer> } | undefined;
  readonly timings: SettlementTimings;
  readonly logger: Logger;
  /** Names this process among all runners. */
  readonly processName: string;
  /** Steady milliseconds; it must not jump with the wall clock. */
  readonly monotonicMs: () => number;
}

interface SettleCall {
  readonly body: string;
  readonly key: string;
  readonly timeoutMs: number;
}

interface CaptureCall extends SettleCall {
  /** Asked immediately before the transaction leaves. @returns why it may not any more; undefined: it may */
  readonly stopped: () => Promise<string | undefined>;
}

/** A claim outlives the call it allows by this much; a process that stalls longer between the two does not send. */
const CLAIM_MARGIN_MS = 5_000;

/** Claims what may be sent, sends it, records how each ended. Rows never wait for each other's answers. */
export function createSettleRows(dependencies: SettleRowsDependencies) {
  const { ledger, processName, monotonicMs } = dependencies;
  let sequence = 0;

  return async function settleRows(ids: readonly SettlementId[], timeoutMs: number): Promise<RowOutcome[]> {
    sequence += 1;
    const attempt: Attempt = {
      runner: `${processName}/${sequence}`,
      timeoutMs,
      sendBeforeMs: monotonicMs() + CLAIM_MARGIN_MS,
    };
    const { claimed, refused } = await ledger.claimSettlements(ids, attempt.runner, timeoutMs + CLAIM_MARGIN_MS);
    const alone = claimed.length + refused.length === 1;
    const sent = claimed.map((settlement) =>
      settleOne(settlement, attempt, dependencies).catch((error: unknown) => {
        if (alone) throw error;
        return notRecorded(settlement, error, dependencies);
      }),
    );
    return [...(await Promise.all(sent)), ...refused.map(fromRefusal)];
  };
}

interface Attempt {
  readonly runner: string;
  readonly timeoutMs: number;
  readonly sendBeforeMs: number;
}

async function settleOne(
  claimed: ClaimedSettlement,
  attempt: Attempt,
  dependencies: SettleRowsDependencies,
): Promise<RowOutcome> {
  const { ledger, timings, monotonicMs } = dependencies;
  const sentAtMs = monotonicMs();
  if (sentAtMs >= attempt.sendBeforeMs) {
    return {
      settlementId: claimed.id,
      kind: 'retry',
      afterMs: attempt.timeoutMs + CLAIM_MARGIN_MS,
      why: 'this process stalled after its claim',
    };
  }
  const answer = await send(claimed, attempt, dependencies);
  const decision = next(
    {
      certainty: claimed.certainty,
      answer,
      keyLeftMs: claimed.keyLeftMs,
      attempts: claimed.attempts,
      amountDiffers: answer.kind === 'done' && !saysAmount(answer.settledAmount, claimed),
      sinceSentMs: monotonicMs() - sentAtMs,
    },
    {
      backoffBaseMs: timings.backoffBaseMs,
      backoffMaxMs: timings.backoffMaxMs,
      answerWindowMs: timings.httpTimeoutMs,
      provesSettled: claimed.provider === TEMPO,
      byVoucher: claimed.byVoucher,
    },
  );
  const patient = attempt.timeoutMs >= timings.httpTimeoutMs;
  const outcome: AttemptOutcome = { id: claimed.id, runner: attempt.runner, answer, decision, patient };
  const failed = answer.kind !== 'done' && !isUndecided(answer, patient);
  if (failed && !claimed.failedBefore) logFirstFailure(claimed, answer, dependencies.logger);
  const status = await ledger.recordAttempt(outcome);
  return await describe(outcome, status, dependencies);
}

/**
 * Nothing said is nothing against it: what was asked for is what was settled. The unit of what is said is not the same for
 * all protocols, so either reading of it will do.
 */
function saysAmount(said: string | undefined, { spent, decimals }: ClaimedSettlement): boolean {
  if (said === undefined || parseAtomic(said) === spent) return true;
  return parseDecimal(said, decimals) === BigInt(spent);
}

/** Whoever settles this row: the auth server, or the chain. */
async function send(
  { id, protocol, provider, body, key }: ClaimedSettlement,
  { runner, timeoutMs }: Attempt,
  { ledger, authServer, tempo }: SettleRowsDependencies,
): Promise<Answer> {
  const call = { body, key, timeoutMs };
  if (provider !== TEMPO) return await authServer.settle(protocol, call);
  return tempo
    ? await tempo.settle({ ...call, stopped: () => ledger.settlementStopped(id, runner) })
    : { kind: 'misdirected', detail: 'no chain can be reached here: set TEMPO_RPC_URL and the settings beside it' };
}

/** Among many, a row whose outcome the ledger did not take says so for itself alone; its claim lapses, and it is asked again. */
function notRecorded(
  { id }: ClaimedSettlement,
  error: unknown,
  { logger, timings }: SettleRowsDependencies,
): RowOutcome {
  logger.warn({ settlement: id, err: error }, 'the outcome of a call could not be recorded; it is unknown until asked');
  return {
    settlementId: id,
    kind: 'retry',
    afterMs: timings.backoffBaseMs,
    why: 'the ledger did not take the outcome of the call',
  };
}

/** The marker of the ATXP SDK's close-time settlement, which operators alert on; its wording is fixed. */
function logFirstFailure(claimed: ClaimedSettlement, answer: Answer, logger: Logger): void {
  logger.warn(
    { settlement: claimed.id, answer: answer.kind, detail: answer.kind === 'done' ? undefined : answer.detail },
    `settle_failed_at_close protocol=${claimed.protocol} amount=${formatDecimal(claimed.spent, claimed.decimals)}`,
  );
}

async function describe(
  { id, decision, answer }: AttemptOutcome,
  status: SettlementStatus | null,
  { ledger, timings }: SettleRowsDependencies,
): Promise<RowOutcome> {
  if (status === null) {
    return {
      settlementId: id,
      kind: 'retry',
      afterMs: timings.httpTimeoutMs,
      why: 'the claim lapsed before the answer came',
    };
  }
  switch (decision.do) {
    case 'finish':
      return { settlementId: id, kind: 'final', status, txHash: answer.kind === 'done' ? answer.txHash : null };
    case 'retry':
      return {
        settlementId: id,
        kind: 'retry',
        afterMs: decision.afterMs,
        why: answer.kind === 'done' ? '' : answer.detail,
      };
    case 'park':
      return { settlementId: id, kind: 'waiting', why: 'parked' };
    case 'ask': {
      if (status === 'pending') return { settlementId: id, kind: 'waiting', why: 'blocked' };
      return await readOutcome(id, ledger);
    }
    default:
      return assertNever(decision);
  }
}

/** A settlement as the ledger holds it now, in the words of a workflow. */
export async function readOutcome(id: SettlementId, ledger: Pick<Ledger, 'findSettlement'>): Promise<RowOutcome> {
  const settlement = await ledger.findSettlement(id);
  if (!settlement)
    throw new Error(`settlement ${id} is not in the ledger; the workflow and the database do not belong together`);
  if (settlement.status === 'pending' || settlement.status === 'open') {
    return { settlementId: id, kind: 'retry', afterMs: 0, why: `it is ${settlement.status}` };
  }
  if (settlement.status === 'needs_attention' && settlement.attention) {
    return {
      settlementId: id,
      kind: 'attention',
      reason: settlement.attention.reason,
      detail: settlement.attention.detail,
    };
  }
  return { settlementId: id, kind: 'final', status: settlement.status, txHash: settlement.txHash };
}

function fromRefusal(refusal: ClaimRefusal): RowOutcome {
  switch (refusal.kind) {
    case 'final':
      return {
        settlementId: refusal.id,
        kind: 'final',
        status: refusal.settlement.status,
        txHash: refusal.settlement.txHash,
      };
    case 'attention':
      return {
        settlementId: refusal.id,
        kind: 'attention',
        reason: refusal.settlement.attention?.reason ?? 'credential_refused',
        detail: refusal.settlement.attention?.detail ?? '',
      };
    case 'held':
      return {
        settlementId: refusal.id,
        kind: 'retry',
        afterMs: refusal.forMs,
        why: 'an earlier call may still be at work',
      };
    case 'waiting':
      return { settlementId: refusal.id, kind: 'waiting', why: refusal.why };
    default:
      return assertNever(refusal);
  }
}
