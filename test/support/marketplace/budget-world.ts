import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type HyperswitchSandbox, startHyperswitchSandbox } from '../../../sandbox/hyperswitch/start.js';
import { projectRoot } from '../../../sandbox/stack/project-root.js';
import type { CallsView } from '../../../sandbox/stripe/control/call-log.js';
import { readConfig } from '../../../src/config/config.js';
import { newBackfillId } from '../../../src/domain/ids.js';
import { createBackfillOrchestration } from '../../../src/orchestration/backfills.js';
import { createTemporalClient } from '../../../src/orchestration/temporal-client.js';
import { temporaryPath, testGuard } from '../child-processes.js';
import { openTestLedger, type TestLedger } from '../ledger-fixtures.js';
import { environmentFor, startProcess, type TestProcess } from '../processes/start-process.js';
import { AT_ONCE } from '../stand-ins.js';
import type { SentOrdersWorld } from './sent-orders.js';
import { marketplaceEnvironment } from './world.js';

/** Two workers on one ledger, and a Stripe in a process of its own, so that neither keeps the other from the processor. */
export interface BudgetWorld extends SentOrdersWorld {
  readonly test: TestLedger;
  readonly hyperswitch: HyperswitchSandbox;
  readonly stripe: RemoteStripe;
  readonly namespace: string;
  readonly taskQueue: string;
  /** @returns all that run now */
  startWorkers(count: number): Promise<readonly Stoppable[]>;
  startBackfill(): Promise<void>;
  /** A server that both providers send their events to. @returns its URL */
  startServer(): Promise<string>;
  stop(): Promise<void>;
}

/** A process that can be stopped (SIGSTOP) and go on (SIGCONT). */
export interface Stoppable {
  kill(signal: 'SIGSTOP' | 'SIGCONT'): void;
}

export interface RemoteStripe extends Stoppable {
  readonly url: string;
  seed(seed: object): Promise<unknown>;
  calls(): Promise<CallsView>;
  control(path: string, body: object): Promise<void>;
  stop(): Promise<void>;
}

export async function startBudgetWorld(options: {
  readonly temporalAddress: string;
  readonly namespace: string;
  readonly changes?: Readonly<Record<string, string>>;
  /** Buyers pay at the Stripe account that pays the sellers. */
  readonly linked?: boolean;
}): Promise<BudgetWorld> {
  const { temporalAddress, namespace, linked = false } = options;
  const [test, stripe] = await Promise.all([openTestLedger(), startRemoteStripe()]);
  const hyperswitch = await startHyperswitchSandbox({
    auto: AT_ONCE,
    ...(linked ? { stripe: { url: stripe.url } } : {}),
  });
  const env = environmentFor(
    { databaseUrl: test.url, temporalAddress, namespace, authServerUrl: 'http://127.0.0.1:9' },
    {
      ...marketplaceEnvironment(stripe, hyperswitch),
      REVERSAL_CHECK_INTERVAL: '2s',
      REVERSAL_BACKOFF_BASE: '200ms',
      TRANSFER_RETRY_INTERVAL: '2s',
      TRANSFER_RETRY_BACKOFF_BASE: '200ms',
      SETTLEMENT_SWEEP_INTERVAL: '1h',
      ...options.changes,
    },
  );
  const config = readConfig(env);
  const temporal = createTemporalClient(config.temporal);
  const workers: TestProcess[] = [];
  const servers: TestProcess[] = [];
  return {
    test,
    stripe,
    hyperswitch,
    namespace,
    taskQueue: config.temporal.taskQueue,
    async startWorkers(count) {
      workers.push(...(await Promise.all(Array.from({ length: count }, () => startProcess('worker', env)))));
      return workers;
    },
    async startBackfill() {
      const backfill = {
        id: newBackfillId(Date.now()),
        apply: true,
        since: null,
        destination: null,
        requestedBy: 'nora',
      };
      await test.ledger.startBackfill(backfill);
      await createBackfillOrchestration(temporal, config.temporal.taskQueue).startBackfill(backfill);
    },
    async startServer() {
      const server = await startProcess('server', env);
      servers.push(server);
      hyperswitch.setWebhooks({ url: `${server.url}/webhooks/hyperswitch` });
      await stripe.control('webhooks', {
        url: `${server.url}/webhooks/stripe`,
        secrets: [env['STRIPE_WEBHOOK_SECRET']],
      });
      return server.url;
    },
    async stop() {
      for (const one of [...workers, ...servers]) {
        one.kill('SIGKILL');
        await one.exited;
      }
      await temporal.connection.close();
      await Promise.all([stripe.stop(), hyperswitch.close()]);
      await test.dispose();
    },
  };
}

async function startRemoteStripe(): Promise<RemoteStripe> {
  const stateDir = temporaryPath('stripe');
  const program = join(projectRoot(), '.build', 'test', 'test', 'support', 'processes', 'stripe-sandbox.js');
  const child = fork(program, [stateDir], { execArgv: [] });
  const exited = once(child, 'exit');
  const guard = await testGuard();
  const pid = child.pid ?? 0;
  guard.add({ pid, signal: 'SIGKILL', group: false });
  const [url] = (await once(child, 'message')) as [string];
  const send = async (method: string, path: string, body: object): Promise<unknown> => {
    const response = await fetch(`${url}/control/${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`/control/${path} was answered ${response.status}: ${text}`);
    return JSON.parse(text);
  };
  return {
    url,
    seed: (seed) => send('POST', 'seed', seed),
    calls: async () => (await (await fetch(`${url}/control/calls`)).json()) as CallsView,
    control: async (path, body) => void (await send('PUT', path, body)),
    kill: (signal) => void child.kill(signal),
    async stop() {
      child.kill('SIGKILL');
      await exited;
      guard.drop(pid);
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}
