import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished, vi } from 'vitest';
import { processStart } from '../../../sandbox/stack/processes.js';
import { temporaryProject } from './temporary-project.js';

/** Starts a guard, has it watch a stubborn child and a directory, and then lives on until it is killed. */
const OWNER = `
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
const [records, directory] = process.argv.slice(2);
const guard = spawn(process.execPath, ['scripts/guard.mjs', records], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
await once(guard.stdout, 'data');
const child = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1e6); console.log("up")'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
await once(child.stdout, 'data');
guard.stdin.write(JSON.stringify({ add: { pid: child.pid, signal: 'SIGTERM', group: true, directory } }) + '\\n');
const noted = () => readFileSync(records + '/' + guard.pid + '.json', 'utf8').includes('"pid":' + child.pid);
while (!noted()) await new Promise(setImmediate);
console.log(JSON.stringify({ guard: guard.pid, child: child.pid }));
setInterval(() => {}, 1e6);
`;

interface Scene {
  readonly owner: ChildProcess;
  readonly guard: number;
  readonly child: number;
  readonly directory: string;
  readonly records: string;
  readonly root: string;
}

async function scene(): Promise<Scene> {
  const { root, write } = temporaryProject();
  write('owner.mjs', OWNER);
  const directory = join(root, 'throw-away');
  const records = join(root, 'records');
  mkdirSync(directory);
  const owner = spawn(process.execPath, ['owner.mjs', records, directory], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: owner.stdout }), 'line');
  const { guard, child }: { guard: number; child: number } = JSON.parse(String(line));
  onTestFinished(() => {
    for (const pid of [owner.pid, guard, child])
      if (pid !== undefined && processStart(pid)) process.kill(pid, 'SIGKILL');
  });
  return { owner, guard, child, directory, records, root };
}

const isGone = (pid: number) => vi.waitFor(() => expect(processStart(pid)).toBeUndefined(), { timeout: 5000 });

it('a killed owner leaves neither its child nor the directory behind', async () => {
  const { owner, guard, child, directory, records } = await scene();
  expect(processStart(child)).toBeDefined();
  owner.kill('SIGKILL');
  await isGone(guard);
  expect(processStart(child)).toBeUndefined();
  expect(existsSync(directory)).toBe(false);
  expect(readdirSync(records)).toEqual([]);
});

it('the guard does not fall with Ctrl-C, which reaches every process of the terminal', async () => {
  const { owner, guard, child } = await scene();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(guard, signal);
  owner.kill('SIGKILL');
  await isGone(guard);
  expect(processStart(child)).toBeUndefined();
});

it('the next guard ends what is left when owner and guard were both killed', async () => {
  const { owner, guard, child, directory, records, root } = await scene();
  process.kill(guard, 'SIGKILL');
  owner.kill('SIGKILL');
  await isGone(guard);
  expect(processStart(child)).toBeDefined();
  const next = spawn(process.execPath, ['scripts/guard.mjs', records], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(next.stdout, 'data');
  expect(processStart(child)).toBeUndefined();
  expect(existsSync(directory)).toBe(false);
  next.stdin.end();
  await once(next, 'exit');
});

it('ends what it watches although its own folder was removed', async () => {
  const { owner, guard, child, records } = await scene();
  rmSync(records, { recursive: true });
  owner.kill('SIGKILL');
  await isGone(guard);
  expect(processStart(child)).toBeUndefined();
});

it('another guard leaves the processes of a living owner alone', async () => {
  const { child, records, root } = await scene();
  const other = spawn(process.execPath, ['scripts/guard.mjs', records], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(other.stdout, 'data');
  expect(processStart(child)).toBeDefined();
  other.stdin.end();
  await once(other, 'exit');
  expect(processStart(child)).toBeDefined();
});
