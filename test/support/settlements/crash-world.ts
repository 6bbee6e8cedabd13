import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { createTestDatabase } from '../database.js';
import { environmentFor, fixedPort, startProcess, type TestProcess } from '../processes/start-process.js';
import { until } from '../until.js';
import { type OurRow, unfinished } from './ledger-comparison.js';

/** Server and worker in processes of their own, on a database, a Temporal namespace and an auth server of their own. */
export interface CrashWorld {
  readonly databaseUrl: string;
  readonly namespace: string;
  readonly sandbox: AuthServerSandbox;
  /** Of both processes. */
  readonly env: NodeJS.ProcessEnv;
  server: TestProcess;
  worker: TestProcess;
  /** Waits for the death that was ordered, and starts the same process again where it was. */
  restart(kind: 'server' | 'worker', within?: { limitMs: number }): Promise<void>;
  /** Resolves when nothing is open or pending any more. */
  finished(limitMs: number): Promise<void>;
  stop(): Promise<void>;
}

export interface CrashWorldOptions {
  readonly temporalAddress: string;
  readonly namespace?: string;
  readonly databaseUrl?: string;
  /** Where the processes find the auth server; default the sandbox itself. */
  readonly authServerUrl?: (sandboxUrl: string) => Promise<string>;
  readonly changes?: Readonly<Record<string, string>>;
}

export async function startCrashWorld(options: CrashWorldOptions): Promise<CrashWorld> {
  const { temporalAddress, namespace = 'default' } = options;
  const database = options.databaseUrl ? undefined : await createTestDatabase();
  const databaseUrl = options.databaseUrl ?? database?.url ?? '';
  const sandbox = await startAuthServerSandbox();
  const authServerUrl = (await options.authServerUrl?.(sandbox.url)) ?? sandbox.url;
  const env = environmentFor(
    { databaseUrl, temporalAddress, namespace, authServerUrl },
    { PORT: await fixedPort(), ...options.changes },
  );
  const [server, worker] = await Promise.all([startProcess('server', env), startProcess('worker', env)]);
  const world: CrashWorld = {
    databaseUrl,
    namespace,
    sandbox,
    env,
    server,
    worker,
    async restart(kind, { limitMs } = { limitMs: 20_000 }) {
      const died = until(`the ${kind} dies`, () => within(world[kind].exited), { limitMs });
      // Whatever it still waits for would end it among those that come after.
      const ended = await died.catch(async (error: Error) => {
        world[kind].kill('SIGKILL');
        await world[kind].exited;
        world[kind] = await startProcess(kind, env);
        throw error;
      });
      if (ended !== 'SIGKILL') throw new Error(`the ${kind} ended by ${ended}:\n${world[kind].lines.join('\n')}`);
      world[kind] = await startProcess(kind, env);
    },
    async finished(limitMs) {
      let left: readonly OurRow[] = [];
      try {
        await until('nothing is open or pending', async () => (left = await unfinished(databaseUrl)).length === 0, {
          limitMs,
          everyMs: 200,
        });
      } catch (error) {
        throw new Error(`${String(error)}; still there: ${JSON.stringify(left)}`, { cause: error });
      }
    },
    async stop() {
      for (const child of [world.server, world.worker]) {
        child.kill('SIGKILL');
        await child.exited;
      }
      await sandbox.close();
      await database?.drop();
    },
  };
  return world;
}

/** What a promise has come to by now. */
const within = <T>(promise: Promise<T>): Promise<T | undefined> =>
  Promise.race([promise, new Promise<undefined>((resolve) => setTimeout(resolve, 25, undefined))]);
