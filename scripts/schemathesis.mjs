// Finds, or once installs with pip, Schemathesis: it asks the API what its own description allows, and judges the answers
// (test/contract/schemathesis.test.ts). Plain Node, no packages. Without pip that test is passed over.
// By hand: node scripts/schemathesis.mjs (ends with status 1 when it is neither here nor can be installed)
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';
import { inFreshFolder, installedBy, isExecutable, moveProgram, remember, run, say, tools } from './tools-folder.mjs';

const NAME = 'schemathesis';
const ROUTE = `${NAME}-4.32.5`;
const requirements = fileURLToPath(new URL('requirements-schemathesis.txt', import.meta.url));

/** @returns {Promise<string>} its path; throws when it is neither here nor can be installed */
export async function schemathesis() {
  const path =
    present() ?? (await withLock(join(tools, 'lock'), 'installing Schemathesis', () => present() ?? install()));
  remember({ [NAME]: path });
  return path;
}

function present() {
  const given = process.env.SCHEMATHESIS;
  if (given) {
    if (!isExecutable(given)) throw new Error(`SCHEMATHESIS=${given} is not a program that can be run`);
    return given;
  }
  const installed = installedBy(ROUTE, NAME);
  return isExecutable(installed) ? installed : undefined;
}

async function install() {
  const started = Date.now();
  const python = ['python3', 'python'].find((command) => spawnSync(command, ['--version']).status === 0);
  if (!python) throw new Error('no Python 3 found');
  say('Schemathesis: installing it with pip; a first time takes about half a minute');
  const lib = join(tools, ROUTE, 'lib');
  await inFreshFolder(ROUTE, (folder) => {
    const wanted = ['--quiet', '--no-deps', '--only-binary', ':all:', '--target', join(folder, 'lib')];
    run(python, ['-m', 'pip', 'install', ...wanted, '-r', requirements], {
      env: { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: '1' },
    });
    rmSync(lib, { recursive: true, force: true });
    mkdirSync(join(lib, '..'), { recursive: true });
    renameSync(join(folder, 'lib'), lib);
    const launcher = join(folder, NAME);
    // exec: whoever ends it must not end only the shell around it
    writeFileSync(launcher, `#!/bin/sh\nPYTHONPATH='${lib}' exec ${python} -m schemathesis.cli "$@"\n`);
    moveProgram(launcher, ROUTE, NAME);
  });
  say(`Schemathesis: installed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return installedBy(ROUTE, NAME);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    console.log(`${NAME} ${await schemathesis()}`);
  } catch (error) {
    say(`${NAME}: ${error.message}`);
    process.exitCode = 1;
  }
}
