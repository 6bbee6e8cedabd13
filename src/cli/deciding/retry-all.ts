import { Argument, type Command, Option } from 'commander';
import { ATTENTION_REASONS, type AttentionReason } from '../../domain/decisions/attention.js';
import { newDecisionId } from '../../domain/ids.js';
import { type CliContext, CommandRefused } from '../context.js';
import { type OperatorLedger, withOperatorLedger } from '../operator-ledger.js';
import { LISTINGS, type ListedItem } from '../showing/listings.js';
import { age, table } from '../table.js';
import { decideItem } from './decide-item.js';
import { deciderFor } from './principal.js';

const KINDS = {
  settlements: 'settlement',
  transfers: 'transfer',
  reversals: 'reversal',
  payments: 'payment',
  refunds: 'refund',
} as const;
type Kind = keyof typeof KINDS;

interface RetryAllOptions {
  readonly reason: AttentionReason;
  readonly note: string;
  readonly by?: string;
  readonly tokenFile?: string;
  readonly apply?: true;
  readonly json?: true;
}

export function addRetryAllCommand(program: Command, context: CliContext): void {
  program
    .command('retry-all')
    .description(
      'after an outage: retry everything of one kind that needs attention for one reason. Without --apply it only shows what that is; a retry looks before it sends, so it moves nothing twice',
    )
    .addArgument(new Argument('<kind>', 'what to retry').choices(Object.keys(KINDS)))
    .addOption(
      new Option('--reason <reason>', 'why they need attention').choices(ATTENTION_REASONS).makeOptionMandatory(),
    )
    .requiredOption('--note <text>', 'why, for whoever reads it later')
    .option('--token-file <path>', 'a file that holds your token of API_TOKENS; default: MAKEGOOD_TOKEN')
    .option('--by <name>', 'without a token: a name to be recorded as claimed; default: the operating-system user')
    .option('--apply', 'retry them')
    .option('--json', 'one JSON object a line for each item')
    .action((kind: Kind, options: RetryAllOptions) => run(context, kind, options));
}

async function run(context: CliContext, kind: Kind, options: RetryAllOptions): Promise<void> {
  if (options.note.trim() === '') throw new CommandRefused('the note says nothing; example: --note "Stripe is back"');
  await withOperatorLedger(context, async (ledger) => {
    const items = await waiting(ledger, kind, options.reason);
    if (options.apply) await retryEach(context, ledger, { items, kind, options });
    else preview(context, items, { kind, options });
  });
}

const PAGE = 200;

/** All of them before the first is retried: who is retried leaves the list. */
async function waiting(ledger: OperatorLedger, kind: Kind, reason: AttentionReason): Promise<readonly ListedItem[]> {
  const items: ListedItem[] = [];
  for (let before: string | undefined; ; ) {
    const page = await LISTINGS[kind].find(ledger, { needsAttention: true, before, limit: PAGE });
    items.push(...page.filter(({ attention }) => attention?.reason === reason));
    before = page.at(-1)?.id;
    if (page.length < PAGE) return items;
  }
}

const MOST_SHOWN = 50;

function preview(
  { out, err, clock }: CliContext,
  items: readonly ListedItem[],
  { kind, options }: { readonly kind: Kind; readonly options: RetryAllOptions },
): void {
  if (options.json) {
    for (const { id } of items) out(JSON.stringify({ id, outcome: 'would_retry' }));
  } else {
    const nowMs = clock.nowMs();
    const rows = items.slice(0, MOST_SHOWN).map(({ id, cells, createdAt }) => [id, ...cells, age(createdAt, nowMs)]);
    for (const line of table(['ID', ...LISTINGS[kind].head, 'AGE'], rows)) out(line);
    if (items.length > MOST_SHOWN) out(`… and ${items.length - MOST_SHOWN} more`);
  }
  err(`${items.length} ${kind} wait for the reason ${options.reason}; nothing was decided: --apply retries them`);
}

const PROGRESS_EVERY = 100;

/** Each alone: one that cannot be retried stops no other. */
async function retryEach(
  context: CliContext,
  ledger: OperatorLedger,
  {
    items,
    kind,
    options,
  }: { readonly items: readonly ListedItem[]; readonly kind: Kind; readonly options: RetryAllOptions },
): Promise<void> {
  const decider = deciderFor(context, options);
  let refused = 0;
  for (const [index, { id }] of items.entries()) {
    const decision = {
      id: newDecisionId(context.clock.nowMs()),
      action: 'retry',
      ...decider,
      note: options.note,
      evidence: null,
    };
    const problem = await decideItem(context, ledger, { kind: KINDS[kind], id }, decision).then(
      () => null,
      (error: unknown) => {
        if (error instanceof CommandRefused) return error.message;
        throw error;
      },
    );
    if (problem !== null) refused += 1;
    if (options.json) context.out(JSON.stringify({ id, outcome: problem === null ? 'retried' : 'refused', problem }));
    else if (problem !== null) context.out(`${id}  ${problem}`);
    if ((index + 1) % PROGRESS_EVERY === 0) context.err(`${index + 1} of ${items.length} ${kind} decided`);
  }
  context.err(
    `${items.length - refused} of ${items.length} ${kind} are retried; a worker goes on with them at its next sweep`,
  );
  if (refused > 0) throw new CommandRefused(`${refused} of them could not be retried; nothing was changed about these`);
}
