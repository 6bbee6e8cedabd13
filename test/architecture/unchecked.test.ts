import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { PROGRAMS, type Program } from '../support/programs.js';
import { sourceFiles } from '../support/source-files.js';
import { uncheckedIn } from '../support/unchecked-reporter.js';
import { SAMPLED } from '../support/whole-or-sample.js';

const root = projectRoot();
const program = (isThere: boolean, askedBy: string): Program => ({
  isThere: () => isThere,
  askedBy: [askedBy],
  without: 'nothing was weighed; install it',
  inCi: 'where it is',
});

it('names each program that is missing, and only where a check that needs it would have run', () => {
  const programs = {
    scales: program(false, 'test/weight.test.ts'),
    ruler: program(true, 'test/length.test.ts'),
    clock: program(false, 'test/time.test.ts'),
  };
  const ran = {
    files: ['test/weight.test.ts', 'test/length.test.ts'],
    skipped: [{ file: 'test/weight.test.ts', name: 'weighs' }],
  };
  expect(uncheckedIn(ran, { withoutServers: false, programs })).toEqual({
    lines: ['scales is missing: nothing was weighed; install it (test/weight.test.ts)'],
    unexplained: 0,
  });
});

it('names a test that is skipped for no reason that anybody knows', () => {
  const ran = { files: ['test/a.test.ts'], skipped: [{ file: 'test/a.test.ts', name: 'holds' }] };
  expect(uncheckedIn(ran, { withoutServers: false, programs: {} })).toEqual({
    lines: ['skipped in its own code: holds (test/a.test.ts)'],
    unexplained: 1,
  });
});

it('names what is left out of a file that does only some of what it could, and how to have the same again', () => {
  const ran = { files: ['test/a.test.ts'], skipped: [] };
  const sampled = { 'test/a.test.ts': 'nine in ten', 'test/b.test.ts': 'half of it' };
  expect(uncheckedIn(ran, { withoutServers: false, programs: {}, sampled, seed: 7 })).toEqual({
    lines: [
      'test/a.test.ts: nine in ten',
      'these were left out by size or by lot: npm run test:matrix does it all, MAKEGOOD_SEED=7 the same again',
    ],
    unexplained: 0,
  });
});

it('knows every file that does only some of what it could', () => {
  const doing = sourceFiles('test').filter(
    ({ path, text }) => path.endsWith('.test.ts') && /\b(sampleOf|sizeOf)\(/.test(text),
  );
  expect(Object.keys(SAMPLED).sort()).toEqual(doing.map(({ path }) => path).sort());
});

it('knows a command that does all of each of them', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const [, words = ''] = (scripts['test:matrix'] ?? '').split(' vitest run ');
  const filters = words.split(' ');
  expect(Object.keys(SAMPLED).filter((file) => !filters.some((filter) => file.includes(filter)))).toEqual([]);
});

it('says nothing where everything ran', () => {
  expect(uncheckedIn({ files: ['a'], skipped: [] }, { withoutServers: false, programs: {} }).lines).toEqual([]);
});

/** A run of vitest on a machine that has nothing but Node. */
function bareRun(environment: Readonly<Record<string, string>>) {
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', 'test/architecture/compose.test.ts'];
  const { stdout, status } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: '/nonexistent', NO_COLOR: '1', ...environment },
  });
  return { status, end: stdout.slice(stdout.indexOf('Test Files')) };
}

it('a run says at its end, after its totals, what it did not check', { timeout: 60_000 }, () => {
  const { status, end } = bareRun({ MAKEGOOD_SKIP_INTEGRATION: '1' });
  expect(status).toBe(0);
  expect(end).toContain('Not checked in this run:\n');
  expect(end).toContain('test/integration, test/contract, test/interop, test/faults: MAKEGOOD_SKIP_INTEGRATION=1');
  expect(end).toContain('docker compose is missing: ');
});

it('CI prints the same, skips nothing that it installs, and takes no skipped folder for a full run', () => {
  const ci = readFileSync(join(root, '.ci', 'run'), 'utf8');
  expect(ci).toContain('--reporter=./test/support/unchecked-reporter.ts');
  expect(ci).toContain('unset MAKEGOOD_SKIP_INTEGRATION');
  for (const [name, { inCi, askedBy }] of Object.entries(PROGRAMS)) {
    if (inCi === 'installed') expect(ci, name).toContain(name);
    for (const file of askedBy) expect(existsSync(join(root, file)), file).toBe(true);
  }
});
