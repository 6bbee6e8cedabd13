import { systemClock } from '../../src/domain/clock.js';
import { createFaultSwitches } from '../stand-in/fault-rules.js';
import type { StandInOptions } from '../stand-in/listener.js';
import { createSettlement } from './balance/settlement.js';
import { createCallLog } from './control/call-log.js';
import { faultRuleSchema } from './faults.js';
import type { ApiDependencies } from './http/api.js';
import { createApiKeys } from './http/api-keys.js';
import { createIdempotencyKeys } from './http/idempotency.js';
import { createLimits } from './http/limits.js';
import { createBuyers } from './payments/buyers.js';
import { createDeferredWork } from './state/deferred.js';
import { createAgenda, createMovableClock } from './state/movable-clock.js';
import type { Store } from './state/store.js';
import { createWebhooks, type WebhookTarget } from './webhooks/webhooks.js';

/** The stand-in's own, movable clock is based on `clock`. */
export interface PartsOptions extends Pick<StandInOptions, 'clock' | 'seed'> {
  /** The account the keys belong to. */
  readonly platformAccount: string;
  /** The only secret key that is let in; absent: every `sk_test_…`, `sk_live_…`, `rk_…`. */
  readonly secretKey?: string;
  /** Where events are sent; absent: nowhere until a switch says. */
  readonly webhook?: WebhookTarget;
}

/** Everything behind the API, without a socket. */
export function assemble(options: PartsOptions, store: Store, closing: AbortSignal): ApiDependencies {
  const { clock: base = systemClock, seed, secretKey, platformAccount, webhook } = options;
  const clock = createMovableClock(base);
  clock.move(store.clockOffsetMs());
  const agenda = createAgenda(clock);
  const webhooks = createWebhooks(clock, agenda, seed);
  if (webhook !== undefined) webhooks.setTarget(webhook);
  const settlement = createSettlement({ store, clock, agenda, webhooks });
  const buyers = createBuyers({ store, clock, agenda, webhooks, settlement });
  const deferred = createDeferredWork({ store, clock, agenda, webhooks, settlement, buyers });
  for (const row of store.deferred()) deferred.schedule(row);
  return {
    store,
    clock,
    agenda,
    webhooks,
    deferred,
    settlement,
    buyers,
    closing,
    apiKeys: createApiKeys(platformAccount, secretKey),
    keys: createIdempotencyKeys(store, clock),
    limits: createLimits(clock),
    faults: createFaultSwitches(faultRuleSchema, seed),
    calls: createCallLog(clock),
  };
}

/** What the journal does not hold. */
export function forget(parts: ApiDependencies, { secretKey, platformAccount }: PartsOptions): void {
  const { apiKeys, keys, limits, faults, calls, webhooks, settlement, buyers, agenda, clock } = parts;
  apiKeys.set({ accepted: secretKey === undefined ? null : { [secretKey]: platformAccount }, revoked: [] });
  for (const part of [faults, keys, limits, calls, webhooks, settlement, buyers, agenda]) part.clear();
  clock.move(0);
}
