import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import express, { type ErrorRequestHandler } from 'express';
import { memoryJournal, openJournal } from '../journal.js';
import { listen } from '../listener.js';
import { apiHandler } from './api.js';
import { ControlRefused, createControl, type StripeControl } from './control.js';
import { controlRoutes } from './control-routes.js';
import { assemble, forget, type PartsOptions } from './parts.js';
import { createStore } from './store.js';

export interface StripeSandboxOptions extends Partial<PartsOptions> {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Where the journal lives; absent: nothing outlives the process. */
  readonly stateDir?: string;
}

export interface StripeSandbox extends StripeControl {
  /** What `STRIPE_API_BASE` is set to. */
  readonly url: string;
  readonly port: number;
  readonly platformAccount: string;
  close(): Promise<void>;
}

const DEFAULT_PLATFORM = 'acct_1SandboxPlatform0000000';

/**
 * Starts a stateful Stripe on the loopback interface.
 * @throws Error when the port is taken or the journal cannot be read
 */
export async function startStripeSandbox(options: StripeSandboxOptions = {}): Promise<StripeSandbox> {
  const settings = { ...options, platformAccount: options.platformAccount ?? DEFAULT_PLATFORM };
  const { platformAccount: platform } = settings;
  const { journal, entries } =
    options.stateDir === undefined
      ? { journal: memoryJournal, entries: [] }
      : await openJournal(join(options.stateDir, 'stripe.jsonl'));
  const closing = new AbortController();
  // Every slow call waits on it, and any number of calls may be slow at once.
  setMaxListeners(0, closing.signal);
  const store = createStore(journal);
  for (const entry of entries as Readonly<Record<string, unknown>>[]) store.replay(entry);
  const parts = assemble(settings, store, closing.signal);

  const app = express().disable('x-powered-by').disable('etag');
  const listener = await listen(options.port ?? 0, app);
  const control = createControl({ ...parts, platform, listener, forgetSettings: () => forget(parts, settings) });
  app.use('/control', controlRoutes(control));
  app.use(express.raw({ type: () => true, limit: '1mb' }), apiHandler(parts));
  app.use(answerError);
  return {
    ...control,
    port: listener.port,
    url: `http://127.0.0.1:${listener.port}`,
    platformAccount: platform,
    async close() {
      closing.abort();
      parts.agenda.clear();
      parts.webhooks.close();
      await listener.silence();
      await journal.close();
    },
  };
}

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
