import type { Command } from 'commander';
import type { Destination } from '../domain/notifications/destinations.js';
import { type CliContext, CommandRefused } from './context.js';
import { type OperatorLedger, withOperatorLedger } from './operator-ledger.js';
import { table } from './table.js';

export function addNotifyCommand(program: Command, context: CliContext): void {
  program
    .command('notify')
    .description(
      'whom the settings have told of money that needs a person, and how each of them is. --test sends a message to each from here, and ends with 1 where one does not take it',
    )
    .option(
      '--test',
      'send a message that tells of no item to each of them; one that was gone and takes it is told again',
    )
    .option('--json', 'answer as JSON')
    .action((options: { test?: true; json?: true }) => run(context, options));
}

interface Line {
  readonly destination: string;
  readonly stage: Destination['stage'];
  readonly outcome: 'delivered' | 'failed' | 'gone' | 'well' | 'not_used';
  readonly detail: string;
}

async function run(context: CliContext, { test, json }: { test?: true; json?: true }): Promise<void> {
  const { notifications } = context.readOperatorConfig();
  if (!notifications)
    throw new CommandRefused(
      'nobody is told: set NOTIFY_WEBHOOKS, or NOTIFY_EMAIL_TO with SMTP_URL and NOTIFY_EMAIL_FROM (docs/notifications.md)',
    );
  const { destinations } = notifications;
  const lines = await withOperatorLedger(context, (ledger) =>
    test
      ? Promise.all(destinations.map((destination) => tryOne(context, ledger, destination)))
      : states(ledger, destinations),
  );
  if (json) context.out(JSON.stringify({ destinations: lines }));
  else
    for (const line of table(
      ['destination', 'stage', '', ''],
      lines.map(({ destination, stage, outcome, detail }) => [destination, stage, outcome, detail]),
    ))
      context.out(line);
  const failed = lines.filter(({ outcome }) => outcome === 'failed' || outcome === 'gone').length;
  if (test && failed > 0) throw new CommandRefused(`${failed} of ${lines.length} destinations did not take it`);
}

async function tryOne(context: CliContext, ledger: OperatorLedger, destination: Destination): Promise<Line> {
  const { id, stage } = destination;
  const { kind: outcome, detail } = await context.tryDestination(context.readOperatorConfig(), destination);
  if (outcome === 'delivered') await ledger.destinationIsThere(id);
  return { destination: id, stage, outcome, detail };
}

async function states(ledger: OperatorLedger, destinations: readonly Destination[]): Promise<readonly Line[]> {
  const known = new Map((await ledger.destinationStates()).map((state) => [state.id, state]));
  return destinations.map(({ id, stage }): Line => {
    const state = known.get(id);
    const about = { destination: id, stage };
    if (!state) return { ...about, outcome: 'not_used', detail: 'no worker has it in its settings' };
    const { goneAt, failingSince, lastFailure, deliveredAt, waiting } = state;
    if (goneAt) return { ...about, outcome: 'gone', detail: `since ${goneAt}: ${lastFailure ?? ''}` };
    if (failingSince)
      return { ...about, outcome: 'failed', detail: `since ${failingSince}, ${waiting} wait: ${lastFailure ?? ''}` };
    return { ...about, outcome: 'well', detail: deliveredAt ? `told last at ${deliveredAt}` : 'nothing was told yet' };
  });
}
