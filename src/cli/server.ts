import type { Command } from 'commander';
import type { CliContext } from './context.js';

export function addServerCommand(program: Command, context: CliContext): void {
  program
    .command('server')
    .description('run the HTTP server: paid sessions, the API, metrics; applies no SQL')
    .action(() => context.runServer(context.readConfig()));
}
