import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { asInstalled, type TemporaryProject, temporaryProject } from './temporary-project.js';

const SCRIPT = 'scripts/stripe-mock.mjs';
/** Stands in for Go: notes each call, and leaves a program where it is told to. */
const GO = `#!/bin/sh
echo "$*" >> "$GO_CALLS"
if [ "$1" = install ]; then printf '#!/bin/sh\\n' > "$GOBIN/stripe-mock"; chmod +x "$GOBIN/stripe-mock"; fi
`;

function withGo(project: TemporaryProject) {
  project.write('go-bin/go', GO, 0o755);
  const calls = join(project.root, 'go-calls');
  return {
    env: { PATH: `${join(project.root, 'go-bin')}:/usr/bin:/bin`, GO_CALLS: calls },
    installs: () =>
      readFileSync(calls, 'utf8')
        .split('\n')
        .filter((call) => call.startsWith('install')),
  };
}

it('builds the pinned version once, and leaves its path beside those of the other programs', async () => {
  const project = temporaryProject();
  project.write('.tools/paths.json', '{"temporal":"/somewhere/temporal"}');
  const { env, installs } = withGo(project);
  const ran = await Promise.all([1, 2].map(() => project.run(SCRIPT, [], env)));
  expect(ran.map(({ status }) => status)).toEqual([0, 0]);
  expect((await project.run(SCRIPT, [], env)).stderr).toBe('');
  expect(installs()).toEqual(['install -ldflags -s -w github.com/stripe/stripe-mock@v0.203.0']);
  const paths = JSON.parse(readFileSync(join(project.root, '.tools/paths.json'), 'utf8')) as Record<string, string>;
  expect(paths).toMatchObject({ temporal: '/somewhere/temporal', 'stripe-mock': expect.any(String) });
  expect(existsSync(paths['stripe-mock'] ?? '')).toBe(true);
});

it('takes the program of the environment variable first', async () => {
  const project = temporaryProject();
  const given = project.write('elsewhere/stripe-mock', '#!/bin/sh\n', 0o755);
  expect(await project.run(SCRIPT, [], { PATH: '/usr/bin:/bin', STRIPE_MOCK: given })).toEqual({
    status: 0,
    stdout: `stripe-mock ${given}\n`,
    stderr: '',
  });
});

it('fails where there is no Go, but not the tests, which say what they do without it', async () => {
  const project = temporaryProject();
  const alone = await project.run(SCRIPT, [], { PATH: '/usr/bin:/bin' });
  expect(alone).toMatchObject({ status: 1, stderr: expect.stringContaining('go is not installed') });
  asInstalled(project);
  project.write('scripts/build.mjs', 'export async function build() {}');
  project.write('scripts/temporal-tools.mjs', 'export async function temporalTools() {}');
  project.write('scripts/other-nodes.mjs', 'export async function otherNodes() {}');
  project.write('scripts/schemathesis.mjs', 'export async function schemathesis() {}');
  const before = await project.run('scripts/bootstrap.mjs', ['test'], { PATH: '/usr/bin:/bin' });
  expect(before).toMatchObject({ status: 0, stderr: expect.stringContaining('what it answered when recorded is') });
});
