import { setTimeout as wait } from 'node:timers/promises';
import type { Response } from 'express';
import { hang } from '../../stand-in/broken-replies.js';
import type { Settlement } from '../balance/settlement.js';
import type { Fault, WorkKind } from '../faults.js';
import type { Buyers } from '../payments/buyers.js';
import type { DeferredWork } from '../state/deferred.js';
import type { MovableClock } from '../state/movable-clock.js';
import type { Store } from '../state/store.js';
import type { Put } from '../state/tables.js';
import { renderEvents } from '../webhooks/events.js';
import type { Webhooks } from '../webhooks/webhooks.js';
import type { Admitted } from './admission.js';
import { type Answer, CUT } from './answers.js';
import { isKept } from './idempotency.js';
import { type Caller, type Plan, refusal } from './plan.js';
import { invalid, serverError } from './problems.js';
import type { ApiRequest } from './request.js';

export interface WorkDependencies {
  readonly store: Store;
  readonly clock: MovableClock;
  readonly deferred: DeferredWork;
  readonly webhooks: Webhooks;
  readonly settlement: Pick<Settlement, 'days'>;
  readonly buyers: Pick<Buyers, 'settings'>;
  /** Aborted when the stand-in goes away, so that a slow answer does not commit behind its back. */
  readonly closing: AbortSignal;
}

export interface Work {
  readonly request: ApiRequest;
  readonly res: Response;
  readonly admitted: Admitted;
  readonly fault: Fault<WorkKind> | undefined;
}

/** What a slow answer takes where the rule does not say. */
const SLOW_MS = 5_000;

/**
 * Carries a request out: what it moves and the answer its key keeps are one commit, and nothing is answered before that
 * is durable. The caller may have given up meanwhile; it is carried out all the same, as Stripe would.
 * @returns {@link CUT} where the connection ended without an answer and nothing was done
 */
export async function carryOut(dependencies: WorkDependencies, work: Work): Promise<Answer | typeof CUT> {
  const { store, clock, webhooks, deferred, closing } = dependencies;
  const { request, res, admitted, fault } = work;
  if (fault?.kind === 'hang_before_commit') {
    await hang(res, fault.rule.ms);
    return CUT;
  }
  if (fault?.kind === 'slow') await wait(fault.rule.ms ?? SLOW_MS, undefined, { signal: closing });

  const { world, account, turn } = admitted;
  const caller: Caller = {
    store,
    world,
    account,
    nowMs: clock.nowMs(),
    settlementDays: dependencies.settlement.days(),
    ...dependencies.buyers.settings(),
  };
  const plan = admitted.plan(caller);
  const later =
    fault?.kind === 'finish_later' && plan.status < 400 ? deferred.row(request, caller, fault.rule.ms) : null;
  const done = fault === undefined ? plan : distorted(plan, fault);
  const body = JSON.stringify(done.body);
  const puts: Put[] = [...done.puts];
  if (later !== null) puts.push({ table: 'deferred', row: later });
  if (turn !== undefined && isKept(done.status)) {
    puts.push({ table: 'key', row: turn.saved({ status: done.status, body, requestId: request.id }) });
  }
  const committed = store.commit(puts);
  admitted.unlock();
  const events = renderEvents(done.events, caller.nowMs, {
    id: request.id,
    idempotency_key: request.idempotencyKey,
  });
  await committed;
  // A read may have seen what another call committed a moment ago.
  await store.durable();
  webhooks.emit(events);
  if (later !== null) deferred.schedule(later);
  return { status: done.status, body };
}

/** What a fault makes of a plan: the money and the words about it part company. */
function distorted(plan: Plan, { kind, rule }: Fault<WorkKind>): Plan {
  const stumbled = refusal(serverError(rule.status));
  switch (kind) {
    case 'server_error':
    case 'finish_later':
      return stumbled;
    case 'server_error_after_commit':
      return { ...plan, status: stumbled.status, body: stumbled.body };
    case 'refused': {
      const details = rule.code === undefined ? {} : { code: rule.code };
      return refusal(invalid(rule.message ?? 'This request was refused.', details, rule.status));
    }
    case 'slow':
    case 'hang_before_commit':
      return plan;
  }
}
