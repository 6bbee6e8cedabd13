import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { CommanderError } from 'commander';
import { type CliContext, CommandRefused } from '../cli/context.js';
import { forTerminal } from '../cli/printable.js';
import { createProgram } from '../cli/program.js';
import { ConfigError, readConfig, readOperatorConfig } from '../config/config.js';
import { withSettingsFile } from '../config/settings-file.js';
import { systemClock } from '../domain/clock.js';
import { newNoticeMessageId } from '../domain/ids.js';
import { LedgerNotReady } from '../ledger/ledger.js';
import { createAnchorDirectory } from '../providers/anchors/anchor-directory.js';
import { VERSION } from '../version.js';
import type { ReadSettings } from './reload.js';

/** A provider that does not answer by then is given up: whoever asks has other things to look at. */
const PROBE_MS = 5_000;

/** A file or another program gets every byte as it is. */
const written = (line: string, { isTTY }: { readonly isTTY?: boolean }) => `${isTTY ? forTerminal(line) : line}\n`;
const say = (line: string) => process.stderr.write(written(line, process.stderr));

// Whoever reads (`| head`) has seen enough: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const context: CliContext = {
  out: (line) => process.stdout.write(written(line, process.stdout)),
  drained: async () => {
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
  },
  err: say,
  stdin: process.stdin,
  interruption: () => {
    const interrupted = new AbortController();
    process.once('SIGINT', () => interrupted.abort());
    return interrupted.signal;
  },
  redraws: process.stdout.isTTY,
  clock: systemClock,
  userName: () => userInfo().username,
  token: readToken,
  readConfig: () => readConfig(withSettingsFile(process.env)),
  readOperatorConfig: () => readOperatorConfig(withSettingsFile(process.env)),
  anchors: createAnchorDirectory,
  sandboxDefaults: {
    port: process.env.PORT,
    stateDir: process.env.SANDBOX_STATE_DIR,
    hyperswitchPort: process.env.SANDBOX_HYPERSWITCH_PORT,
    hyperswitchWebhookUrl: process.env.SANDBOX_HYPERSWITCH_WEBHOOK_URL,
    stripePort: process.env.SANDBOX_STRIPE_PORT,
    stripeWebhookUrl: process.env.SANDBOX_STRIPE_WEBHOOK_URL,
    tempoPort: process.env.SANDBOX_TEMPO_PORT,
  },
  // Loaded only when they are run: `makegood list` needs neither Express nor Temporal's native worker.
  runServer: async (config) => {
    const { runServer } = await import('./main-server.js');
    await runServer(config, { read: rereading() });
    process.exit();
  },
  runWorker: async (config) => {
    const { runWorker } = await import('./main-worker.js');
    await runWorker(config, { read: rereading() });
    process.exit();
  },
  runSandbox: async (options) => {
    const [{ runSandbox }, { AlreadyRunning }] = await Promise.all([
      import('../../sandbox/run.js'),
      import('../../sandbox/stack/instance-lock.js'),
    ]);
    try {
      await runSandbox(options);
    } catch (error) {
      throw error instanceof AlreadyRunning ? new CommandRefused(`${error.message} Or give --state-dir.`) : error;
    }
  },
  probe: async (config, knownPayment) => {
    const { probeProviders } = await import('../providers/probes.js');
    return await probeProviders({ ...config, knownPayment, timeoutMs: PROBE_MS });
  },
  tryDestination: async ({ notifications, http }, destination) => {
    const { createSender } = await import('../providers/notifications/sender.js');
    const sender = createSender({ mail: notifications?.mail, publicUrl: http.publicUrl, clock: systemClock });
    return await sender.sendTest(destination, newNoticeMessageId(systemClock.nowMs()));
  },
  resolution: async (config, ledger) => {
    const [
      { createResolution },
      { createPinnedReads },
      { createMarketplaceProviders },
      { loadTempo },
      { loadAuthorizations },
    ] = await Promise.all([
      import('../calls/decisions/decide.js'),
      import('../calls/marketplace/pinned-reads.js'),
      import('./marketplace-runtime.js'),
      import('./load-tempo.js'),
      import('./load-authorizations.js'),
    ]);
    const pinned = createPinnedReads(ledger, createMarketplaceProviders(config, ledger));
    const [tempo, authorizations] = await Promise.all([loadTempo(config), loadAuthorizations(config)]);
    return createResolution({ ledger, ...pinned, chain: tempo?.provider, authorizations });
  },
};

// A wrong option and a command that cannot be done are told apart: docs/runbooks/README.md, "Exit codes".
const WRONG_USAGE = 2;

try {
  await createProgram(context, VERSION).parseAsync(process.argv);
} catch (error) {
  // The text is out already: of a wrong usage, of --help or of --version.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : WRONG_USAGE);
  say(`makegood: ${inWords(error)}`);
  // A server that fails to start may hold open what would keep the process alive.
  process.exit(1);
}

/** Only a file can say something else than it did before. */
function rereading(): ReadSettings | undefined {
  if (!process.env.SETTINGS_FILE) return undefined;
  return () => {
    const env = withSettingsFile(process.env);
    return { env, config: readConfig(env) };
  };
}

/** An empty one is a mistake and not the wish to decide as nobody. */
function readToken(file: string | undefined): string | undefined {
  if (file === undefined && process.env.MAKEGOOD_TOKEN === undefined) return undefined;
  const token = (file === undefined ? process.env.MAKEGOOD_TOKEN : contentOf(file))?.trim() ?? '';
  if (token === '') throw new CommandRefused(`${file ?? 'MAKEGOOD_TOKEN'} holds no token: nothing was decided`);
  return token;
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandRefused(`the token file cannot be read, nothing was decided: ${String(error)}`, { cause: error });
  }
}

/** What a person can act on; the stack only where it is a bug of ours. */
function inWords(error: unknown): string {
  if (error instanceof ConfigError || error instanceof LedgerNotReady || error instanceof CommandRefused) {
    return error.message;
  }
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  if (/^E[A-Z]+$/.test(code))
    return `${error.message === '' ? code : error.message}: check DATABASE_URL, HOST and PORT, and that Postgres runs`;
  return error.stack ?? error.message;
}
