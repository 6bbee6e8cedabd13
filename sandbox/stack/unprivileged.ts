import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';

/** How to run a program that refuses to run as root. */
export interface Unprivileged {
  /** The owner that the program's files need; undefined: we are not root, nothing is to be done. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** The command line with which `command` runs as that owner. */
  wrap(command: string, args: readonly string[]): readonly [command: string, args: readonly string[]];
}

/**
 * Postgres refuses to run as root. As root it is run as the user `postgres` or, where there is none, `nobody`; in a
 * clone that only root may enter (`mktemp -d`, /root) it keeps the one capability to pass those folders.
 * @param folders that the program must be able to reach
 */
export function unprivileged(folders: readonly string[]): Unprivileged {
  if (process.getuid?.() !== 0) return { wrap: (command, args) => [command, args] };
  const owner = account('postgres') ?? account('nobody');
  if (!owner)
    throw new Error('Postgres refuses to run as root, and this system has neither a user postgres nor nobody');
  // no_setuid_fixup: the programs ask by access(2) what they may run, which else ignores the kept capability
  const keep = folders.every(reachable)
    ? []
    : ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'];
  return {
    owner,
    wrap: (command, args) => [
      'setpriv',
      [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups', ...keep, command, ...args],
    ],
  };
}

function account(name: string): { uid: number; gid: number } | undefined {
  try {
    const read = (flag: string) =>
      Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    return { uid: read('-u'), gid: read('-g') };
  } catch {
    return undefined;
  }
}

/** Every folder above may be entered by everybody. */
function reachable(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (dirname(at) === at) return true;
  }
}
