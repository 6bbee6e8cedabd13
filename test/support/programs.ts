import { spawnSync } from 'node:child_process';
import { stripeMockProgram } from './marketplace/stripe-mock.js';
import { otherNodes } from './other-nodes.js';
import { recordedTool } from './recorded-tools.js';

/** A program that some checks need and that is not everywhere. */
export interface Program {
  readonly isThere: () => boolean;
  /** Files whose checks need it. */
  readonly askedBy: readonly string[];
  /** What nobody checks without it, and how to have it checked. */
  readonly without: string;
  /** Whether .ci/run installs it: what needs it then fails instead of being passed over. */
  readonly inCi: 'installed' | 'where it is';
}

/** Whoever adds a check that needs a program enters it here: the end of a run names what is missing. */
export const PROGRAMS = {
  promtool: {
    isThere: () => spawnSync(promtoolProgram(), ['--version']).status === 0,
    askedBy: ['test/contract/alert-rules.test.ts'],
    without: 'no alert rule was evaluated; install the package prometheus, or set PROMTOOL',
    inCi: 'installed',
  },
  chromium: {
    isThere: () => spawnSync(chromiumProgram(), ['--version']).status === 0,
    askedBy: [
      'test/interop/browsers.test.ts',
      'test/integration/console/incidents.test.ts',
      'test/integration/console/pages.test.ts',
      'test/integration/console/stuck-reversal.test.ts',
    ],
    without:
      'nothing was bought from a page in a browser, and no page of the console was opened; install the package chromium, or set CHROMIUM',
    inCi: 'installed',
  },
  'stripe-mock': {
    isThere: () => stripeMockProgram() !== undefined,
    askedBy: ['test/contract/stripe-mock.test.ts', 'test/contract/stripe-sandbox-shapes.test.ts'],
    without:
      'what it answered when that was recorded judged our requests to Stripe; install Go and run `node scripts/stripe-mock.mjs`, or set STRIPE_MOCK',
    inCi: 'where it is',
  },
  schemathesis: {
    isThere: () => schemathesisProgram() !== undefined,
    askedBy: ['test/contract/schemathesis.test.ts'],
    without:
      'nobody but our own tests asked the API what its description allows; run `node scripts/schemathesis.mjs`, or set SCHEMATHESIS',
    inCi: 'installed',
  },
  'other versions of Node': {
    isThere: () => otherNodes().every(({ program }) => program !== undefined),
    askedBy: ['test/nodes/gate.test.ts'],
    without: `the paid gate was tried with Node ${process.version} alone; run \`node scripts/other-nodes.mjs\``,
    inCi: 'installed',
  },
  nginx: {
    isThere: () => spawnSync(nginxProgram(), ['-v']).status === 0,
    askedBy: [
      'test/interop/nginx.test.ts',
      'test/interop/nginx-limits.test.ts',
      'test/integration/paid-routes-page.test.ts',
    ],
    without: 'no paid route was tried behind nginx; install the package nginx-light, or set NGINX',
    inCi: 'installed',
  },
  'docker compose': {
    isThere: () => spawnSync('docker', ['compose', 'version']).status === 0,
    askedBy: ['test/architecture/compose.test.ts'],
    without: 'docker-compose.yml was checked against the specification alone; install docker with its plugin compose',
    inCi: 'where it is',
  },
} as const satisfies Readonly<Record<string, Program>>;

export type ProgramName = keyof typeof PROGRAMS;

export const schemathesisProgram = (): string | undefined => recordedTool('schemathesis', process.env.SCHEMATHESIS);
export const promtoolProgram = (): string => process.env.PROMTOOL ?? 'promtool';
export const chromiumProgram = (): string => process.env.CHROMIUM ?? '/usr/bin/chromium';

export const nginxProgram = (): string => process.env.NGINX ?? 'nginx';

/** For `skipIf`: the program is missing, and this is no place in which it must be there. */
export const isPassedOverWithout = (name: ProgramName): boolean => {
  const program: Program = PROGRAMS[name];
  return !(process.env.CI === 'true' && program.inCi === 'installed') && !program.isThere();
};
