// Tells a running process from a later one with the same id.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** When a process started, in the system's own words; undefined when there is none (a zombie counts as none). */
function processStart(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    if (process.platform === 'linux') return undefined;
  }
  try {
    const stdio = ['ignore', 'pipe', 'ignore'];
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio }).trim() || undefined;
  } catch {
    return undefined;
  }
}

export const describeProcess = (pid) => ({ pid, start: processStart(pid) });

/** @param who what {@link describeProcess} returned earlier, perhaps in another process */
export const isAlive = (who) => who?.start !== undefined && processStart(who.pid) === who.start;
