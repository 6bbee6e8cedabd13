import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { processCommand } from '../../sandbox/stack/processes.js';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { type StackEndpoints, startStack } from '../../sandbox/stack/stack.js';
import { temporaryPath, testGuard, testLog } from '../support/child-processes.js';

const directory = temporaryPath('stack');
const LIMIT_MS = 120_000;

interface Program {
  readonly process: ChildProcess;
  /** Resolves at the first line on stdout, or at the end. */
  readonly firstLine: Promise<string | undefined>;
  readonly ended: Promise<number | NodeJS.Signals | null>;
  readonly stdout: string[];
  readonly stderr: string[];
}

/** What `npm start` runs; `throughNpm`: by npm itself. */
async function npmStart(throughNpm?: 'throughNpm'): Promise<Program> {
  const [command, args] = throughNpm
    ? ['npm', ['run', '--silent', 'start']]
    : [process.execPath, [join(projectRoot(), 'dist', 'src', 'programs', 'main-stack.js')]];
  const child = spawn(command, args, {
    cwd: projectRoot(),
    env: { ...process.env, MAKEGOOD_DIRECTORY: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  (await testGuard()).add({ pid: child.pid ?? 0, signal: 'SIGTERM', group: false });
  const stdout: string[] = [];
  const stderr: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    stderr.push(line);
    testLog('stack', line);
  });
  const lines = createInterface({ input: child.stdout }).on('line', (line) => stdout.push(line));
  const ended = once(child, 'close').then(
    ([code, signal]: (number | NodeJS.Signals | null)[]) => signal ?? code ?? null,
  );
  const firstLine = Promise.race([once(lines, 'line').then(([line]) => String(line)), ended.then(() => undefined)]);
  return { process: child, firstLine, ended, stdout, stderr };
}

const endpoints = (): StackEndpoints => JSON.parse(readFileSync(join(directory, 'endpoints.json'), 'utf8'));

const running = (pids: readonly number[]) => pids.filter((pid) => processCommand(pid) !== undefined);

const status = async (url: string, token?: string) =>
  (await fetch(url, { headers: token ? { authorization: `Bearer ${token}` } : {} })).status;

/** The guard of the stack and everything it watches. */
function recordedPids(): number[] {
  const records = join(directory, 'processes');
  return readdirSync(records).flatMap((name) => {
    const { entries, guard }: { entries: { pid: number }[]; guard: { pid: number } } = JSON.parse(
      readFileSync(join(records, name), 'utf8'),
    );
    return [guard.pid, ...entries.map((entry) => entry.pid)];
  });
}

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('npm start', { timeout: LIMIT_MS }, () => {
  it('says one line when all is up, is refused a second time, and leaves nothing running after Ctrl-C', async () => {
    const first = await npmStart();
    expect(await first.firstLine, first.stderr.join('\n')).toBe(`makegood ready ${endpoints().server}`);

    const at = endpoints();
    expect(Object.keys(at)).toEqual([
      'server',
      'console',
      'temporalUi',
      'temporal',
      'database',
      'sandbox',
      'stripe',
      'hyperswitch',
      'chainRpc',
      'tokens',
    ]);
    expect(Object.keys(at.tokens)).toEqual(['service', 'viewer', 'operator', 'approver']);
    expect(statSync(join(directory, 'endpoints.json')).mode & 0o077).toBe(0);
    expect(await status(`${at.server}/readyz`)).toBe(200);
    expect(await status(`${at.server}/api/v1/settlements`)).toBe(401);
    expect(await status(`${at.server}/api/v1/settlements`, at.tokens.viewer)).toBe(200);
    expect(await status(`${at.server}/demo/fixed`)).toBe(402);
    expect(await status(at.temporalUi)).toBe(200);
    expect(await status(`${at.sandbox}/_sandbox/ledger`)).toBe(200);
    expect(await status(`${at.stripe}/control/ledger`)).toBe(200);
    expect(await status(`${at.hyperswitch}/control/ledger`)).toBe(200);
    expect(await status(`${at.chainRpc}/control/ledger`)).toBe(200);

    const second = await npmStart();
    expect(await second.ended).toBe(1);
    expect(second.stdout).toEqual([]);
    expect(second.stderr.join()).toContain(`as process ${first.process.pid}; it is ready on ${at.server}`);

    const pids = recordedPids();
    expect(running(pids)).toHaveLength(6);
    first.process.kill('SIGINT');
    expect(await first.ended).toBe(0);
    expect(running(pids)).toEqual([]);
    expect(existsSync(join(directory, 'endpoints.json'))).toBe(false);
    expect(first.stdout).toHaveLength(1);
  });

  it('leaves no process behind when it is killed, and starts again on the same addresses', async () => {
    const first = await npmStart();
    await first.firstLine;
    const before = endpoints();
    const pids = recordedPids();
    first.process.kill('SIGKILL');
    await vi.waitFor(() => expect(running(pids)).toEqual([]), { timeout: 20_000 });

    const second = await npmStart();
    await second.firstLine;
    expect(endpoints()).toEqual(before);
    second.process.kill('SIGTERM');
    expect(await second.ended).toBe(0);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('ends with the npm that runs it when that gets %s', async (signal) => {
    const stack = await npmStart('throughNpm');
    expect(await stack.firstLine, stack.stderr.join('\n')).toMatch(/^makegood ready /);
    const pids = recordedPids();
    stack.process.kill(signal);
    await vi.waitFor(() => expect(running(pids)).toEqual([]), { timeout: 20_000 });
  });

  it('ends as a whole, and says why, when one of its processes dies', async () => {
    const stack = await npmStart();
    await stack.firstLine;
    const pids = recordedPids();
    const worker = pids.find((pid) => processCommand(pid)?.endsWith('makegood.js worker'));
    // Not 0, the first thing that a missing one would become: that is every process of this run.
    if (worker === undefined) throw new Error(`no worker among ${pids.map(processCommand).join('; ')}`);
    process.kill(worker, 'SIGKILL');
    expect(await stack.ended).toBe(1);
    expect(stack.stderr.join('\n')).toContain('makegood: worker ended by itself (SIGKILL)');
    expect(running(pids)).toEqual([]);
  });
});

describe('a stack in the hands of a test', { timeout: LIMIT_MS }, () => {
  it('lets each process be killed and started again, and keeps what was stored', async () => {
    const stack = await startStack({ directory, environment: process.env, log: testLog });
    try {
      for (const name of ['worker', 'server', 'sandbox', 'temporal', 'postgres'] as const) {
        const child = stack.child(name);
        const before = child.pid();
        await child.kill();
        expect(child.pid()).toBeUndefined();
        await child.start();
        expect(child.pid()).not.toBe(before);
      }
      const isReady = async () => expect(await status(`${stack.endpoints.server}/readyz`)).toBe(200);
      const ready = vi.waitFor(isReady, 20_000).then(() => 'ready');
      expect(await Promise.race([ready, stack.failure.then(({ message }) => message)])).toBe('ready');
    } finally {
      await stack.stop();
    }
  });
});
