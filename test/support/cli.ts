import type { ChainReader } from '../../src/calls/decisions/ask-chain.js';
import type { HyperswitchVerifierDependencies } from '../../src/calls/decisions/ask-hyperswitch.js';
import type { StripeReader } from '../../src/calls/decisions/ask-stripe.js';
import { createResolution } from '../../src/calls/decisions/decide.js';
import type { CliContext } from '../../src/cli/context.js';
import { createProgram } from '../../src/cli/program.js';
import { readConfig, readOperatorConfig } from '../../src/config/config.js';
import type { Clock } from '../../src/domain/clock.js';
import { newNoticeMessageId } from '../../src/domain/ids.js';
import { createAnchorDirectory } from '../../src/providers/anchors/anchor-directory.js';
import { createSender } from '../../src/providers/notifications/sender.js';
import { probeProviders } from '../../src/providers/probes.js';

export interface CliOptions {
  readonly env: Record<string, string>;
  readonly clock: Clock;
  /** Of whoever types; default: none. */
  readonly token?: string | undefined;
  /** What comes on standard input. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Aborted by the test instead of Ctrl-C. */
  readonly interruption?: AbortSignal;
  /** What decisions ask; default: no key is set. */
  readonly stripe?: StripeReader;
  readonly chain?: ChainReader;
  readonly hyperswitch?: HyperswitchVerifierDependencies['hyperswitch'];
  /** Whether standard output is a terminal; default: no. */
  readonly redraws?: boolean;
  /** After which a provider is given up; default: as in life. */
  readonly probeMs?: number;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** `makegood …` as in a terminal, but in this process; rejects where the program would end with another status than 0. */
export async function runMakegood(args: readonly string[], options: CliOptions): Promise<void> {
  const { env, out, err } = options;
  const context: CliContext = {
    out,
    err,
    drained: () => Promise.resolve(),
    anchors: createAnchorDirectory,
    stdin: options.stdin ?? nothing(),
    interruption: () => options.interruption ?? new AbortController().signal,
    redraws: options.redraws ?? false,
    clock: options.clock,
    userName: () => 'nora',
    token: () => options.token,
    readConfig: () => readConfig(env),
    readOperatorConfig: () => readOperatorConfig(env),
    sandboxDefaults: { port: undefined, stateDir: undefined },
    runServer: () => Promise.resolve(),
    runWorker: () => Promise.resolve(),
    runSandbox: () => Promise.resolve(),
    probe: (config, knownPayment) => probeProviders({ ...config, knownPayment, timeoutMs: options.probeMs ?? 5_000 }),
    tryDestination: ({ notifications, http }, destination) =>
      createSender({ mail: notifications?.mail, publicUrl: http.publicUrl, clock: options.clock }).sendTest(
        destination,
        newNoticeMessageId(options.clock.nowMs()),
      ),
    resolution: (_config, ledger) =>
      Promise.resolve(
        createResolution({
          ledger,
          stripe: options.stripe,
          chain: options.chain,
          hyperswitch: options.hyperswitch,
        }),
      ),
  };
  const program = createProgram(context, '0.0.0');
  const quiet = { writeOut: () => undefined, writeErr: err };
  for (const command of [program, ...program.commands]) command.exitOverride().configureOutput(quiet);
  await program.parseAsync(['node', 'makegood', ...args]);
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
