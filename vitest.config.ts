import { defineConfig } from 'vitest/config';

/** What needs no server, and what needs Postgres, Temporal or our own programs. */
const UNIT = ['unit', 'architecture', 'replay'];
const INTEGRATION = ['integration', 'faults', 'contract'];

const skipped = process.env.MAKEGOOD_SKIP_INTEGRATION === '1';
/** Writes test/replay/histories anew; a decision, so it is never part of a plain run. */
const recording = process.env.MAKEGOOD_RECORD === '1';
const files = (folders: readonly string[]) => folders.map((folder) => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  test: {
    pool: 'forks',
    projects: [
      ...(recording
        ? [
            {
              extends: true as const,
              test: {
                name: 'record',
                include: ['test/replay/*.record.ts'],
                globalSetup: ['test/support/global-setup.ts'],
                testTimeout: 60_000,
                hookTimeout: 60_000,
              },
            },
          ]
        : []),
      {
        extends: true,
        test: {
          name: 'unit',
          include: files(UNIT),
          globalSetup: skipped ? ['test/support/say-what-is-skipped.ts'] : [],
          sequence: { groupOrder: 0 },
        },
      },
      ...(skipped
        ? []
        : [
            {
              extends: true as const,
              test: {
                name: 'integration',
                include: files(INTEGRATION),
                globalSetup: ['test/support/global-setup.ts'],
                testTimeout: 60_000,
                hookTimeout: 60_000,
                // Each of these files drives real servers to their limits; two at once would measure each other.
                fileParallelism: false,
                sequence: { groupOrder: 1 },
              },
            },
          ]),
    ],
  },
});
