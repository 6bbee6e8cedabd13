// Brings, once, the other major versions of Node that the paid gate is tried with: it stands on Node's own inner workings,
// which differ from one to the next. Which ones, and their hashes, is in other-nodes/package-lock.json. They are no
// dependencies of the project: as such one of them would be the `node` of every npm script. Plain Node, no packages.
// By hand: node scripts/other-nodes.mjs (ends with status 1 when one is neither here nor can be had)
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';
import { npm } from './npm.mjs';
import { inFreshFolder, installedBy, isExecutable, moveProgram, remember, say, tools } from './tools-folder.mjs';

const ROUTE = 'nodes';
const folder = fileURLToPath(new URL('other-nodes', import.meta.url));

/** Those that are pinned for this platform. */
function pinned() {
  const { optionalDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return Object.entries(optionalDependencies)
    .filter(([name]) => name.endsWith(`-${process.platform}-${process.arch}`))
    .map(([name, from]) => ({ name, program: `node-${from.split('@').at(-1)}` }));
}

const isHere = ({ program }) => isExecutable(installedBy(ROUTE, program));

/** @returns {Promise<Record<string, string>>} program → path; throws when one is neither here nor can be had */
export async function otherNodes() {
  const nodes = pinned();
  if (nodes.length === 0)
    throw new Error(`npm serves them for linux alone, and this is ${process.platform} ${process.arch}`);
  if (!nodes.every(isHere)) {
    await withLock(join(tools, 'lock'), 'installing other versions of Node', async () => {
      if (!nodes.every(isHere)) await install(nodes);
    });
  }
  return remember(Object.fromEntries(nodes.map(({ program }) => [program, installedBy(ROUTE, program)])));
}

async function install(nodes) {
  const started = Date.now();
  say('installing other versions of Node; a first time takes about half a minute');
  await inFreshFolder(ROUTE, (fresh) => {
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(folder, file), join(fresh, file));
    const only = ['--prefix', fresh, '--ignore-scripts', '--include=optional', '--no-audit', '--no-fund'];
    // without a network it must give up fast
    npm(['ci', ...only, '--prefer-offline', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'], { cwd: fresh });
    rmSync(join(tools, ROUTE), { recursive: true, force: true });
    for (const { name, program } of nodes)
      moveProgram(join(fresh, 'node_modules', name, 'bin', 'node'), ROUTE, program);
  });
  say(`other versions of Node installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    console.log(Object.keys(await otherNodes()).join(' '));
  } catch (error) {
    say(`other versions of Node: ${error.message}`);
    process.exitCode = 1;
  }
}
