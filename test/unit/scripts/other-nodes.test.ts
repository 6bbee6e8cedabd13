import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { asInstalled, type TemporaryProject, temporaryProject } from './temporary-project.js';

const SCRIPT = 'scripts/other-nodes.mjs';
const PLATFORM = `${process.platform}-${process.arch}`;
/** Stands in for npm: notes each call, and leaves the programs of the packages that package.json names. */
const NPM = `
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
appendFileSync(process.env.NPM_CALLS, process.argv.slice(2).join(' ') + '\\n');
if (process.env.NPM_FAILS) process.exit(1);
readFileSync('package-lock.json');
for (const name of Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).optionalDependencies)) {
  mkdirSync('node_modules/' + name + '/bin', { recursive: true });
  writeFileSync('node_modules/' + name + '/bin/node', '', { mode: 0o755 });
}
`;

function pinning(...pins: readonly string[]) {
  const project = temporaryProject();
  const npm = project.write('npm-cli.mjs', NPM);
  const calls = join(project.root, 'npm-calls');
  pin(project, ...pins);
  return {
    project,
    run: (env = {}) => project.run(SCRIPT, [], { npm_execpath: npm, NPM_CALLS: calls, ...env }),
    installs: () => (existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []),
    here: () => readdirSync(join(project.root, '.tools', 'nodes', 'bin')),
  };
}

function pin(project: TemporaryProject, ...pins: readonly string[]): void {
  const entries = pins.map((version) => [`node-${version}-${PLATFORM}`, `npm:node-${PLATFORM}@${version}`]);
  const optionalDependencies = Object.fromEntries([...entries, ['node-9-other-cpu', 'npm:node-other-cpu@9.0.0']]);
  project.write('scripts/other-nodes/package.json', JSON.stringify({ optionalDependencies }));
}

it('installs what is pinned for this platform once, without scripts of its packages, and says where it is', async () => {
  const { project, run, installs, here } = pinning('1.2.3', '4.5.6');
  const ran = await Promise.all([run(), run()]);
  expect(ran.map(({ status, stdout }) => [status, stdout])).toEqual(ran.map(() => [0, 'node-1.2.3 node-4.5.6\n']));
  expect((await run()).stderr).toBe('');
  expect(installs()).toHaveLength(1);
  expect(installs()[0]).toMatch(/^ci .*--ignore-scripts/);
  expect(here()).toEqual(['node-1.2.3', 'node-4.5.6']);
  const paths = JSON.parse(readFileSync(join(project.root, '.tools/paths.json'), 'utf8')) as Record<string, string>;
  expect(Object.values(paths).every((path) => existsSync(path))).toBe(true);
});

it('installs again when another version is pinned, and keeps no old one', async () => {
  const { project, run, installs, here } = pinning('1.2.3');
  await run();
  pin(project, '1.2.4');
  await run();
  expect([installs().length, here()]).toEqual([2, ['node-1.2.4']]);
});

it('fails where npm does not bring them, but not the tests, which say that they tried one version alone', async () => {
  const { project, run } = pinning('1.2.3');
  expect(await run({ NPM_FAILS: '1' })).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('npm ci ended with 1'),
  });
  asInstalled(project);
  for (const name of ['build', 'temporal-tools', 'stripe-mock', 'schemathesis'])
    project.write(
      `scripts/${name}.mjs`,
      'export const [build, temporalTools, stripeMock, schemathesis] = Array(4).fill(() => {});',
    );
  const before = await project.run('scripts/bootstrap.mjs', ['test'], {
    npm_execpath: join(project.root, 'npm-cli.mjs'),
    NPM_CALLS: join(project.root, 'npm-calls'),
    NPM_FAILS: '1',
  });
  expect(before).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('the paid gate is not tried with other versions of Node: npm ci ended with 1'),
  });
});

it('says so where npm serves none for this platform', async () => {
  const { run, installs } = pinning();
  expect(await run()).toMatchObject({ status: 1, stderr: expect.stringContaining('npm serves them for linux alone') });
  expect(installs()).toEqual([]);
});
