import express from 'express';
import { openJournal } from '../stand-in/journal.js';
import type { StandIn, StandInOptions } from '../stand-in/listener.js';
import { startStandIn } from '../stand-in/start.js';
import { ControlRefused } from './control/carry-out-plan.js';
import { createControl, type StripeControl } from './control/control.js';
import { controlRoutes } from './control/control-routes.js';
import { SANDBOX_STRIPE_PLATFORM } from './defaults.js';
import { apiHandler } from './http/api.js';
import { assemble, forget, type PartsOptions } from './parts.js';
import { createStore } from './state/store.js';

export type StripeSandboxOptions = StandInOptions & Partial<PartsOptions>;

/** `STRIPE_API_BASE` is set to its `url`. */
export interface StripeSandbox extends StripeControl, StandIn {
  readonly platformAccount: string;
}

/**
 * Starts a stateful Stripe on the loopback interface.
 * @throws Error when the port is taken or the journal cannot be read
 */
export async function startStripeSandbox(options: StripeSandboxOptions = {}): Promise<StripeSandbox> {
  const { stateDir, port, platformAccount = SANDBOX_STRIPE_PLATFORM } = options;
  const settings = { ...options, platformAccount };
  const { journal, entries } = await openJournal(stateDir, 'stripe.jsonl');
  const store = createStore(journal);
  for (const entry of entries) store.replay(entry);

  return await startStandIn({ port, journal }, (listener) => {
    const parts = assemble(settings, store, listener.closing);
    const forgetSettings = () => forget(parts, settings);
    const control = createControl({ ...parts, platform: platformAccount, listener, forgetSettings });
    return {
      control: { ...control, platformAccount },
      switches: controlRoutes(control),
      provider: [express.raw({ type: () => true, limit: '1mb' }), apiHandler(parts)],
      errorBody,
      stop() {
        parts.agenda.clear();
        parts.webhooks.close();
      },
    };
  });
}

function errorBody(status: number, error: { message?: string }) {
  const code = status < 500 ? 'invalid_request' : 'internal_error';
  return { error: { code, message: error instanceof ControlRefused ? error.message : 'not read' } };
}
