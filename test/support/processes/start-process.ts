import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { reservePort } from '../../../sandbox/stack/ports.js';
import { projectRoot } from '../../../sandbox/stack/project-root.js';
import { newSettlementId } from '../../../src/domain/ids.js';
import { testGuard, testLog } from '../child-processes.js';
import type { CrashOrder, FromProcess, ToProcess } from './crash-switch.js';

export type { CrashOrder } from './crash-switch.js';

/** A server or worker of the test build in a process of its own. */
export interface TestProcess {
  readonly pid: number;
  /** Of a server; empty for a worker. */
  readonly url: string;
  /** Everything it wrote to stderr and stdout, line by line. */
  readonly lines: string[];
  /** Resolves with what ended it: a signal, or `exit code n`. */
  readonly exited: Promise<string>;
  /** Once this resolves, the next call that fits ends the process; only items made from now on count. */
  arm(order: Omit<CrashOrder, 'newerThan'>): Promise<void>;
  /** Every wrapped operation that it has called. */
  calls(): Promise<readonly string[]>;
  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void;
  /**
   * Resolves once a process that was stopped, or says that it is about to stop itself, goes on. Its own stop may come after
   * our first SIGCONT, and would then last for ever: the signal is repeated until the process answers.
   */
  goOn(): Promise<void>;
  /** The orderly end. */
  stop(): Promise<void>;
}

export interface WorldAddresses {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly namespace?: string;
  readonly authServerUrl: string;
}

export const SERVICE_TOKEN = 'token-of-a-service-of-the-fault-tests';
export const OPERATOR_TOKEN = 'token-of-an-operator-of-the-fault-tests';
export const APPROVER_TOKEN = 'token-of-an-approver-of-the-fault-tests';
const LEASE_MS = 3_000;
/** `01a21af0-6c0e`: the 48 bits of a UUIDv7 that tell its time. */
const MILLISECONDS_OF_AN_ID = 13;

const ENCRYPTION_KEY = `1:${randomBytes(32).toString('base64')}`;

/** Settings that make a test short; everything else is as in production. */
export function environmentFor(at: WorldAddresses, changes: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    DATABASE_URL: at.databaseUrl,
    CREDENTIAL_ENCRYPTION_KEY: ENCRYPTION_KEY,
    API_TOKENS: `till:service:${SERVICE_TOKEN},olga:operator:${OPERATOR_TOKEN},anna:approver:${APPROVER_TOKEN}`,
    MPP_SECRET_KEY: 'a secret of the fault tests, at least 32 characters',
    TEMPORAL_ADDRESS: at.temporalAddress,
    TEMPORAL_NAMESPACE: at.namespace ?? 'default',
    AUTH_SERVER_URL: at.authServerUrl,
    PORT: '0',
    RATE_LIMIT_MAX: '1000000',
    RATE_LIMIT_ANONYMOUS_MAX: '1000000',
    SETTLEMENT_BACKOFF_BASE: '100ms',
    SETTLEMENT_BACKOFF_MAX: '1s',
    SETTLEMENT_HTTP_TIMEOUT: '2s',
    // Every pass of every lane is a workflow: each second, they would be most of what a world costs that waits.
    SETTLEMENT_SWEEP_INTERVAL: '2s',
    SETTLEMENT_CHECKPOINT_AMOUNT: '1000',
    TEST_LEASE_MS: String(LEASE_MS),
    // Schedules need mending only where Temporal forgets them.
    TEST_PREPARE_EVERY_MS: '600000',
    ...changes,
  };
}

/** Resolves when the process is ready: a server that listens, a worker that polls. @throws with its output when it ends first */
export async function startProcess(kind: 'server' | 'worker', env: NodeJS.ProcessEnv): Promise<TestProcess> {
  const program = join(projectRoot(), '.build', 'test', 'test', 'support', 'processes', `crashing-${kind}.js`);
  const child = fork(program, [], { env, execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${kind} could not be started: ${program}`);
  const guard = await testGuard();
  guard.add({ pid, signal: 'SIGKILL', group: false });
  const exited = once(child, 'exit').then(([code, signal]) => {
    guard.drop(pid);
    return String(signal ?? `exit code ${String(code)}`);
  });
  const lines: string[] = [];
  let url = '';
  const ready = new Promise<void>((resolve) => {
    child.on('message', (message: FromProcess) => {
      if (!('ready' in message)) return;
      url = message.ready;
      resolve();
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        testLog(kind, line);
        if (kind === 'worker' && line.includes('worker is ready')) resolve();
      });
    }
  });
  const ended = await Promise.race([ready, exited]);
  if (ended !== undefined) throw new Error(`the ${kind} ended (${ended}) before it was ready:\n${lines.join('\n')}`);
  const ask = async (message: ToProcess): Promise<FromProcess> => {
    const answered = once(child, 'message');
    child.send(message);
    const [answer] = await answered;
    return answer as FromProcess;
  };
  return {
    pid,
    url,
    lines,
    exited,
    async arm(order) {
      // The millisecond alone: what is made in the rest of it comes after, whatever its random part.
      await ask({ arm: { ...order, newerThan: newSettlementId(Date.now()).slice(0, MILLISECONDS_OF_AN_ID) } });
    },
    async calls() {
      const answer = await ask({ tellCalls: true });
      return 'calls' in answer ? answer.calls : [];
    },
    kill: (signal) => void child.kill(signal),
    async goOn() {
      const again = setInterval(() => child.kill('SIGCONT'), 10);
      await ask({ tellCalls: true }).finally(() => clearInterval(again));
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** A port outside the range that systems hand out by themselves, for processes that are to come back where they were. */
export async function fixedPort(): Promise<string> {
  const reserved = await reservePort();
  await reserved.release();
  return String(reserved.port);
}
