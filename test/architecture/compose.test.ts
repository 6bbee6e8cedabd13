import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DCLinter } from 'dclint';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { isPassedOverWithout } from '../support/programs.js';

const FILE = join(projectRoot(), 'docker-compose.yml');
const SERVICE = z.object({
  image: z.string(),
  build: z.unknown().optional(),
  restart: z.string(),
  healthcheck: z.unknown().optional(),
  ports: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
});
const { services } = z
  .object({ services: z.record(z.string(), SERVICE) })
  .parse(parse(readFileSync(FILE, 'utf8'), { merge: true }));

/** Pinned to the patch: a tag that moves would change the product without a commit. */
const PINNED = /^[a-z/-]+:\d+\.\d+(\.\d+)?(-[a-z]+)*$/;

const LINTED = z.object({ messages: z.array(z.object({ type: z.string(), message: z.string() })) });

/** dclint carries the JSON schema of the compose specification; its matters of taste are only warnings. */
function errorsIn(file: string): string[] {
  const [result] = new DCLinter({ rules: {}, quiet: true, debug: false, exclude: [] }).lintFiles([file], false);
  const { messages } = LINTED.parse(result);
  return messages.filter(({ type }) => type === 'error').map(({ message }) => message);
}

it('docker-compose.yml is what the compose specification allows', () => {
  expect(errorsIn(FILE)).toEqual([]);
});

it('the check against the specification finds a mistake', () => {
  const broken = join(projectRoot(), 'test', 'fixtures', 'broken-compose.yml');
  expect(errorsIn(broken).join()).toContain('/services/server/healthcheck/test');
});

it('every image has a tag that does not move', () => {
  for (const { image } of Object.values(services)) expect(image).toMatch(PINNED);
  const bases = [...readFileSync(join(projectRoot(), 'Dockerfile'), 'utf8').matchAll(/^FROM (\S+)/gm)];
  expect(bases.length).toBeGreaterThan(0);
  for (const [, image = ''] of bases) expect(image).toMatch(/^node:20\.\d+\.\d+-bookworm-slim$/);
});

it('every service says when it is healthy, or is a job that ends', () => {
  const waitedForAsHealthy = Object.values(services).flatMap((service) =>
    Object.entries(service.depends_on)
      .filter(([, { condition }]) => condition === 'service_healthy')
      .map(([name]) => name),
  );
  for (const name of waitedForAsHealthy) expect(services[name]?.healthcheck, name).toBeDefined();
  for (const name of ['server', 'worker', 'postgres', 'temporal'])
    expect(services[name]?.healthcheck, name).toBeDefined();
  for (const name of ['migrate', 'temporal-schema']) expect(services[name]?.restart, name).toMatch(/^on-failure/);
});

it('nothing is reachable from another machine, and the image does not run as root', () => {
  for (const { ports } of Object.values(services)) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  expect(readFileSync(join(projectRoot(), 'Dockerfile'), 'utf8')).toMatch(/^USER node$/m);
});

it.skipIf(isPassedOverWithout('docker compose'))('docker compose itself accepts the file', () => {
  const environment = { ...process.env, POSTGRES_PASSWORD: 'x' };
  const text = readFileSync(FILE, 'utf8').replaceAll('- .env\n', '- .env.template\n');
  const args = ['compose', '--project-directory', projectRoot(), '-f', '-', 'config', '--quiet'];
  const done = spawnSync('docker', args, { input: text, encoding: 'utf8', env: environment });
  expect(done.stderr).toBe('');
  expect(done.status).toBe(0);
});
