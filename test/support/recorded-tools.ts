import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../sandbox/stack/project-root.js';

/** Where a script that runs before `npm test` found or made a program; undefined: it could not. @param given its variable */
export function recordedTool(name: string, given: string | undefined): string | undefined {
  const record = join(projectRoot(), '.tools', 'paths.json');
  const paths: unknown = existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) : {};
  const found: unknown = given || Reflect.get(Object(paths), name);
  return typeof found === 'string' && existsSync(found) ? found : undefined;
}
