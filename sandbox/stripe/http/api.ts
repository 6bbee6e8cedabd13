import type { Request, RequestHandler, Response } from 'express';
import type { Settlement } from '../balance/settlement.js';
import type { CallInProgress, CallLog } from '../control/call-log.js';
import { applies, atTheDoor, atWork, type Fault, type Faults, onTheWay, type WorkKind } from '../faults.js';
import type { Buyers } from '../payments/buyers.js';
import type { Agenda } from '../state/movable-clock.js';
import { admit, type Gate, wouldReplay } from './admission.js';
import { type Answer, CUT, misbehaveAtTheDoor, misbehaveOnTheWay, problemAnswer, send } from './answers.js';
import { carryOut, type WorkDependencies } from './carry-out.js';
import type { Route } from './endpoints.js';
import { noSuchRoute, serverError } from './problems.js';
import { type ApiRequest, faultTarget, formText, readRequest } from './request.js';

export interface ApiDependencies extends Gate, WorkDependencies {
  readonly agenda: Agenda;
  readonly faults: Faults;
  readonly calls: CallLog;
  readonly settlement: Settlement;
  readonly buyers: Buyers;
}

/** Everything under /v1. */
export function apiHandler(dependencies: ApiDependencies): RequestHandler {
  return async (req: Request, res: Response) => {
    dependencies.agenda.runDue();
    const request = readRequest(req);
    const { id: requestId, method, path, route, idempotencyKey, stripeAccount, stripeVersion } = request;
    const endpoint = route?.name ?? null;
    const form = formText(request);
    const arrival = { method, path, endpoint, idempotencyKey, stripeAccount, stripeVersion, form, requestId };
    const call = dependencies.calls.begin(arrival);
    try {
      await respond(dependencies, { request, res, call });
    } finally {
      call.end();
    }
  };
}

interface Exchange {
  readonly request: ApiRequest;
  readonly res: Response;
  readonly call: CallInProgress;
}

async function respond(dependencies: ApiDependencies, exchange: Exchange): Promise<void> {
  const { request, res, call } = exchange;
  const { faults, store } = dependencies;
  const finish = (answer: Answer): void => {
    call.note({ status: answer.status, replayed: answer.original !== undefined });
    send(res, request, answer);
  };
  if (faults.isDown()) return finish(problemAnswer(serverError(503)));
  const { route } = request;
  if (route === undefined) return finish(problemAnswer(noSuchRoute(request.method, request.path)));

  const target = faultTarget(store, request, route, wouldReplay(dependencies, request));
  const fault = faults.strike((rule) => applies(rule, target));
  call.note({ fault: fault?.kind ?? null });
  const door = atTheDoor(fault);
  const answer =
    door === undefined
      ? await workOn(dependencies, { request, res, route }, atWork(fault))
      : misbehaveAtTheDoor(door, {
          res,
          seller: target.seller ?? 'the platform',
          object: target.transfer ?? route.name,
        });
  if (answer === CUT) return;
  const way = onTheWay(fault);
  if (way === undefined) return finish(answer);
  call.note({ replayed: answer.original !== undefined });
  await misbehaveOnTheWay(way, { res, request, answer });
}

async function workOn(
  dependencies: ApiDependencies,
  { request, res, route }: Pick<Exchange, 'request' | 'res'> & { readonly route: Route },
  fault: Fault<WorkKind> | undefined,
): Promise<Answer | typeof CUT> {
  const admission = admit(dependencies, request, route);
  if ('answer' in admission) {
    // What a key remembers was perhaps committed a moment ago; refusals say nothing about money.
    if (admission.answer.original !== undefined) await dependencies.store.durable();
    return admission.answer;
  }
  const { admitted } = admission;
  try {
    return await carryOut(dependencies, { request, res, admitted, fault });
  } finally {
    admitted.leave();
  }
}
