import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type TemporaryProject, temporaryProject } from './temporary-project.js';

/** Stands in for npm: notes each call, and leaves what a real install would. */
const NPM = `
import { appendFileSync, mkdirSync } from 'node:fs';
appendFileSync('npm-calls', process.argv.slice(2).join(' ') + ' NODE_ENV=' + process.env.NODE_ENV + '\\n');
mkdirSync('node_modules', { recursive: true });
await new Promise((resolve) => setTimeout(resolve, 300));
`;

function bareClone(): {
  project: TemporaryProject;
  start: () => ReturnType<TemporaryProject['run']>;
  calls: () => string[];
} {
  const project = temporaryProject();
  const npm = project.write('npm-cli.mjs', NPM);
  project.write('package-lock.json', '{"packages":{"node_modules/a":{"version":"1.0.0"}}}');
  project.write('scripts/build.mjs', 'export async function build() {}');
  project.write('scripts/temporal-tools.mjs', 'export async function temporalTools() {}');
  return {
    project,
    start: () => project.run('scripts/bootstrap.mjs', ['start'], { npm_execpath: npm, NODE_ENV: 'production' }),
    calls: () => readFileSync(join(project.root, 'npm-calls'), 'utf8').trim().split('\n'),
  };
}

it('installs on a bare clone, says so on stderr, and does nothing the second time', async () => {
  const { start, calls } = bareClone();
  const first = await start();
  expect(first).toMatchObject({ status: 0, stdout: '' });
  expect(first.stderr).toMatch(/dependencies installed in \d+ s/);
  expect(await start()).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(calls()).toEqual(['ci --no-audit --no-fund --include=dev --include=optional NODE_ENV=development']);
});

it('two at the same moment install once, and the second says what it waits for', async () => {
  const { start, calls } = bareClone();
  const both = await Promise.all([start(), start()]);
  expect(both.map(({ status }) => status)).toEqual([0, 0]);
  expect(both.filter(({ stderr }) => stderr.includes('waiting for process'))).toHaveLength(1);
  expect(calls()).toHaveLength(1);
});

it('installs again when the lock file changed', async () => {
  const { project, start, calls } = bareClone();
  await start();
  project.write('package-lock.json', '{"packages":{"node_modules/a":{"version":"1.0.1"}}}');
  await start();
  expect(calls()).toHaveLength(2);
});

it('does not install what "npm ci" by hand has just installed', async () => {
  const { project, start } = bareClone();
  project.write('node_modules/.package-lock.json', '{"packages":{"node_modules/a":{"version":"1.0.0"}}}');
  expect((await start()).stderr).toBe('');
  project.write('node_modules/.package-lock.json', '{"packages":{"node_modules/a":{"version":"0.9.0"}}}');
  rmSync(join(project.root, 'node_modules/.makegood-installed'));
  expect((await start()).stderr).toContain('npm ci');
});

it('takes over from a process that died while it was installing', async () => {
  const { project, start, calls } = bareClone();
  project.write('.build/install.lock', JSON.stringify({ pid: 1, start: 'of another process', purpose: 'gone' }));
  const both = await Promise.all([start(), start(), start()]);
  expect(both.map(({ status }) => status)).toEqual([0, 0, 0]);
  expect(calls()).toHaveLength(1);
});

it('stops with what npm said when the install fails', async () => {
  const { project, start } = bareClone();
  project.write('npm-cli.mjs', "console.log('no such package'); process.exit(3);");
  expect(await start()).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/npm ci ended with 3\n.*no such package/s),
  });
});
