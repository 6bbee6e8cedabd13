import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import express, { type ErrorRequestHandler } from 'express';
import { type Clock, systemClock } from '../../domain/clock.js';
import { memoryJournal, openJournal } from '../journal.js';
import { listen } from '../listener.js';
import { createApiKeys } from './access.js';
import { type ApiDependencies, apiHandler } from './api.js';
import { createCallLog } from './call-log.js';
import { ControlRefused, createControl, type StripeControl } from './control.js';
import { controlRoutes } from './control-routes.js';
import { createDeferredWork } from './deferred.js';
import { createStripeFaults } from './faults.js';
import { createIdempotencyKeys } from './idempotency.js';
import { createLimits } from './limits.js';
import { createAgenda, createMovableClock } from './sandbox-clock.js';
import { createStore } from './store.js';
import { createWebhooks, type WebhookTarget } from './webhooks.js';

export interface StripeSandboxOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Where the journal lives; absent: nothing outlives the process. */
  readonly stateDir?: string;
  /** What the stand-in's own, movable clock is based on. */
  readonly clock?: Clock;
  /** Draws of the fault rules; the same calls in the same order meet the same faults. */
  readonly seed?: number;
  /** The only secret key that is let in; absent: every `sk_test_…`, `sk_live_…`, `rk_…`. */
  readonly secretKey?: string;
  /** The account the keys belong to. */
  readonly platformAccount?: string;
  /** Where events are sent; absent: nowhere until a switch says. */
  readonly webhook?: WebhookTarget;
}

export interface StripeSandbox extends StripeControl {
  /** What `STRIPE_API_BASE` is set to. */
  readonly url: string;
  readonly port: number;
  readonly platformAccount: string;
  close(): Promise<void>;
}

export const DEFAULT_PLATFORM = 'acct_1SandboxPlatform0000000';

/**
 * Starts a stateful Stripe on the loopback interface.
 * @throws Error when the port is taken or the journal cannot be read
 */
export async function startStripeSandbox(options: StripeSandboxOptions = {}): Promise<StripeSandbox> {
  const { platformAccount = DEFAULT_PLATFORM } = options;
  const { journal, entries } =
    options.stateDir === undefined
      ? { journal: memoryJournal, entries: [] }
      : await openJournal(join(options.stateDir, 'stripe.jsonl'));
  const closing = new AbortController();
  // Every slow call waits on it, and any number of calls may be slow at once.
  setMaxListeners(0, closing.signal);
  const store = createStore(journal);
  for (const entry of entries as Readonly<Record<string, unknown>>[]) store.replay(entry);
  const parts = assemble({ ...options, platformAccount }, store, closing.signal);

  const app = express().disable('x-powered-by').disable('etag');
  const listener = await listen(options.port ?? 0, app);
  const control = createControl({
    ...parts,
    platform: platformAccount,
    listener,
    forgetSettings: forget(parts, options),
  });
  app.use('/control', controlRoutes(control));
  app.use(express.raw({ type: () => true, limit: '1mb' }), apiHandler(parts));
  app.use(answerError);
  return {
    ...control,
    port: listener.port,
    url: `http://127.0.0.1:${listener.port}`,
    platformAccount,
    async close() {
      closing.abort();
      parts.agenda.clear();
      parts.webhooks.close();
      await listener.silence();
      await journal.close();
    },
  };
}

function assemble(
  options: StripeSandboxOptions & { readonly platformAccount: string },
  store: ApiDependencies['store'],
  closing: AbortSignal,
): ApiDependencies {
  const { clock: base = systemClock, seed, secretKey, platformAccount, webhook } = options;
  const clock = createMovableClock(base);
  clock.move(store.clockOffsetMs());
  const agenda = createAgenda(clock);
  const webhooks = createWebhooks(clock, agenda, seed);
  if (webhook !== undefined) webhooks.setTarget(webhook);
  const deferred = createDeferredWork({ store, clock, agenda, webhooks });
  for (const row of store.deferred()) deferred.schedule(row);
  return {
    store,
    clock,
    agenda,
    webhooks,
    deferred,
    closing,
    apiKeys: createApiKeys(platformAccount, secretKey),
    keys: createIdempotencyKeys(store, clock),
    limits: createLimits(clock),
    faults: createStripeFaults(seed),
    calls: createCallLog(clock),
  };
}

/** What the journal does not hold. */
const forget =
  (parts: ApiDependencies, { seed, secretKey, platformAccount = DEFAULT_PLATFORM }: StripeSandboxOptions) =>
  () => {
    const { apiKeys, keys, limits, faults, calls, webhooks, agenda, clock } = parts;
    apiKeys.set({ accepted: secretKey === undefined ? null : { [secretKey]: platformAccount }, revoked: [] });
    faults.set([], seed);
    faults.setDown(false);
    for (const part of [keys, limits, calls, webhooks, agenda]) part.clear();
    clock.move(0);
  };

/** Bad control bodies and calls cut short by the end of the stand-in; express would print them to the console. */
const answerError: ErrorRequestHandler = (error: { status?: number; message?: string }, _req, res, _next) => {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const refused = error instanceof ControlRefused;
  const status = refused ? 400 : (error.status ?? 500);
  const code = status < 500 ? 'invalid_request' : 'internal_error';
  res.status(status).json({ error: { code, message: refused ? error.message : 'not read' } });
};
