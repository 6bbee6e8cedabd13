import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startAuthServerSandbox } from '../../sandbox/auth-server/start.js';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { stopMakegood } from '../../src/index.js';
import { ledgerForTest } from '../support/ledger-fixtures.js';
import { until } from '../support/until.js';
import { ask } from '../unit/sessions/support/ask.js';

/** What an application has of the package: each framework by itself, and all of them in one process. */

const DIST = join(projectRoot(), 'dist/src');

it('programs of all frameworks in one process sell by one lease, which one call gives back', async () => {
  const [store, sandbox] = await Promise.all([ledgerForTest(), startAuthServerSandbox()]);
  onTestFinished(() => sandbox.close());
  const settings = {
    DATABASE_URL: store.url,
    CREDENTIAL_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    AUTH_SERVER_URL: sandbox.url,
    LOG_LEVEL: 'error',
  };
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await stopMakegood();
  });
  const programs = await Promise.all([
    import('./programs/express.js'),
    import('./programs/node.js'),
    import('./programs/fastify.js'),
    import('./programs/http2.js'),
  ]);
  await until('all of them listen', () => programs.every(({ server }) => server.listening), { limitMs: 10_000 });
  const urls = programs.map(({ server }) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  // What ATXP offers comes when the auth server has had its time.
  const paths = ['/report', '/report', '/reports/monday', '/report'];
  const answers = await Promise.all(paths.map((path, at) => ask(`${urls[at]}${path}`, { http2: at === 3 })));
  expect(answers.map(({ status, headers }) => [status, typeof headers['payment-required']])).toEqual(
    answers.map(() => [402, 'string']),
  );
  const leases = () =>
    store.database.query<{ readonly ended: boolean }>('SELECT lapses_at <= clock_now() AS ended FROM server_leases');
  await until('a lease is taken', async () => (await leases()).length > 0, { limitMs: 10_000 });
  for (const { server } of programs) server.close();
  await stopMakegood();
  expect(await leases()).toEqual([{ ended: true }]);
});

it('every export of the package is built, and makegood/express is makegood', () => {
  const { exports } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  };
  const files = Object.values(exports).flatMap((one) => [one.types, one.default]);
  expect(files.filter((file) => !existsSync(join(projectRoot(), file)))).toEqual([]);
  expect(Object.keys(exports)).toEqual(expect.arrayContaining(['.', './express', './node', './fastify']));
  expect(exports['./express']).toEqual(exports['.']);
});

it('who sells by Node or Fastify loads no Express', async () => {
  const loading = ['node', 'fastify', 'index'].map((entry) => pathToFileURL(join(DIST, `${entry}.js`)).href);
  const script = `
    import Module from 'node:module';
    const loaded = [];
    for (const entry of ${JSON.stringify(loading)}) {
      await import(entry);
      loaded.push(Object.keys(Module._cache).filter((path) => /node_modules.(express|fastify|koa)./.test(path)).length);
    }
    console.log(JSON.stringify([loaded, Object.keys(Module._cache).length > 100]));
    process.exit();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  // Express' own adapter needs no more than its types either.
  expect(JSON.parse(stdout)).toEqual([[0, 0, 0], true]);
});

it.each([
  ['index', ['express', 'express-serve-static-core']],
  ['node', []],
  ['fastify', ['fastify']],
])('the types of %s know no framework but %j', (entry, frameworks) => {
  const { files, packages } = typesOf(join(DIST, `${entry}.d.ts`));
  expect(files).toContain(join(DIST, 'sessions/offers/route-options.d.ts'));
  expect([...packages].filter((name) => /express|fastify/.test(name)).toSorted()).toEqual(frameworks);
});

/** All that a compiler reads of ours from there on, and what of others. */
function typesOf(entry: string): { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
  const files = new Set([entry]);
  const packages = new Set<string>();
  for (const file of files) {
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import\(|module) ?['"]([^'"]+)['"]/g)) {
      if (!name.startsWith('.')) packages.add(name);
      else files.add(join(dirname(file), name.replace(/\.js$/, '.d.ts')));
    }
  }
  expect([...files].filter((file) => !existsSync(file))).toEqual([]);
  return { files, packages };
}
