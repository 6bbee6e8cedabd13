import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project-root.js';

/** The two programs of Temporal's that a local stack and the tests run. */
export type TemporalTool = 'temporal' | 'temporal-test-server';

const VARIABLES: Readonly<Record<TemporalTool, string>> = {
  temporal: 'TEMPORAL_CLI',
  'temporal-test-server': 'TEMPORAL_TEST_SERVER',
};

/**
 * Where `scripts/temporal-tools.mjs` (run before `npm start` and `npm test`) found or installed a program.
 * @throws when it is nowhere, with what to do
 */
export function temporalTool(tool: TemporalTool, environment: NodeJS.ProcessEnv): string {
  const given = environment[VARIABLES[tool]];
  if (given) return given;
  const record = join(projectRoot(), '.tools', 'paths.json');
  const paths: unknown = existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) : {};
  const found: unknown = Reflect.get(Object(paths), tool);
  if (typeof found === 'string' && existsSync(found)) return found;
  throw new Error(
    `the program ${tool} was not found: run "node scripts/temporal-tools.mjs", or set ${VARIABLES[tool]} to its path`,
  );
}
