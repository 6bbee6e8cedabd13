import { type FileHandle, open } from 'node:fs/promises';
import type { Command } from 'commander';
import { plural } from '../../domain/plural.js';
import { createPackWriter } from '../../domain/proof/pack.js';
import type { ExportScope, ItemOfChain } from '../../ledger/proof/event-chains.js';
import { type CliContext, CommandRefused } from '../context.js';
import { date } from '../date.js';
import { type AuditLedger, withAuditLedger } from '../operator-ledger.js';
import { everySoOften } from '../progress.js';
import { findItem } from '../showing/find-item.js';

interface ExportOptions {
  /** ISO 8601 */
  readonly from?: string;
  readonly to?: string;
  readonly out?: string;
  readonly json?: true;
}

export function addExportCommand(program: Command, context: CliContext): void {
  const command = program
    .command('export [id]')
    .description(
      'a proof pack, one JSON object a line: all that happened to one item (of an order, to all of its items), or to every item in a period, each event with its place and digest in the chain. makegood verify checks it',
    )
    .option('--from <date>', 'what happened since then, for example 2026-11-01', date)
    .option('--to <date>', 'what happened before then', date)
    .option('--out <file>', 'write it there, and never over a file that exists; default: standard output')
    .option('--json', 'with --out: say as JSON what was written')
    .action(async (id: string | undefined, options: ExportOptions) => {
      const period = options.from !== undefined || options.to !== undefined;
      if ((id === undefined) !== period) command.error('error: name one item, or a period by --from and --to.');
      if (options.json && options.out === undefined) command.error('error: --json goes with --out.');
      await run(context, id, options);
    });
}

async function run(context: CliContext, id: string | undefined, options: ExportOptions): Promise<void> {
  await withAuditLedger(context, async (ledger) => {
    const scope = await scopeOf(ledger, id, options);
    // Opened before the ledger is read, so that a file that cannot be written is known at once.
    const file = options.out === undefined ? undefined : await opened(options.out);
    try {
      const counts = await write(context, ledger, { scope, file });
      await file?.sync();
      tell(context, counts, options);
    } finally {
      await file?.close();
    }
  });
}

async function scopeOf(ledger: AuditLedger, id: string | undefined, options: ExportOptions): Promise<ExportScope> {
  if (id === undefined) return { from: options.from ?? null, to: options.to ?? null };
  const named = chainNamed(id);
  if (named && (await ledger.hasChain(named))) return { items: [named] };
  if (named && CHAINS_BESIDE_ITEMS.has(named.kind))
    throw new CommandRefused(
      `nothing has happened to ${id} that is kept: there is no event of it to export (is the name right?)`,
    );
  // What happened to a payout stands in the chain of its seller.
  const payout = await ledger.findPayout(id);
  if (payout) return { items: [{ kind: 'seller', id: payout.sellerAccount }] };
  return { items: await ledger.itemsOfChain(await findItem(ledger, id)) };
}

/** What has a chain by its name and is no item with an id: its first event makes it known. */
const CHAINS_BESIDE_ITEMS: ReadonlySet<string> = new Set(['provider', 'seller', 'webhook']);

/** `provider/stripe`: what is no item of its own, by the name it has in the chains. */
function chainNamed(text: string): ItemOfChain | undefined {
  const [, kind, id] = /^([a-z]+)\/(.+)$/.exec(text) ?? [];
  return kind === undefined || id === undefined ? undefined : { kind, id };
}

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx');
  } catch (cause) {
    throw new CommandRefused(
      `the pack cannot be written to ${path}: ${cause instanceof Error ? cause.message : 'unknown reason'}`,
      { cause },
    );
  }
}

type Counts = ReturnType<ReturnType<typeof createPackWriter>['counts']>;

async function write(
  context: CliContext,
  ledger: AuditLedger,
  { scope, file }: { scope: ExportScope; file: FileHandle | undefined },
): Promise<Counts> {
  const { clock } = context;
  const whole = 'items' in scope;
  const writer = createPackWriter({
    items: whole ? scope.items.map(({ kind, id }) => `${kind}/${id}`) : [],
    from: whole ? null : scope.from,
    to: whole ? null : scope.to,
    madeAt: new Date(clock.nowMs()).toISOString(),
  });
  const tellProgress = everySoOften(context, () => `${writer.counts().records} events written`);
  const put = async (lines: string): Promise<void> => {
    if (file) await file.write(lines);
    else {
      context.out(lines.slice(0, -1));
      await context.drained();
    }
  };
  await put(writer.begin());
  await ledger.exportEvents(scope, async (events) => {
    await put(events.map((event) => writer.record(event)).join(''));
    tellProgress();
  });
  await put(writer.end());
  return writer.counts();
}

function tell({ out, err }: CliContext, { records, items }: Counts, { out: file, json }: ExportOptions): void {
  if (json) out(JSON.stringify({ file, records, items }));
  else err(`${plural(records, 'event')} of ${plural(items, 'item')} written${file === undefined ? '' : ` to ${file}`}`);
}
