import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { asInstalled, type TemporaryProject, temporaryProject } from './temporary-project.js';

const SCRIPT = 'scripts/schemathesis.mjs';
/** Stands in for Python: notes each call of pip, and leaves something where it is told to. */
const PYTHON = `#!/bin/sh
if [ "$1" = --version ]; then exit 0; fi
echo "$*" >> "$PIP_CALLS"
while [ "$1" != --target ]; do shift; done
mkdir -p "$2"
`;

function withPip(project: TemporaryProject) {
  project.write('python-bin/python3', PYTHON, 0o755);
  const calls = join(project.root, 'pip-calls');
  return {
    env: { PATH: `${join(project.root, 'python-bin')}:/usr/bin:/bin`, PIP_CALLS: calls },
    installs: () => readFileSync(calls, 'utf8').trim().split('\n'),
  };
}

it('installs the pinned versions once, and leaves its path beside those of the other programs', async () => {
  const project = temporaryProject();
  project.write('.tools/paths.json', '{"temporal":"/somewhere/temporal"}');
  const { env, installs } = withPip(project);
  const ran = await Promise.all([1, 2].map(() => project.run(SCRIPT, [], env)));
  expect(ran.map(({ status }) => status)).toEqual([0, 0]);
  expect((await project.run(SCRIPT, [], env)).stderr).toBe('');
  expect(installs()).toEqual([
    expect.stringMatching(/^-m pip install .*-r .*\/scripts\/requirements-schemathesis\.txt$/),
  ]);
  const paths = JSON.parse(readFileSync(join(project.root, '.tools/paths.json'), 'utf8')) as Record<string, string>;
  expect(paths).toMatchObject({ temporal: '/somewhere/temporal', schemathesis: expect.any(String) });
  expect(existsSync(paths['schemathesis'] ?? '')).toBe(true);
});

it('takes the program of the environment variable first', async () => {
  const project = temporaryProject();
  const given = project.write('elsewhere/schemathesis', '#!/bin/sh\n', 0o755);
  expect(await project.run(SCRIPT, [], { PATH: '/usr/bin:/bin', SCHEMATHESIS: given })).toEqual({
    status: 0,
    stdout: `schemathesis ${given}\n`,
    stderr: '',
  });
});

it('fails where it cannot be installed, but not the tests, which say what nobody checks without it', async () => {
  const project = temporaryProject();
  project.write('python-bin/python3', '#!/bin/sh\ntest "$1" = --version\n', 0o755);
  const env = { PATH: `${join(project.root, 'python-bin')}:/usr/bin:/bin` };
  expect(await project.run(SCRIPT, [], env)).toMatchObject({ status: 1, stderr: expect.stringContaining('failed') });
  asInstalled(project);
  for (const name of ['build', 'temporal-tools', 'stripe-mock', 'other-nodes'])
    project.write(
      `scripts/${name}.mjs`,
      'export const [build, temporalTools, stripeMock, otherNodes] = Array(4).fill(() => {});',
    );
  const before = await project.run('scripts/bootstrap.mjs', ['test'], env);
  expect(before).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('the API is not asked what its description allows'),
  });
});
