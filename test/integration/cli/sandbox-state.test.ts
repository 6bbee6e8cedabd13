import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockInstance } from '../../../sandbox/stack/instance-lock.js';
import { projectRoot } from '../../../sandbox/stack/project-root.js';

let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'makegood-state-'));
});
afterEach(() => rm(stateDir, { recursive: true }));

it('the stand-ins do not write where another process of them does: one key would make two transfers there', async () => {
  const unlock = await lockInstance(stateDir);
  const program = join(projectRoot(), 'bin', 'makegood.js');
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(process.execPath, [program, 'sandbox', '--port', '0', '--state-dir', stateDir], (error, _, text) =>
      resolve({ code: error?.code, stderr: text }),
    );
  });
  unlock();
  expect(code).toBe(1);
  expect(stderr).toBe(
    `makegood: makegood already runs in ${stateDir} as process ${process.pid}. Stop that one first (Ctrl-C, or kill ${process.pid}). Or give --state-dir.\n`,
  );
});
