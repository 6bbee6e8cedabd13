import { barred } from '../accounts/accounts.js';
import type { World } from '../state/records.js';
import type { Store } from '../state/store.js';
import { type Answer, problemAnswer } from './answers.js';
import type { ApiKeys } from './api-keys.js';
import type { EndpointName, Route } from './endpoints.js';
import type { FirstTurn, IdempotencyKeys, KeyedRequest } from './idempotency.js';
import type { Limits } from './limits.js';
import type { Caller, Plan } from './plan.js';
import { invalid, locked, type Problem, rateLimited } from './problems.js';
import type { ApiRequest } from './request.js';

export interface Gate {
  readonly store: Store;
  readonly apiKeys: ApiKeys;
  readonly keys: IdempotencyKeys;
  readonly limits: Limits;
}

/** A request that may be carried out; `leave` must be called when it has been. */
export interface Admitted {
  readonly world: World;
  readonly account: string;
  readonly plan: (caller: Caller) => Plan;
  readonly turn: FirstTurn | undefined;
  /** Frees the object: to be called at the commit, so that a slow disk looks like no second writer. */
  readonly unlock: () => void;
  readonly leave: () => void;
}

export type Admission = { readonly answer: Answer } | { readonly admitted: Admitted };

/** Two of these never work on one transfer at the same time, nor two transfers on the charge that they draw on. */
const ONE_AT_A_TIME: readonly EndpointName[] = ['reversals.create', 'transfers.update'];

function writtenBy({ pairs }: ApiRequest, { name, ids }: Route): string | undefined {
  if (name === 'transfers.create') return pairs.find(([each]) => each === 'source_transaction')?.[1];
  return ONE_AT_A_TIME.includes(name) ? ids[0] : undefined;
}

/**
 * The order matters: who asks, limits, parameters, the idempotency key, the lock. Only what comes after the key is kept
 * by it, so neither 429 nor 409 nor a wrong parameter is ever replayed (docs.stripe.com/api/idempotent_requests).
 */
export function admit(gate: Gate, request: ApiRequest, route: Route): Admission {
  const opened = whoAsks(gate, request);
  if ('problem' in opened) return refused(opened.problem);
  if (!gate.limits.admits(route.name)) {
    const { retryAfterSeconds } = gate.limits.settings();
    return { answer: { ...problemAnswer(rateLimited), retryAfterSeconds: retryAfterSeconds ?? undefined } };
  }
  if (request.json) return refused(invalid('This API reads form-encoded bodies, not JSON.'));
  const reading = route.read(request.pairs);
  if ('problem' in reading) return refused(reading.problem);
  const turn = beginKeyed(gate, request, opened);
  if (turn !== undefined && 'answer' in turn) return turn;

  const written = writtenBy(request, route);
  const unlock = written === undefined ? undefined : gate.limits.lock(written);
  if (written !== undefined && unlock === undefined) {
    turn?.end();
    return refused(locked(written));
  }
  return {
    admitted: {
      ...opened,
      plan: reading.plan,
      turn,
      unlock: () => unlock?.(),
      leave() {
        unlock?.();
        turn?.end();
      },
    },
  };
}

const refused = (problem: Problem): Admission => ({ answer: problemAnswer(problem) });

interface Opened {
  readonly world: World;
  readonly account: string;
}

function whoAsks({ apiKeys, store }: Gate, request: ApiRequest): Opened | { readonly problem: Problem } {
  const opened = apiKeys.open(request.authorization);
  if ('problem' in opened) return opened;
  const account = request.stripeAccount ?? opened.world.platform;
  const problem = barred(store, opened.world, account);
  return problem ? { problem } : { world: opened.world, account };
}

function beginKeyed(
  gate: Gate,
  request: ApiRequest,
  opened: Opened,
): FirstTurn | { readonly answer: Answer } | undefined {
  const keyed = keyedRequest(request, opened);
  if (keyed === undefined) return undefined;
  const begun = gate.keys.begin(keyed);
  switch (begun.kind) {
    case 'first':
      return begun.turn;
    case 'refused':
      return { answer: problemAnswer(begun.problem) };
    case 'replay': {
      const { status, body, requestId } = begun.saved;
      return { answer: { status, body, original: requestId } };
    }
  }
}

function keyedRequest(request: ApiRequest, { world, account }: Opened): KeyedRequest | undefined {
  const { idempotencyKey: key, path, pairs } = request;
  return key === null ? undefined : { world, account, key, path, pairs };
}

/** Whether the key's memory would answer this request, so that faults of the work pass it by. */
export function wouldReplay(gate: Gate, request: ApiRequest): boolean {
  const opened = whoAsks(gate, request);
  const keyed = 'problem' in opened ? undefined : keyedRequest(request, opened);
  return keyed !== undefined && gate.keys.remembers(keyed);
}
