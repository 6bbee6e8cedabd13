import { Command } from 'commander';
import { addApproveCommand } from './approve.js';
import { addBackfillTransferIdsCommand } from './backfill-transfer-ids.js';
import { addCompletionCommand } from './completion.js';
import type { CliContext } from './context.js';
import { addDoctorCommand } from './doctor.js';
import { addExplainCommand } from './explain.js';
import { addExportCommand } from './export.js';
import { addImportTransfersCommand } from './import-transfers.js';
import { addListCommand } from './list.js';
import { addMigrateCommand } from './migrate.js';
import { addNotifyCommand } from './notify.js';
import { addPauseCommands } from './pause.js';
import { addReconcileCommand } from './reconcile.js';
import { addResolveCommand } from './resolve.js';
import { addRetryAllCommand } from './retry-all.js';
import { addSandboxCommand } from './sandbox.js';
import { addServerCommand } from './server.js';
import { addShowCommand } from './show.js';
import { addVerifyCommand } from './verify.js';
import { addWorkerCommand } from './worker.js';

/** `makegood <command>`. */
export function createProgram(context: CliContext, version: string): Command {
  const program = new Command('makegood')
    .description('Money that was promised moves exactly once.')
    .version(version)
    .showHelpAfterError('(makegood --help lists the commands)')
    // Before the commands are added, which take it over: whoever runs them decides with which status the process ends.
    .exitOverride();
  addServerCommand(program, context);
  addWorkerCommand(program, context);
  addMigrateCommand(program, context);
  addSandboxCommand(program, context);
  addListCommand(program, context);
  addShowCommand(program, context);
  addExplainCommand(program, context);
  addDoctorCommand(program, context);
  addResolveCommand(program, context);
  addApproveCommand(program, context);
  addRetryAllCommand(program, context);
  addReconcileCommand(program, context);
  addExportCommand(program, context);
  addVerifyCommand(program, context);
  addPauseCommands(program, context);
  addNotifyCommand(program, context);
  addImportTransfersCommand(program, context);
  addBackfillTransferIdsCommand(program, context);
  addCompletionCommand(program, context);
  return program;
}
