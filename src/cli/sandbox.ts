import type { Command } from 'commander';
import { type CliContext, CommandRefused } from './context.js';

const DEFAULT_PORT = '4020';
const DEFAULT_STATE_DIR = '.makegood/sandbox';

export function addSandboxCommand(program: Command, { sandboxDefaults }: CliContext): void {
  program
    .command('sandbox')
    .description('run the stand-in of the auth server, with fault switches; for tries and tests only')
    .option('--port <port>', 'where it listens; default PORT', sandboxDefaults.port ?? DEFAULT_PORT)
    .option(
      '--state-dir <path>',
      'its own ledger; default SANDBOX_STATE_DIR',
      sandboxDefaults.stateDir ?? DEFAULT_STATE_DIR,
    )
    .action(async ({ port, stateDir }: { port: string; stateDir: string }) => {
      const number = /^[0-9]{1,5}$/.test(port) ? Number(port) : Number.NaN;
      if (!(number <= 65_535))
        throw new CommandRefused(`${port} is no port; example: makegood sandbox --port ${DEFAULT_PORT}`);
      // Loaded only here: no other command runs any of its code.
      const { runSandbox } = await import('../sandbox/auth-server/run.js');
      await runSandbox({ port: number, stateDir });
    });
}
