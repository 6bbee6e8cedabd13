// Finds, or once builds with Go, Stripe's own `stripe-mock`: the contract tests ask it whether Stripe's published
// description admits what we send. Plain Node, no packages. Where Go is missing, they use what it answered when that was
// recorded (test/fixtures/stripe-mock.json).
// By hand: node scripts/stripe-mock.mjs (ends with status 1 when it is neither here nor can be built)
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';
import { inFreshFolder, installedBy, isExecutable, moveProgram, remember, run, say, tools } from './tools-folder.mjs';

const NAME = 'stripe-mock';
/** The recording is of this version; another one would disagree with it about fields. */
const VERSION = '0.203.0';
const ROUTE = `${NAME}-${VERSION}`;
const BUILD_LIMIT_MS = 180_000;

/** @returns {Promise<string>} its path; throws when it is neither here nor can be built */
export async function stripeMock() {
  const path = present() ?? (await withLock(join(tools, 'lock'), 'building stripe-mock', () => present() ?? build()));
  remember({ [NAME]: path });
  return path;
}

function present() {
  const given = process.env.STRIPE_MOCK;
  if (given) {
    if (!isExecutable(given)) throw new Error(`STRIPE_MOCK=${given} is not a program that can be run`);
    return given;
  }
  const built = installedBy(ROUTE, NAME);
  return isExecutable(built) ? built : undefined;
}

async function build() {
  const started = Date.now();
  run('go', ['version']);
  say('stripe-mock: building it with Go; a first time takes about half a minute');
  await inFreshFolder(ROUTE, (folder) => {
    run('go', ['install', '-ldflags', '-s -w', `github.com/stripe/stripe-mock@v${VERSION}`], {
      env: { ...process.env, GOBIN: folder, CGO_ENABLED: '0' },
      timeout: BUILD_LIMIT_MS,
    });
    moveProgram(join(folder, NAME), ROUTE, NAME);
  });
  say(`stripe-mock: built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return installedBy(ROUTE, NAME);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    console.log(`${NAME} ${await stripeMock()}`);
  } catch (error) {
    say(`stripe-mock: ${error.message}`);
    process.exitCode = 1;
  }
}
