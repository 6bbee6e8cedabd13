import { type FileHandle, open } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type BackfillId, newBackfillId, parseBackfillId } from '../../domain/ids.js';
import type { BackfillProgress } from '../../ledger/historical/backfill-report.js';
import { createBackfillOrchestration } from '../../orchestration/backfills.js';
import { createTemporalClient } from '../../orchestration/temporal-client.js';
import { type CliContext, CommandRefused } from '../context.js';
import { date } from '../date.js';
import { deciderFor } from '../deciding/principal.js';
import { type OperatorLedger, withOperatorLedger } from '../operator-ledger.js';
import { followBackfill, followCommand } from './backfill-follow.js';
import { backfillSummary, printReport } from './backfill-report.js';

interface BackfillOptions {
  readonly apply?: true;
  /** ISO 8601 */
  readonly since?: string;
  readonly destination?: string;
  readonly follow?: BackfillId;
  readonly json?: true;
  readonly report?: string;
  readonly tokenFile?: string;
  readonly by?: string;
}

export function addBackfillTransferIdsCommand(program: Command, context: CliContext): void {
  program
    .command('backfill-transfer-ids')
    .description(
      'look up at Stripe the ids of completed transfers that have none; a worker does it, this command follows. Without --apply nothing is written but the report',
    )
    .option('--apply', 'write the ids that can be no others')
    .option('--since <date>', 'only transfers completed since then', date)
    .option('--destination <account>', "only transfers to this seller's account", account)
    .addOption(
      new Option('--follow <id>', 'follow one that was started before')
        .argParser(backfillId)
        .conflicts(['apply', 'since', 'destination']),
    )
    .option('--token-file <path>', 'a file that holds your token of API_TOKENS; default: MAKEGOOD_TOKEN')
    .option('--by <name>', 'without a token: a name to be recorded as claimed; default: the operating-system user')
    .option('--json', 'report on standard output, one JSON object a line')
    .option('--report <file>', 'write the report there, one JSON object a line')
    .action((options: BackfillOptions) => run(context, options));
}

async function run(context: CliContext, options: BackfillOptions): Promise<void> {
  // Opened first: a report that cannot be written is known before Stripe is asked anything.
  const file = options.report === undefined ? undefined : await opened(options.report);
  try {
    await withOperatorLedger(context, async (ledger) => {
      const backfill = await takenUp(context, options, ledger);
      const ended = await followBackfill(backfill.id, { context, ledger });
      await printReport(ended.id, { context, ledger, json: options.json === true, file });
      context.err(backfillSummary(ended));
    });
  } finally {
    await file?.close();
  }
}

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'w');
  } catch (cause) {
    throw new CommandRefused(
      `the report cannot be written to ${path}: ${cause instanceof Error ? cause.message : 'unknown reason'}`,
      { cause },
    );
  }
}

/** Records what is asked for, then has a workflow do it; the record alone is found again by `--follow`. */
async function takenUp(
  context: CliContext,
  options: BackfillOptions,
  ledger: OperatorLedger,
): Promise<BackfillProgress> {
  const id = options.follow ?? (await recorded(context, options, ledger));
  const backfill = await ledger.backfillProgress(id);
  if (!backfill) throw new CommandRefused(`there is no backfill ${id}`);
  if (backfill.state === 'running') {
    context.err(`backfill ${id} ${backfill.apply ? 'writes what it finds' : 'is a dry run: it writes no id'}`);
    context.err(`Ctrl-C leaves it at work; to follow it again: ${followCommand(id)}`);
    await startWorkflow(context, backfill);
  }
  return backfill;
}

async function recorded(context: CliContext, options: BackfillOptions, ledger: OperatorLedger): Promise<BackfillId> {
  const { apply, since, destination } = options;
  const started = await ledger.startBackfill({
    id: newBackfillId(context.clock.nowMs()),
    apply: apply === true,
    since: since ?? null,
    destination: destination ?? null,
    requestedBy: deciderFor(context, options).by,
  });
  if (started.kind === 'started') return started.id;
  throw new CommandRefused(
    `backfill ${started.id} is at work, and two at once would list the same transfers twice: follow it with ${followCommand(started.id)}`,
  );
}

async function startWorkflow(context: CliContext, backfill: BackfillProgress): Promise<void> {
  const { temporal } = context.readOperatorConfig();
  const client = createTemporalClient(temporal);
  try {
    await createBackfillOrchestration(client, temporal.taskQueue).startBackfill(backfill);
  } catch (cause) {
    throw new CommandRefused(
      `backfill ${backfill.id} is recorded, but Temporal at ${temporal.address} did not start its workflow: ${cause instanceof Error ? cause.message : 'unknown reason'}. Check TEMPORAL_ADDRESS, then go on with ${followCommand(backfill.id)}`,
      { cause },
    );
  } finally {
    await client.connection.close();
  }
}

function account(text: string): string {
  if (!/^acct_\w{1,64}$/.test(text)) throw new InvalidArgumentError('an account such as acct_1A2b3C');
  return text;
}

function backfillId(text: string): BackfillId {
  const id = parseBackfillId(text);
  if (!id) throw new InvalidArgumentError('not the id of a backfill');
  return id;
}
