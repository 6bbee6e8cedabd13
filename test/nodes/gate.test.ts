import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { otherNodes } from '../support/other-nodes.js';
import { isPassedOverWithout } from '../support/programs.js';
import { sampleOf } from '../support/whole-or-sample.js';

/** What holds bytes back until they are paid for, and what pays; both stand on Node's own HTTP. */
const PROMISES = ['test/unit/sessions', 'test/unit/client'];

interface Run {
  readonly status: number;
  readonly printed: string;
}

/** Not waited for as a whole: whoever runs this test wants to hear of it meanwhile. */
const runOn = (program: string): Promise<Run> =>
  new Promise((resolve) => {
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', ...PROMISES];
    const { PATH, HOME, MAKEGOOD_MATRIX, MAKEGOOD_SEED } = process.env;
    const env = { PATH, HOME, MAKEGOOD_MATRIX, MAKEGOOD_SEED, NO_COLOR: '1', MAKEGOOD_SKIP_INTEGRATION: '1' };
    execFile(program, args, { cwd: projectRoot(), env, maxBuffer: 2 ** 26 }, (error, printed) =>
      resolve({ status: error === null ? 0 : 1, printed }),
    );
  });

const NODES = sampleOf('other versions of Node', otherNodes(), { nameOf: ({ version }) => version, oneIn: 3 });

test
  .skipIf(isPassedOverWithout('other versions of Node'))
  .each(NODES.map(({ version, program }) => [version, program] as const))(
  'Node %s: every promise of paid routes and of the paying client holds as it does here',
  async (version, program) => {
    expect(program, `Node ${version} is not here: node scripts/other-nodes.mjs`).toBeDefined();
    const { status, printed } = await runOn(program ?? '');
    expect(status, printed.slice(-20_000)).toBe(0);
    expect(Number(/Tests +(\d+) passed \(\1\)/.exec(printed)?.[1])).toBeGreaterThan(450);
  },
  600_000,
);
