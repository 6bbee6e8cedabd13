// Builds dist (compiled sources, SQL migrations, workflow bundle) when its sources changed; with --tests also .build/test,
// the same plus the child processes of the crash tests; with --bench also .build/bench, the same plus the measurements. The pages
// of the console are a target of their own, dist/web.
// Types are checked by `npm run types`, not here.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const say = (text) => process.stderr.write(`makegood: ${text}\n`);
const BUNDLE = 'workflow-bundle.js';
const INPUTS = [
  'src',
  'workflows',
  'activities',
  'sandbox',
  'scripts/build.mjs',
  'tsconfig.json',
  'tsconfig.build.json',
  'package-lock.json',
];
/** The pages share their words with the product, and have its runbooks with them. */
const WEB_INPUTS = ['web', 'src/domain', 'docs/runbooks', 'scripts/build.mjs', 'package-lock.json'];
const TEST_INPUTS = [...INPUTS, 'test/support', 'test/tsconfig.processes.json'];
const BENCH_INPUTS = [...INPUTS, 'bench', 'test/support'];

/** Does nothing when everything is up to date. */
export async function build({ tests = false, bench = false } = {}) {
  const targets = [
    { folder: 'dist', project: 'tsconfig.build.json', inputs: INPUTS, make: compileAll, keeps: 'web' },
    { folder: 'dist/web', inputs: WEB_INPUTS, make: buildPages },
    ...(tests
      ? [{ folder: '.build/test', project: 'test/tsconfig.processes.json', inputs: TEST_INPUTS, make: compileAll }]
      : []),
    ...(bench
      ? [{ folder: '.build/bench', project: 'bench/tsconfig.json', inputs: BENCH_INPUTS, make: compileAll }]
      : []),
  ];
  if (targets.every(isCurrent)) return;
  await withLock(join(root, '.build', 'build.lock'), 'building', async () => {
    for (const target of targets) if (!isCurrent(target)) await buildTarget(target);
  });
}

const stampOf = (folder) => join(root, folder, '.sources');
const isCurrent = ({ folder, inputs }) =>
  existsSync(stampOf(folder)) && readFileSync(stampOf(folder), 'utf8') === digest(inputs);

async function buildTarget({ folder, project, inputs, make, keeps }) {
  const started = Date.now();
  const stamp = digest(inputs);
  const fresh = join(root, '.build', `${folder.replaceAll('/', '-').replace('.', '')}.new`);
  rmSync(fresh, { recursive: true, force: true });
  await make(fresh, { folder, project });
  writeFileSync(join(fresh, '.sources'), stamp);
  // what another target has put there outlives the swap
  const kept = keeps && join(root, folder, keeps);
  if (kept && existsSync(kept)) cpSync(kept, join(fresh, keeps), { recursive: true });
  swap(fresh, join(root, folder));
  say(`built ${folder} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

async function compileAll(fresh, { folder, project }) {
  compile(project, fresh);
  cpSync(join(root, 'src/ledger/migrations'), join(fresh, 'src/ledger/migrations'), { recursive: true });
  await addBundle(fresh, folder);
}

async function buildPages(fresh) {
  const { build: bundlePages } = await import('vite');
  await bundlePages({
    configFile: join(root, 'web', 'vite.config.mjs'),
    build: { outDir: fresh, emptyOutDir: true },
  });
}

function compile(project, outDir) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    execFileSync(process.execPath, [tsc, '-p', join(root, project), '--outDir', outDir, '--noCheck'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  } catch (error) {
    throw new Error(`the sources could not be compiled:\n${error.stdout}`, { cause: error });
  }
}

/** Workflow code as the worker runs it, made once here instead of at every start of every worker. */
async function addBundle(fresh, folder) {
  const finished = join(root, 'dist', BUNDLE);
  if (folder !== 'dist') {
    if (existsSync(finished)) cpSync(finished, join(fresh, BUNDLE));
    return;
  }
  const workflowsPath = join(fresh, 'workflows', 'index.js');
  if (!existsSync(workflowsPath)) {
    say('there is no workflows/index.ts: built without a workflow bundle');
    return;
  }
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  writeFileSync(join(fresh, BUNDLE), code);
}

/** A program that starts in between must find the old build or the new one, never a half-written one. */
function swap(fresh, place) {
  const old = `${fresh}.old`;
  rmSync(old, { recursive: true, force: true });
  mkdirSync(join(place, '..'), { recursive: true });
  if (existsSync(place)) renameSync(place, old);
  renameSync(fresh, place);
  rmSync(old, { recursive: true, force: true });
}

/** By content, so that a checkout that only touches dates rebuilds nothing and an old date hides nothing. */
function digest(inputs) {
  const hash = createHash('sha256').update(process.version);
  for (const input of inputs) {
    const path = join(root, input);
    if (existsSync(path)) addTo(hash, path, input);
  }
  return hash.digest('hex');
}

function addTo(hash, path, name) {
  let names;
  try {
    names = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (error.code !== 'ENOTDIR') throw error;
    hash.update(`${name}\0`).update(readFileSync(path)).update('\0');
    return;
  }
  names.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of names) addTo(hash, join(path, entry.name), `${name}/${entry.name}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await build({ tests: process.argv.includes('--tests'), bench: process.argv.includes('--bench') });
  } catch (error) {
    say(error.message);
    process.exitCode = 1;
  }
}
