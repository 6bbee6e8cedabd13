import { join } from 'node:path';
import { z } from 'zod';
import { SANDBOX_HYPERSWITCH_API_KEY, SANDBOX_HYPERSWITCH_WEBHOOK_SECRET } from '../hyperswitch/defaults.js';
import { SANDBOX_STRIPE_WEBHOOK_SECRET } from '../stripe/defaults.js';
import { SANDBOX_CHAIN_ID, SANDBOX_CURRENCY } from '../tempo/defaults.js';
import { type ChildLog, describeExit, type RunningChild, startChild } from './child.js';
import type { Guard } from './guard.js';
import { type ReservedPort, reservePort } from './ports.js';
import { startPostgres } from './postgres.js';
import { projectRoot } from './project-root.js';
import { untilAnswers } from './ready.js';
import type { StackSecrets } from './secrets.js';
import type { StackChildName } from './stack-child.js';
import { type RunningTemporal, startTemporal } from './temporal.js';
import { temporalTool } from './tools.js';

export const PORT_NAMES = [
  'database',
  'temporal',
  'temporalHttp',
  'temporalUi',
  'sandbox',
  'stripe',
  'hyperswitch',
  'chain',
  'server',
] as const;
export type PortName = (typeof PORT_NAMES)[number];
export type StackPorts = Readonly<Record<PortName, number>>;

export interface ServiceContext {
  readonly directory: string;
  readonly ports: StackPorts;
  /** Ports that are held until the process that listens there starts. */
  readonly reserved: Map<PortName, ReservedPort>;
  readonly secrets: StackSecrets;
  readonly guard: Guard;
  /** Of the caller. */
  readonly environment: NodeJS.ProcessEnv;
  readonly settings: Readonly<Record<string, string>>;
  readonly programs: { readonly server?: string; readonly worker?: string };
}

export type Services = Readonly<Record<StackChildName, (log: ChildLog) => Promise<RunningChild>>> & {
  /** Applies the schema and prepares Temporal; must have ended before server and worker start. */
  readonly migrate: (log: ChildLog) => Promise<void>;
};

const READY_LIMIT_MS = 60_000;
/** Everything that matters survives a kill, so Ctrl-C need not wait for a hanging call to a provider. */
const STOP_GRACE_MS = 10_000;

/** How each process of the stack is started and when it counts as ready. */
export function createServices(context: ServiceContext): Services {
  const { directory, guard, environment, programs } = context;
  const hold = async (name: PortName) => {
    const held = context.reserved.get(name) ?? (await reserveAgain(name, context.ports[name]));
    context.reserved.delete(name);
    return held;
  };
  return {
    postgres: async (log) =>
      startPostgres({
        directory: join(directory, 'postgres'),
        port: await hold('database'),
        password: context.secrets.databasePassword,
        durable: true,
        environment,
        guard,
        log,
      }),
    temporal: async (log) => startTemporalService(context, log, hold),
    sandbox: async (log) => {
      for (const name of ['sandbox', 'stripe', 'hyperswitch', 'chain'] as const) await (await hold(name)).release();
      const answers = (signal: AbortSignal) =>
        untilAnswers(addresses(context.ports).sandbox, () => true, { over: signal, limitMs: READY_LIMIT_MS });
      return startProgram(context, { name: 'sandbox', args: ['sandbox'], answers }, log);
    },
    server: async (log) => {
      await (await hold('server')).release();
      const ready = `${addresses(context.ports).server}/readyz`;
      const answers = (signal: AbortSignal) =>
        untilAnswers(ready, (answer) => answer.ok, { over: signal, limitMs: READY_LIMIT_MS });
      return startProgram(
        context,
        { name: 'server', file: programs.server ?? sandboxServer(), args: [], answers },
        log,
      );
    },
    worker: async (log) =>
      startProgram(
        context,
        { name: 'worker', file: programs.worker, args: ['worker'], answers: (signal) => untilPolled(context, signal) },
        log,
      ),
    migrate: (log) => runMigrate(context, log),
  };
}

/** Settings of the caller that may pass into a sandbox: never an address or a secret of a real system. */
const PASSED_ON =
  /^(SETTLEMENT|REVERSAL|TRANSFER|RATE_LIMIT)_|^(APPROVAL_THRESHOLD|RELEASED_LIMIT|PAYMENT_PROVIDER|PAYMENT_EXPIRY|CAPTURE_OVERDUE|RELEASE_OVERDUE|OFFSET|OFFSET_LIMIT|DISPUTE_POLICY|REFUND_FEE|LOG_LEVEL|NODE_OPTIONS|PATH|HOME|TMPDIR|TZ)$/;

function programEnvironment(context: ServiceContext): NodeJS.ProcessEnv {
  const { ports, secrets, settings, environment } = context;
  const at = addresses(ports);
  const people = Object.entries(secrets.tokens).map(([role, token]) => `sandbox-${role}:${role}:${token}`);
  return {
    ...Object.fromEntries(Object.entries(environment).filter(([name]) => PASSED_ON.test(name))),
    DATABASE_URL: databaseUrl(context),
    CREDENTIAL_ENCRYPTION_KEY: `sandbox:${secrets.credentialKey}`,
    API_TOKENS: people.join(','),
    MPP_SECRET_KEY: secrets.mppSecretKey,
    TEMPO_RPC_URL: at.chainRpc,
    TEMPO_CHAIN_ID: String(SANDBOX_CHAIN_ID),
    TEMPO_CURRENCY: SANDBOX_CURRENCY,
    TEMPO_PAYEE_KEY: secrets.tempoPayeeKey,
    HOST: '127.0.0.1',
    PORT: String(ports.server),
    PUBLIC_URL: at.server,
    TEMPORAL_ADDRESS: at.temporal,
    TEMPORAL_UI_URL: at.temporalUi,
    AUTH_SERVER_URL: at.sandbox,
    AUTH_APP_NAME: 'makegood-sandbox',
    DESTINATION_ACCOUNT_ID: 'atxp_acct_sandbox',
    STRIPE_SECRET_KEY: 'sk_test_sandbox',
    // The stand-in allows what Stripe allows a live account.
    STRIPE_MAX_RPS: '100',
    STRIPE_API_BASE: at.stripe,
    STRIPE_WEBHOOK_SECRET: SANDBOX_STRIPE_WEBHOOK_SECRET,
    HYPERSWITCH_BASE_URL: at.hyperswitch,
    HYPERSWITCH_API_KEY: SANDBOX_HYPERSWITCH_API_KEY,
    HYPERSWITCH_WEBHOOK_SECRET: SANDBOX_HYPERSWITCH_WEBHOOK_SECRET,
    ...settings,
  };
}

/** The stand-ins tell the server what happened at them, as the providers would. */
function sandboxEnvironment({ ports, directory }: ServiceContext): NodeJS.ProcessEnv {
  const { server } = addresses(ports);
  return {
    PORT: String(ports.sandbox),
    SANDBOX_STATE_DIR: join(directory, 'sandbox'),
    SANDBOX_STRIPE_PORT: String(ports.stripe),
    SANDBOX_STRIPE_WEBHOOK_URL: `${server}/webhooks/stripe`,
    SANDBOX_TEMPO_PORT: String(ports.chain),
    SANDBOX_HYPERSWITCH_PORT: String(ports.hyperswitch),
    SANDBOX_HYPERSWITCH_WEBHOOK_URL: `${server}/webhooks/hyperswitch`,
  };
}

export function databaseUrl({ ports, secrets }: Pick<ServiceContext, 'ports' | 'secrets'>): string {
  return `postgres://makegood:${secrets.databasePassword}@127.0.0.1:${ports.database}/postgres`;
}

const http = (port: number) => `http://127.0.0.1:${port}`;

export function addresses(ports: StackPorts) {
  return {
    server: http(ports.server),
    sandbox: http(ports.sandbox),
    stripe: http(ports.stripe),
    hyperswitch: http(ports.hyperswitch),
    chainRpc: http(ports.chain),
    temporal: `127.0.0.1:${ports.temporal}`,
    temporalUi: http(ports.temporalUi),
    temporalHttp: http(ports.temporalHttp),
  };
}

interface Program {
  readonly name: StackChildName;
  /** Default: the command line program. */
  readonly file?: string;
  readonly args: readonly string[];
  readonly answers: (over: AbortSignal) => Promise<void>;
}

async function startProgram(context: ServiceContext, program: Program, log: ChildLog): Promise<RunningChild> {
  const own = program.name === 'sandbox' ? sandboxEnvironment(context) : {};
  const child = await startChild(
    {
      name: program.name,
      command: process.execPath,
      args: program.file === undefined ? [cli(), ...program.args] : [program.file],
      env: { ...programEnvironment(context), ...own },
      signal: 'SIGTERM',
      graceMs: STOP_GRACE_MS,
    },
    context.guard,
    log,
  );
  const over = new AbortController();
  try {
    const ended = await Promise.race([program.answers(over.signal), child.exited]);
    if (ended) throw new Error(`${program.name} ended before it was ready: ${describeExit(ended)}`);
    return child;
  } catch (error) {
    await child.stop();
    throw error;
  } finally {
    over.abort();
  }
}

async function runMigrate(context: ServiceContext, log: ChildLog): Promise<void> {
  const child = await startChild(
    {
      name: 'migrate',
      command: process.execPath,
      args: [cli(), 'migrate'],
      env: programEnvironment(context),
      signal: 'SIGTERM',
      graceMs: STOP_GRACE_MS,
    },
    context.guard,
    log,
  );
  const exit = await child.exited;
  if (exit.code !== 0) throw new Error(`"makegood migrate" failed: ${describeExit(exit)}`);
}

const cli = () => join(projectRoot(), 'bin', 'makegood.js');
/** With paid routes to try the product on. */
const sandboxServer = () => join(projectRoot(), 'dist', 'src', 'programs', 'main-sandbox-server.js');

async function startTemporalService(
  context: ServiceContext,
  log: ChildLog,
  hold: (name: PortName) => Promise<ReservedPort>,
): Promise<RunningTemporal> {
  return startTemporal({
    durable: true,
    program: temporalTool('temporal', context.environment),
    databaseFile: join(context.directory, 'temporal', 'temporal.db'),
    port: await hold('temporal'),
    httpPort: await hold('temporalHttp'),
    uiPort: await hold('temporalUi'),
    environment: context.environment,
    guard: context.guard,
    log,
  });
}

/** What Temporal says of a task queue, as far as it is used here. */
const POLLERS = z.object({ pollers: z.array(z.object({ lastAccessTime: z.string() })).default([]) });

/** The worker listens nowhere: it is ready when Temporal has seen it ask for work since its start. */
function untilPolled(context: ServiceContext, over: AbortSignal): Promise<void> {
  const since = Date.now();
  const queue = `${addresses(context.ports).temporalHttp}/api/v1/namespaces/default/task-queues/makegood`;
  return untilAnswers(
    `${queue}?taskQueueType=TASK_QUEUE_TYPE_WORKFLOW`,
    async (answer) => {
      const { pollers } = POLLERS.parse(await answer.json());
      return pollers.some(({ lastAccessTime }) => Date.parse(lastAccessTime) >= since);
    },
    { over, limitMs: READY_LIMIT_MS },
  );
}

async function reserveAgain(name: PortName, port: number): Promise<ReservedPort> {
  const reserved = await reservePort(port);
  if (reserved.port === port) return reserved;
  await reserved.release();
  throw new Error(`port ${port} (${name}) was taken by another program while its process was down`);
}
