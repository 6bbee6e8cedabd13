import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { temporaryPath } from '../support/child-processes.js';
import { openDemoServer } from '../support/sessions/demo-server.js';

interface Check {
  readonly label: string;
  readonly severity: 'pass' | 'fail' | 'warn' | 'suggested' | 'skip';
}
interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly challenge: readonly Check[];
  readonly errorHandling: readonly Check[];
  readonly payment: readonly Check[];
}
interface Validated {
  readonly discovery: { readonly checks: readonly Check[] };
  readonly endpoints: readonly Endpoint[];
}

/** No name is found, whether this machine has a network or not: mppx' faucet lies behind one. */
const OFFLINE = `--import data:text/javascript,${encodeURIComponent(
  "import dns from 'node:dns'; dns.lookup = (_, options, done = options) => done(new Error('offline'));",
)}`;

/** The command line program of npm mppx as it is published. What it says goes to a file: it exits before a pipe is empty. */
async function validate(url: string, args: readonly string[] = [], environment: Record<string, string> = {}) {
  const path = temporaryPath('mppx-validate');
  const output = await open(path, 'w+');
  try {
    const program = join(projectRoot(), 'node_modules/mppx/dist/bin.js');
    const child = spawn(process.execPath, [program, 'validate', url, '--outputJson', ...args], {
      env: { PATH: process.env.PATH, HOME: '/nonexistent', NODE_OPTIONS: OFFLINE, ...environment },
      stdio: ['ignore', output.fd, 'ignore'],
    });
    const [status] = (await once(child, 'exit')) as [number | null];
    return { status, said: JSON.parse(await readFile(path, 'utf8')) as Validated };
  } finally {
    await output.close();
    await rm(path, { force: true });
  }
}

const notPassed = (checks: readonly Check[]) =>
  checks.filter(({ severity }) => severity !== 'pass').map(({ label, severity }) => `${severity}: ${label}`);

const DEMO = ['GET /demo/channel', 'GET /demo/fixed', 'GET /demo/metered', 'GET /demo/stream'];

describe('mppx validate', () => {
  it('passes every check of the demo routes, which it finds by itself, but the one that needs its faucet', async () => {
    const { url } = await openDemoServer();
    const { status, said } = await validate(url);
    expect(said.discovery.checks.map(({ label }) => label)).toEqual([
      'llms.txt found and nonempty',
      'Document found and parseable',
      'Valid OpenAPI structure',
      'Paid endpoints found',
    ]);
    expect(notPassed(said.discovery.checks)).toEqual([]);
    expect(said.endpoints.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(DEMO);
    for (const { path, challenge, errorHandling, payment } of said.endpoints) {
      const checks = [...challenge, ...errorHandling];
      expect([path, notPassed(checks), checks.length > 10]).toEqual([path, [], true]);
      // It makes a wallet and asks the faucet of Tempo's test network to fill it.
      expect(notPassed(payment)).toEqual(['fail: Payment: auto-provision wallet']);
      expect(payment).toHaveLength(1);
    }
    expect(status).toBe(1);
  });

  it('is served by each demo route when its wallet has money, and misses only the receipt of what is settled later', async () => {
    const { url, chain } = await openDemoServer();
    const { said } = await validate(url, ['--yes'], {
      MPPX_CONFIG: join(projectRoot(), 'test/support/channels/mppx-config.mjs'),
      CHAIN_URL: chain.url,
    });
    expect(said.endpoints.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(DEMO);
    for (const { path, payment } of said.endpoints) {
      expect([path, payment.map(({ label }) => label)]).toEqual([
        path,
        expect.arrayContaining(['Payment [tempo]: submitted', 'Payment: successful', 'Response body non-empty']),
      ]);
      // A receipt says that a payment has succeeded: through the auth server that is not true before the answer has left.
      const later = path === '/demo/channel' ? [] : ['fail: Payment-Receipt header present'];
      expect([path, notPassed(payment)]).toEqual([path, later]);
    }
  });
});
