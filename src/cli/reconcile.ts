import { setTimeout as wait } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type DriftId, newReconciliationId, parseDriftId, type ReconciliationId } from '../domain/ids.js';
import { plural } from '../domain/plural.js';
import { driftAnswer, driftLines } from '../domain/reconciliation/drift-answer.js';
import { type ReconciliationFacts, reconciliationAnswer } from '../domain/reconciliation/reconciliation-answer.js';
import { createReconcileOrchestration } from '../orchestration/reconciling.js';
import { createTemporalClient } from '../orchestration/temporal-client.js';
import { asJson } from './as-json.js';
import { type CliContext, CommandRefused } from './context.js';
import { date } from './date.js';
import { deciderFor } from './deciding/principal.js';
import { type OperatorLedger, withOperatorLedger } from './operator-ledger.js';

interface ReconcileOptions {
  /** ISO 8601 */
  readonly since?: string;
  readonly watch?: true;
  readonly json?: true;
  readonly accept?: DriftId;
  readonly seen?: number;
  readonly note?: string;
  readonly tokenFile?: string;
  readonly by?: string;
}

export function addReconcileCommand(program: Command, context: CliContext): void {
  const command = program
    .command('reconcile')
    .description(
      'compare the ledger with what Stripe, Hyperswitch, the chain and Temporal hold, now; a worker does it, this command follows. Ends with status 0 where both tell the same everywhere, and with 1 where drift is open or a part could not be compared',
    )
    .option('--since <date>', 'from when on; left out: where the last run ended', date)
    .option('--watch', 'tell of each part as it goes on, and of drift as it is found')
    .addOption(
      new Option('--accept <drift>', 'a drift is right as it is: nobody is asked about it any more').argParser(driftId),
    )
    .option('--seen <version>', 'with --accept: the version of it that you saw, as makegood explain shows it', version)
    .option('--note <text>', 'with --accept: why, for who reads it later')
    .option('--token-file <path>', 'a file that holds your token of API_TOKENS; default: MAKEGOOD_TOKEN')
    .option('--by <name>', 'without a token: a name to be recorded as claimed; default: the operating-system user')
    .option('--json', 'answer as JSON')
    .action(async (options: ReconcileOptions) => {
      const { accept, note, seen } = options;
      const together = [accept, note, seen].filter((one) => one !== undefined).length;
      if (together !== 0 && together !== 3) command.error('error: --accept, --seen and --note go together.');
      if (accept !== undefined && note !== undefined && seen !== undefined)
        await acceptOne(context, { id: accept, note, version: seen }, options);
      else await compare(context, options);
    });
}

async function acceptOne(
  context: CliContext,
  said: { readonly id: DriftId; readonly note: string; readonly version: number },
  options: ReconcileOptions,
): Promise<void> {
  const { id, note } = said;
  if (!/\S/.test(note)) throw new CommandRefused('the note says nothing');
  const decider = deciderFor(context, options);
  const outcome = await withOperatorLedger(context, (ledger) => ledger.acceptDrift({ ...said, ...decider }));
  switch (outcome.kind) {
    case 'accepted':
    case 'pending':
      if (options.json) context.out(asJson(driftAnswer(outcome.drift)));
      else for (const line of driftLines(outcome.drift)) context.out(line);
      return;
    case 'changed':
      throw new CommandRefused(
        `drift ${id} is told otherwise since you looked (version ${outcome.drift.version} now): nothing was accepted; makegood explain ${id} shows it`,
      );
    case 'no_token':
      throw new CommandRefused(
        'it comes to so much that two persons accept it, whom their tokens name: set MAKEGOOD_TOKEN or --token-file. Nothing was accepted',
      );
    case 'no_approver':
      throw new CommandRefused('an approver confirms what another person has asked for: nothing was accepted');
    case 'not_open':
      throw new CommandRefused(`drift ${id} is closed: nobody is asked about it any more`);
    case 'missing':
      throw new CommandRefused(`there is no drift ${id}`);
  }
}

function version(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError('not a version of a drift');
  return Number(text);
}

async function compare(context: CliContext, options: ReconcileOptions): Promise<void> {
  const { since, watch, json } = options;
  const { by: requestedBy } = deciderFor(context, options);
  await withOperatorLedger(context, async (ledger) => {
    const asked = {
      id: newReconciliationId(context.clock.nowMs()),
      requestedBy,
      since: since ?? null,
    };
    const { id, begun } = await ledger.beginReconciliation(asked);
    if (!begun && since !== undefined)
      throw new CommandRefused(
        `run ${id} is at work, and two at once would compare the same twice: follow it with makegood reconcile`,
      );
    context.err(begun ? `run ${id} compares` : `run ${id} is at work already; it goes on`);
    context.err('Ctrl-C leaves it at work; makegood reconcile follows it again');
    await startWorkflow(context, { id, requestedBy });
    const ended = await follow(id, { context, ledger, watch: watch === true });
    const drifts = await ledger.driftsOfRun(id);
    const open = drifts.filter(({ state }) => state === 'open');
    const left = ended.parts.filter(({ leftBecause }) => leftBecause !== null);
    const unread = ended.parts.flatMap(({ part, uncompared }) => uncompared.map((name) => `${part}: ${name}`));
    const ok = open.length === 0 && left.length === 0 && unread.length === 0;
    if (json) context.out(asJson({ ok, reconciliation: reconciliationAnswer(ended), drift: drifts.map(driftAnswer) }));
    else for (const drift of drifts) for (const line of driftLines(drift)) context.out(line);
    for (const { part, leftBecause } of left) context.err(`${part} was not compared: ${leftBecause}`);
    for (const name of unread) context.err(`not compared, while the rest was: ${name}`);
    if (!ok)
      throw new CommandRefused(
        `${open.length} open, ${left.length} of ${plural(ended.parts.length, 'part')} not compared; docs/runbooks/drift.md says what each means`,
      );
    if (!json) context.out('the ledger and its providers tell the same');
  });
}

async function startWorkflow(
  context: CliContext,
  { id, requestedBy }: { readonly id: ReconciliationId; readonly requestedBy: string },
): Promise<void> {
  const { temporal } = context.readOperatorConfig();
  const client = createTemporalClient(temporal);
  try {
    await createReconcileOrchestration(client, temporal.taskQueue).startReconciliation(id, requestedBy);
  } catch (cause) {
    throw new CommandRefused(
      `run ${id} is recorded, but Temporal at ${temporal.address} did not start its workflow: ${cause instanceof Error ? cause.message : 'unknown reason'}. Check TEMPORAL_ADDRESS; the schedule, or makegood reconcile again, takes it up`,
      { cause },
    );
  } finally {
    await client.connection.close();
  }
}

const LOOK_EVERY_MS = 500;
/** Longer than a provider, the budget or the pause before the second look keep it waiting while all is well. */
const STILL_AFTER_MS = 120_000;

interface Following {
  readonly context: CliContext;
  readonly ledger: Pick<OperatorLedger, 'findReconciliation' | 'driftsOfRun'>;
  readonly watch: boolean;
}

async function follow(id: ReconciliationId, { context, ledger, watch }: Following): Promise<ReconciliationFacts> {
  const interrupted = context.interruption();
  let said = '';
  let changedMs = context.clock.nowMs();
  const told = new Set<string>();
  for (;;) {
    const run = await ledger.findReconciliation(id);
    if (!run) throw new Error(`run ${id} has left the ledger`);
    const line = inWords(run, watch);
    if (line !== said) {
      said = line;
      changedMs = context.clock.nowMs();
      context.err(line);
    } else if (context.clock.nowMs() - changedMs >= STILL_AFTER_MS) {
      changedMs = context.clock.nowMs();
      context.err(`nothing has moved for ${STILL_AFTER_MS / 1000} s: does a worker run? makegood doctor says`);
    }
    for (const drift of watch ? await ledger.driftsOfRun(id) : [])
      if (!told.has(drift.id)) {
        told.add(drift.id);
        context.err(`${drift.kind} ${drift.providerId}: ${drift.state}`);
      }
    if (run.state === 'finished') return run;
    await wait(LOOK_EVERY_MS, undefined, { signal: interrupted }).catch(() => undefined);
    if (interrupted.aborted)
      throw new CommandRefused(`run ${id} goes on without this command; makegood reconcile follows it again`);
  }
}

function inWords({ parts }: ReconciliationFacts, whole: boolean): string {
  const finished = parts.filter((part) => part.finished).length;
  const lookedAt = parts.reduce((sum, part) => sum + part.lookedAt, 0);
  if (parts.length === 0) return 'waits for a worker to take it up';
  const sum = `${finished} of ${plural(parts.length, 'part')} compared, ${plural(lookedAt, 'thing')} looked at`;
  const now = parts.find((part) => !part.finished);
  return whole && now ? `${sum}; ${now.part}: ${plural(now.pages, 'page')}, ${now.suspected} to look at again` : sum;
}

function driftId(text: string): DriftId {
  const id = parseDriftId(text);
  if (!id) throw new InvalidArgumentError('not the id of a drift');
  return id;
}
