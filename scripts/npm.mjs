// The npm that runs our scripts, or the one on PATH. Plain Node, no packages.
import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';

/** @returns what it printed on stdout; throws when it failed, with that */
export function npm(args, options = {}) {
  // npm gives its scripts the npm that runs them
  const given = process.env.npm_execpath ?? '';
  const [command, before] = basename(given).startsWith('npm-cli') ? [process.execPath, [given]] : ['npm', []];
  const { status, error, stdout } = spawnSync(command, [...before, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  });
  if (status === 0) return stdout;
  throw new Error(`${error?.message ?? `npm ${args[0]} ended with ${status}`}\n${stdout ?? ''}`);
}
