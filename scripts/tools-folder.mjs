// Where programs that are no packages are kept: each way of installing one has a folder of its own in .tools, so that a
// half-made one is never taken for the program. Where they are is left in .tools/paths.json. Plain Node, no packages.
import { execFileSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const tools = fileURLToPath(new URL('../.tools', import.meta.url));
const record = join(tools, 'paths.json');

export const say = (text) => process.stderr.write(`makegood: ${text}\n`);

export const installedBy = (route, name) => join(tools, route, 'bin', name);

export async function inFreshFolder(route, work) {
  const folder = join(tools, `${route}.new`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function moveProgram(from, route, name) {
  const to = installedBy(route, name);
  mkdirSync(join(to, '..'), { recursive: true });
  chmodSync(from, 0o755);
  renameSync(from, to);
}

export function run(command, args, options = {}) {
  try {
    execFileSync(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    if (error.code === 'ENOENT') throw new Error(`${command} is not installed`, { cause: error });
    throw new Error(`${command} failed: ${String(error.stderr ?? '').trim() || error.message}`, { cause: error });
  }
}

export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param found program → path, added to what is known */
export function remember(found) {
  const before = existsSync(record) ? readFileSync(record, 'utf8') : '{}';
  const after = JSON.stringify({ ...JSON.parse(before), ...found }, null, 2);
  if (after !== before) {
    mkdirSync(tools, { recursive: true });
    writeFileSync(`${record}.${process.pid}`, after);
    renameSync(`${record}.${process.pid}`, record);
  }
  return found;
}
