import { setTimeout as wait } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { Config } from '../config/config.js';
import { sweepIntervals } from '../domain/sweep-lanes.js';
import { migrate } from '../ledger/migrate.js';
import { prepareTemporal } from '../orchestration/prepare-temporal.js';
import { createTemporalClient } from '../orchestration/temporal-client.js';
import { type CliContext, CommandRefused } from './context.js';
import { withOperatorLedger } from './operator-ledger.js';

const TEMPORAL_WITHIN_MS = 30_000;
const TRY_EVERY_MS = 1_000;

export function addMigrateCommand(program: Command, context: CliContext): void {
  program
    .command('migrate')
    .description('bring Postgres and Temporal up to this build; safe to repeat, and safe twice at once')
    .option('--to <number>', 'stop after this SQL migration, and leave Temporal alone', migrationNumber)
    .option('--json', 'answer as JSON')
    .action((options: { to?: number; json?: true }) => run(context, options));
}

async function run(context: CliContext, { to, json }: { to?: number; json?: true }): Promise<void> {
  const config = context.readOperatorConfig();
  const applied = await migrate(config.databaseUrl, { to });
  for (const name of applied) context.err(`applied ${name}`);
  const whole = to === undefined;
  if (whole) await prepare(config, context);
  const withoutId = whole ? await withOperatorLedger(context, (ledger) => ledger.countTransfersWithoutId()) : undefined;
  if (json) {
    const temporal = whole ? 'ready' : 'skipped';
    context.out(JSON.stringify({ applied, temporal, transfers_without_id: withoutId }));
  } else context.out(applied.length === 0 ? 'the schema is up to date' : `applied ${applied.length} migrations`);
  if (withoutId) {
    context.err(
      `${withoutId} completed transfers lack their id at Stripe: a refund could not take their share back. Look for the ids with makegood backfill-transfer-ids`,
    );
  }
}

/** Where Temporal is only just starting, as in a compose file, it is waited for. */
async function prepare(config: Config, { clock, err }: CliContext): Promise<void> {
  const { namespace, taskQueue, address } = config.temporal;
  const client = createTemporalClient(config.temporal);
  const giveUpMs = clock.nowMs() + TEMPORAL_WITHIN_MS;
  try {
    for (;;) {
      try {
        await client.connection.withDeadline(Date.now() + TEMPORAL_WITHIN_MS, () =>
          prepareTemporal({
            client,
            namespace,
            taskQueue,
            sweeps: sweepIntervals(config),
            reconcileEveryMs: config.reconcileIntervalMs,
          }),
        );
        return;
      } catch (cause) {
        if (clock.nowMs() >= giveUpMs) {
          throw new CommandRefused(
            `the SQL is applied, but Temporal at ${address} could not be prepared: ${cause instanceof Error ? cause.message : 'unknown reason'}. Check TEMPORAL_ADDRESS, then run makegood migrate again`,
            { cause },
          );
        }
        err(`waiting for Temporal at ${address}`);
        await wait(TRY_EVERY_MS);
      }
    }
  } finally {
    await client.connection.close();
  }
}

function migrationNumber(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text))
    throw new InvalidArgumentError('a migration is named by its number, for example 3');
  return Number(text);
}
