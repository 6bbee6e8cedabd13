import { defineConfig } from 'vitest/config';

/** What needs no server, and what needs Postgres, Temporal or our own programs. */
const UNIT = ['unit', 'architecture', 'replay'];
const INTEGRATION = ['integration', 'contract', 'interop'];

const skipped = process.env.MAKEGOOD_SKIP_INTEGRATION === '1';
/** Writes test/replay/histories anew; a decision, so it is never part of a plain run. */
const recording = process.env.MAKEGOOD_RECORD === '1';
const files = (folders: readonly string[]) => folders.map((folder) => `test/${folder}/**/*.test.ts`);

/** A process loads what it tests once and not for every file; no file changes a module that others see. */
const SHARED = { isolate: false };

/** Files that count calls a second, or seconds. */
const PACED = [
  'test/faults/marketplace/budget-of-all-calls.test.ts',
  'test/faults/marketplace/storm.test.ts',
  'test/faults/marketplace/stripe-budget.test.ts',
  'test/faults/settlements/recovery-from-an-outage.test.ts',
  'test/faults/settlements/slow-auth-server.test.ts',
];

// One lot for all files of a run, which its end tells; with the same number the next run draws the same.
process.env.MAKEGOOD_SEED ??= String(Date.now() % 2 ** 31);

/** `npm run console-pictures`: writes docs/console anew, so it is never part of a plain run either. */
const picturing = process.env.MAKEGOOD_PICTURES === '1';

/** Groups run one after the other. */
const withServers = (name: string, groupOrder: number) => ({
  name,
  globalSetup: ['test/support/global-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 60_000,
  sequence: { groupOrder },
});

export default defineConfig({
  test: {
    pool: 'forks',
    // Most files wait for something most of the time; vitest would leave one processor free.
    maxWorkers: '100%',
    reporters: ['default', './test/support/unchecked-reporter.ts'],
    setupFiles: ['./test/support/strict-matchers.ts'],
    projects: [
      ...(picturing
        ? [{ extends: true as const, test: { name: 'pictures', include: ['test/integration/console/*.pictures.ts'] } }]
        : []),
      ...(recording
        ? [
            {
              extends: true as const,
              test: {
                ...withServers('record', 0),
                include: ['test/replay/*.record.ts'],
              },
            },
          ]
        : []),
      {
        extends: true,
        test: {
          ...SHARED,
          name: 'unit',
          include: files(UNIT),
          sequence: { groupOrder: 0 },
        },
      },
      ...(skipped
        ? []
        : [
            {
              extends: true as const,
              test: {
                ...SHARED,
                ...withServers('integration', 1),
                include: files(INTEGRATION),
                // Most files wait for Temporal, Postgres or a clock half of the time.
                maxWorkers: 4,
                // What is polled for has no bound of its own; a second is too short where another file has the processor.
                expect: { poll: { timeout: 10_000 } },
              },
            },
            {
              extends: true as const,
              test: {
                ...withServers('faults', 2),
                include: files(['faults']),
                exclude: PACED,
                // Processes that are killed, and waited for: each file stands still much of the time. With three at once on two
                // processors, one did not end within its limit.
                maxWorkers: 2,
              },
            },
            {
              extends: true as const,
              // Each holds its servers to a pace: two at once would measure each other.
              test: { ...withServers('faults-paced', 3), include: PACED, fileParallelism: false },
            },
            {
              extends: true as const,
              // Each file is a whole run by another Node, and takes both processors for itself.
              test: { name: 'nodes', include: files(['nodes']), fileParallelism: false, sequence: { groupOrder: 4 } },
            },
          ]),
    ],
  },
});
