import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../sandbox/stack/project-root.js';

export interface OtherNode {
  readonly version: string;
  /** Where `scripts/other-nodes.mjs` (run before `npm test`) has put it; undefined where it could not be had. */
  readonly program: string | undefined;
}

const json = (...path: string[]): Loose => JSON.parse(readFileSync(join(projectRoot(), ...path), 'utf8'));
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;

/** As they are pinned, each once. */
export function pinnedNodes(): readonly string[] {
  const pins: string[] = Object.values(json('scripts', 'other-nodes', 'package.json').optionalDependencies);
  return [...new Set(pins.map((pin) => pin.slice(pin.lastIndexOf('@') + 1)))];
}

export function otherNodes(): readonly OtherNode[] {
  const paths = existsSync(join(projectRoot(), '.tools', 'paths.json')) ? json('.tools', 'paths.json') : {};
  return pinnedNodes().map((version) => {
    const program: unknown = paths[`node-${version}`];
    return { version, program: typeof program === 'string' && runs(program, version) ? program : undefined };
  });
}

const runs = (program: string, version: string) =>
  spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout?.trim() === `v${version}`;
