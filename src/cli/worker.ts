import type { Command } from 'commander';
import type { CliContext } from './context.js';

export function addWorkerCommand(program: Command, context: CliContext): void {
  program
    .command('worker')
    .description('run the Temporal worker, which settles; applies no SQL')
    .action(() => context.runWorker(context.readConfig()));
}
