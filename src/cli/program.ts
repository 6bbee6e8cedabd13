import { Command } from 'commander';
import { addCompletionCommand } from './completion.js';
import type { CliContext } from './context.js';
import { addApproveCommand } from './deciding/approve.js';
import { addResolveCommand } from './deciding/resolve.js';
import { addRetryAllCommand } from './deciding/retry-all.js';
import { addDoctorCommand } from './doctor.js';
import { addBackfillTransferIdsCommand } from './historical/backfill-transfer-ids.js';
import { addImportTransfersCommand } from './historical/import-transfers.js';
import { addMigrateCommand } from './migrate.js';
import { addNotifyCommand } from './notify.js';
import { addPauseCommands } from './pause.js';
import { addPayoutsCommand } from './payouts.js';
import { addExportCommand } from './proof/export.js';
import { addVerifyCommand } from './proof/verify.js';
import { addReconcileCommand } from './reconcile.js';
import { addSandboxCommand } from './sandbox.js';
import { addServerCommand } from './server.js';
import { addExplainCommand } from './showing/explain.js';
import { addListCommand } from './showing/list.js';
import { addSellerCommand } from './showing/seller.js';
import { addShowCommand } from './showing/show.js';
import { addStripeRateCommand } from './stripe-rate.js';
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
  addPayoutsCommand(program, context);
  addSellerCommand(program, context);
  addReconcileCommand(program, context);
  addExportCommand(program, context);
  addVerifyCommand(program, context);
  addPauseCommands(program, context);
  addStripeRateCommand(program, context);
  addNotifyCommand(program, context);
  addImportTransfersCommand(program, context);
  addBackfillTransferIdsCommand(program, context);
  addCompletionCommand(program, context);
  return program;
}
