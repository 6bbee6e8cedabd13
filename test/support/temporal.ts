import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { reservePort } from '../../sandbox/stack/ports.js';
import { type RunningTemporal, startTemporal } from '../../sandbox/stack/temporal.js';
import { temporalTool } from '../../sandbox/stack/tools.js';
import { temporaryPath, testGuard, testLog } from './child-processes.js';

export interface DevServer {
  readonly address: string;
  readonly namespace: 'default';
  /** Ends the server. With `kill` it gets no chance to end in order. */
  stop(kill?: 'kill'): Promise<void>;
  /** Starts it again on the same address; `wiped`: having forgotten everything. */
  start(memory?: 'kept' | 'wiped'): Promise<void>;
  /** The end of a test file: the server and its files are gone. */
  readonly dispose: () => Promise<void>;
}

/** A real Temporal server for one test file, on a free port with a file of its own; up in about half a second. */
export async function startDevServer(): Promise<DevServer> {
  const directory = temporaryPath('temporal');
  let port: number | undefined;
  let running: RunningTemporal | undefined;

  async function start(memory: 'kept' | 'wiped' = 'kept'): Promise<void> {
    if (memory === 'wiped')
      for (const end of ['', '-wal', '-shm']) rmSync(join(directory, `temporal.db${end}`), { force: true });
    const reserved = await reservePort(port);
    if (port !== undefined && reserved.port !== port)
      throw new Error(`port ${port} was taken while the Temporal server was down`);
    port = reserved.port;
    running = await startTemporal({
      program: temporalTool('temporal', process.env),
      databaseFile: join(directory, 'temporal.db'),
      durable: false,
      port: reserved,
      httpPort: await reservePort(),
      environment: process.env,
      guard: await testGuard(),
      log: testLog,
      throwAway: directory,
    });
  }

  async function stop(kill?: 'kill'): Promise<void> {
    if (kill) {
      running?.kill('SIGKILL');
      await running?.exited;
    } else await running?.stop();
    running = undefined;
  }

  await start();
  return {
    address: `127.0.0.1:${port}`,
    namespace: 'default',
    start,
    stop,
    dispose: async () => {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/**
 * For `TestWorkflowEnvironment.createTimeSkipping({ server: timeSkippingServer() })`. One server per test file: it has
 * one clock. It knows no lists, no counts, no schedules and no reset: use {@link startDevServer} for those.
 */
export function timeSkippingServer(): { executable: { type: 'existing-path'; path: string } } {
  return { executable: { type: 'existing-path', path: temporalTool('temporal-test-server', process.env) } };
}
