import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { projectRoot } from '../../../sandbox/stack/project-root.js';

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nothing is left to be installed, neither here nor where the parts of others are. */
export function asInstalled({ write }: Pick<TemporaryProject, 'write'>): void {
  for (const folder of ['', 'test/interop/'])
    for (const lock of ['package-lock.json', 'node_modules/.package-lock.json'])
      write(`${folder}${lock}`, '{"packages":{}}');
}

export interface TemporaryProject {
  readonly root: string;
  readonly write: (path: string, content: string, mode?: number) => string;
  /** Runs a script of ours with this folder as its project, and waits. */
  readonly run: (script: string, args?: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Ran>;
}

/** A project that consists of our scripts only, for what they do to a clone. */
export function temporaryProject(): TemporaryProject {
  const root = mkdtempSync(join(tmpdir(), 'makegood-scripts-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true, force: true });
  });
  cpSync(join(projectRoot(), 'scripts'), join(root, 'scripts'), { recursive: true });
  return {
    root,
    write: (path, content, mode = 0o644) => {
      const file = join(root, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content, { mode });
      return file;
    },
    run: (script, args = [], env = {}) =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [join(root, script), ...args], {
          cwd: root,
          env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
        });
        const output = { stdout: '', stderr: '' };
        child.stdout.on('data', (chunk) => (output.stdout += String(chunk)));
        child.stderr.on('data', (chunk) => (output.stderr += String(chunk)));
        child.once('error', reject);
        child.once('close', (status) => {
          resolve({ status, ...output });
        });
      }),
  };
}
