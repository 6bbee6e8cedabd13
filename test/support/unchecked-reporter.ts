import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';
import { PROGRAMS, type Program } from './programs.js';
import { isWhole, SAMPLED, SEED } from './whole-or-sample.js';

/** What ran, as far as it matters for what did not. */
export interface Ran {
  /** Paths of test files from the root of the project. */
  readonly files: readonly string[];
  /** Tests that were passed over, and their file. */
  readonly skipped: readonly { readonly file: string; readonly name: string }[];
}

export interface Unchecked {
  readonly lines: readonly string[];
  /** Tests that were passed over for no reason that is known here: in CI nobody would ever miss them. */
  readonly unexplained: number;
}

const WITH_SERVERS = ['integration', 'contract', 'interop', 'faults'].map((folder) => `test/${folder}`);

/** A run that skipped something must never look like a full one. */
export function uncheckedIn(
  { files, skipped }: Ran,
  {
    withoutServers,
    programs,
    sampled = {},
    seed = 0,
  }: {
    readonly withoutServers: boolean;
    readonly programs: Readonly<Record<string, Program>>;
    /** Files that do some of what they could, and what they leave out. */
    readonly sampled?: Readonly<Record<string, string>>;
    readonly seed?: number;
  },
): Unchecked {
  const lines = withoutServers
    ? [
        `${WITH_SERVERS.join(', ')}: MAKEGOOD_SKIP_INTEGRATION=1, and they need Postgres and Temporal`,
        'test/nodes: MAKEGOOD_SKIP_INTEGRATION=1, and it needs other versions of Node',
      ]
    : [];
  const explained = new Set<string>();
  for (const [name, { isThere, askedBy, without }] of Object.entries(programs)) {
    const asking = askedBy.filter((file) => files.includes(file));
    if (asking.length === 0 || isThere()) continue;
    for (const file of asking) explained.add(file);
    lines.push(`${name} is missing: ${without} (${asking.join(', ')})`);
  }
  const samples = Object.entries(sampled).filter(([file]) => files.includes(file));
  for (const [file, leftOut] of samples) lines.push(`${file}: ${leftOut}`);
  if (samples.length > 0)
    lines.push(
      `these were left out by size or by lot: npm run test:matrix does it all, MAKEGOOD_SEED=${seed} the same again`,
    );
  const unexplained = skipped.filter(({ file }) => !explained.has(file));
  return {
    lines: [...lines, ...unexplained.map(({ file, name }) => `skipped in its own code: ${name} (${file})`)],
    unexplained: unexplained.length,
  };
}

/** Names at the end of a run whatever it did not check. */
export default class UncheckedReporter implements Reporter {
  private vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    // Whoever asks for some tests by name knows that the others do not run.
    if (!this.vitest || this.vitest.config.testNamePattern !== undefined) return;
    const { root } = this.vitest.config;
    const of = ({ moduleId }: TestModule) => relative(root, moduleId);
    const { lines, unexplained } = uncheckedIn(
      {
        files: modules.map(of),
        skipped: modules.flatMap((module) =>
          Array.from(module.children.allTests('skipped'), (test: TestCase) => ({
            file: of(module),
            name: test.fullName,
          })),
        ),
      },
      {
        withoutServers: process.env.MAKEGOOD_SKIP_INTEGRATION === '1',
        programs: PROGRAMS,
        sampled: isWhole ? {} : SAMPLED,
        seed: SEED,
      },
    );
    if (lines.length === 0) return;
    console.log(['Not checked in this run:', ...lines.map((line) => `  - ${line}`), ''].join('\n'));
    if (unexplained > 0 && process.env.CI === 'true') process.exitCode = 1;
  }
}
