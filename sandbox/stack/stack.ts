import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildLog } from './child.js';
import { type Guard, startGuard } from './guard.js';
import { lockInstance } from './instance-lock.js';
import { type ReservedPort, reservePort } from './ports.js';
import { type StackSecrets, stackSecrets, writePrivately } from './secrets.js';
import { addresses, createServices, databaseUrl, PORT_NAMES, type PortName, type StackPorts } from './services.js';
import { createStackChild, type StackChild, type StackChildName, type StackFailure } from './stack-child.js';

export interface StackOptions {
  /** Everything the stack keeps is in here; a second stack in the same directory is refused. */
  readonly directory: string;
  /** Of the caller. Only what a program needs to run, and settings that carry no address and no secret, is passed on. */
  readonly environment: NodeJS.ProcessEnv;
  readonly log: ChildLog;
  /** Variables for server and worker on top of those that the stack makes, such as SETTLEMENT_BACKOFF_MAX. */
  readonly settings?: Readonly<Record<string, string>>;
  /** JavaScript files to run as server or worker in place of the CLI's commands: builds that tests made. */
  readonly programs?: { readonly server?: string; readonly worker?: string };
}

/** Where everything of a running stack is: the content of its `endpoints.json`. */
export interface StackEndpoints {
  readonly server: string;
  readonly console: string;
  readonly temporalUi: string;
  /** host:port */
  readonly temporal: string;
  readonly database: string;
  /** The auth server's stand-in. */
  readonly sandbox: string;
  readonly stripe: string;
  readonly hyperswitch: string;
  /** JSON-RPC of the Tempo node's stand-in. */
  readonly chainRpc: string;
  readonly tokens: StackSecrets['tokens'];
}

export interface Stack {
  readonly endpoints: StackEndpoints;
  readonly child: (name: StackChildName) => StackChild;
  /** Resolves at the first process that ends although nobody asked it to. */
  readonly failure: Promise<StackFailure>;
  /** Ends everything in order; what is stored stays. */
  readonly stop: () => Promise<void>;
}

const ENDPOINTS = 'endpoints.json';

/**
 * The whole product on this machine: Postgres, Temporal with its Web UI, the provider sandbox, server and worker, as
 * child processes on free ports of 127.0.0.1. They end with this process, however it ends. Resolves when all are ready.
 * @throws AlreadyRunning, or with what did not start and why; then nothing is left running
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { directory } = options;
  const unlock = await lockInstance(directory);
  // left by a stack that was killed: it would tell others that this one is ready
  rmSync(join(directory, ENDPOINTS), { force: true });
  let guard: Guard | undefined;
  try {
    // waits until what an earlier, killed stack of this directory left has ended
    guard = await startGuard(join(directory, 'processes'));
    return await startAll(options, guard, unlock);
  } catch (error) {
    await guard?.close();
    unlock();
    throw error;
  }
}

async function startAll(options: StackOptions, guard: Guard, unlock: () => void): Promise<Stack> {
  const { directory, log } = options;
  const secrets = stackSecrets(directory);
  const { ports, reserved } = await choosePorts(directory);
  const services = createServices({ settings: {}, programs: {}, ...options, ports, reserved, secrets, guard });

  let report: ((failure: StackFailure) => void) | undefined;
  const failure = new Promise<StackFailure>((resolve) => {
    report = resolve;
  });
  const make = (name: StackChildName) =>
    createStackChild({ name, log, launch: services[name], onFailure: (failed) => report?.(failed) });
  const children: Readonly<Record<StackChildName, StackChild>> = {
    postgres: make('postgres'),
    temporal: make('temporal'),
    sandbox: make('sandbox'),
    server: make('server'),
    worker: make('worker'),
  };
  const orFailure = async (work: Promise<unknown>) => {
    const failed = await Promise.race([work.then(() => undefined), failure]);
    if (failed) throw new Error(failed.message);
  };

  await orFailure(Promise.all([children.postgres.start(), children.temporal.start(), children.sandbox.start()]));
  await orFailure(services.migrate(log));
  await availableAtOnce(addresses(ports).stripe);
  await orFailure(Promise.all([children.server.start(), children.worker.start()]));

  const at = addresses(ports);
  const endpoints: StackEndpoints = {
    server: at.server,
    console: `${at.server}/console`,
    temporalUi: at.temporalUi,
    temporal: at.temporal,
    database: databaseUrl({ ports, secrets }),
    sandbox: at.sandbox,
    stripe: at.stripe,
    hyperswitch: at.hyperswitch,
    chainRpc: at.chainRpc,
    tokens: secrets.tokens,
  };
  const endpointsFile = join(directory, ENDPOINTS);
  writePrivately(endpointsFile, endpoints);
  return {
    endpoints,
    child: (name) => children[name],
    failure,
    stop: async () => {
      rmSync(endpointsFile, { force: true });
      await Promise.all([children.server.stop(), children.worker.stop()]);
      await Promise.all([children.sandbox.stop(), children.temporal.stop()]);
      await children.postgres.stop();
      await guard.close();
      unlock();
    },
  };
}

/** The ports of the last start where they are free, so that bookmarks and configured clients go on working. */
async function choosePorts(directory: string): Promise<{ ports: StackPorts; reserved: Map<PortName, ReservedPort> }> {
  const file = join(directory, 'ports.json');
  const last: Partial<StackPorts> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const reserved = new Map<PortName, ReservedPort>();
  const ports: Record<PortName, number> = { ...NO_PORTS };
  for (const name of PORT_NAMES) {
    const port = await reservePort(last[name]);
    reserved.set(name, port);
    ports[name] = port.port;
  }
  mkdirSync(directory, { recursive: true });
  writePrivately(file, ports);
  return { ports, reserved };
}

const NO_PORTS = Object.fromEntries(PORT_NAMES.map((name) => [name, 0])) as StackPorts;

/** Of what buyers pay at Stripe, sellers can give back in seconds: a visitor does not wait for days. */
async function availableAtOnce(stripe: string): Promise<void> {
  const answer = await fetch(`${stripe}/control/settlement`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ days: 0 }),
  });
  if (!answer.ok) throw new Error(`Stripe's stand-in refused: ${await answer.text()}`);
}
