import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import { isRetired } from '../../domain/marketplace/currencies.js';
import type { HistoricalTransfer } from '../../ledger/historical/historical-types.js';
import { type CliContext, CommandRefused } from '../context.js';
import { type OperatorLedger, withOperatorLedger } from '../operator-ledger.js';
import { everySoOften } from '../progress.js';
import { readHistoricalLine } from './historical-line.js';
import { type Line, linesOf } from './lines.js';

interface ImportOptions {
  readonly dryRun?: true;
  readonly json?: true;
}

export function addImportTransfersCommand(program: Command, context: CliContext): void {
  program
    .command('import-transfers [file]')
    .description(
      'bring seller transfers of earlier systems in, one JSON object a line, from a file or standard input; moves no money, and a line that is in already is left as it is',
    )
    .option('--dry-run', 'read and check every line; ask the ledger nothing and write nothing')
    .option('--json', 'report one JSON object a line')
    .action((file: string | undefined, options: ImportOptions) => run(context, file, options));
}

/** What became of one line. */
interface Reported {
  readonly line: number;
  readonly outcome: 'imported' | 'same' | 'valid' | 'refused';
  readonly order: string | null;
  readonly order_id: string | null;
  readonly transfer_id: string | null;
  readonly problem: string | null;
  /** Why nothing of it is ever sent: whoever is refunded of it is asked about with this reason. */
  readonly reason: 'retired_currency' | null;
}

async function run(context: CliContext, file: string | undefined, options: ImportOptions): Promise<void> {
  const input = file === undefined || file === '-' ? context.stdin : createReadStream(file);
  const counts = options.dryRun
    ? await importAll(context, input, options, undefined)
    : await withOperatorLedger(context, (ledger) => importAll(context, input, options, ledger));
  context.err(inWords(counts, options.dryRun));
  if (counts.refused > 0) {
    throw new CommandRefused(
      options.dryRun
        ? `${counts.refused} lines would be refused; correct them first`
        : `nothing of the ${counts.refused} refused lines was written; correct them and import the file again: the others are known by now`,
    );
  }
}

type Counts = Record<Reported['outcome'], number>;

/** One line after the other, so that of two lines that contradict each other it is the later one that is refused. */
async function importAll(
  context: CliContext,
  input: AsyncIterable<Uint8Array>,
  { dryRun, json }: ImportOptions,
  ledger: Pick<OperatorLedger, 'importTransfer'> | undefined,
): Promise<Counts> {
  const counts: Counts = { imported: 0, same: 0, valid: 0, refused: 0 };
  const tellProgress = everySoOften(context, () => inWords(counts, dryRun));
  if (!json) context.out(row(HEAD));
  let at = 0;
  try {
    for await (const line of linesOf(input)) {
      at = line.number;
      const reported = await importOne(line, context.clock.nowMs(), ledger);
      counts[reported.outcome] += 1;
      if (json) context.out(JSON.stringify(reported));
      else context.out(row(cells(reported)));
      tellProgress();
    }
  } catch (error) {
    context.err(`stopped at line ${at}: what was reported so far is done; run the same command again to go on`);
    throw error;
  }
  return counts;
}

async function importOne(
  { number, text }: Line,
  nowMs: number,
  ledger: Pick<OperatorLedger, 'importTransfer'> | undefined,
): Promise<Reported> {
  const read = text === null ? { problem: 'longer than 64 kB, or not UTF-8' } : readHistoricalLine(text, nowMs);
  const nothing = { line: number, order: null, order_id: null, transfer_id: null, problem: null, reason: null };
  if ('problem' in read) return { ...nothing, outcome: 'refused', problem: read.problem };
  const reason = isRetired(read.currency) ? 'retired_currency' : null;
  if (!ledger) return { ...nothing, outcome: 'valid', order: read.order, reason };
  return { ...nothing, order: read.order, reason, ...(await written(read, ledger)) };
}

async function written(
  transfer: HistoricalTransfer,
  ledger: Pick<OperatorLedger, 'importTransfer'>,
): Promise<Pick<Reported, 'outcome'> & Partial<Reported>> {
  const outcome = await ledger.importTransfer(transfer);
  if (outcome.kind === 'conflict') return { outcome: 'refused', problem: outcome.detail };
  return { outcome: outcome.kind, order_id: outcome.orderId, transfer_id: outcome.transferId };
}

const inWords = ({ imported, same, valid, refused }: Counts, dryRun?: true): string =>
  dryRun
    ? `${valid + refused} lines read: ${valid} can be read, ${refused} refused; nothing was written (dry run)`
    : `${imported + same + refused} lines read: ${imported} imported, ${same} known already, ${refused} refused`;

const HEAD = ['LINE', 'OUTCOME', 'TRANSFER', 'ORDER AND PROBLEM'];
/** Fixed, because the widest cell of a file that is still being read is not known. */
const WIDTHS = [7, 8, 36, 0];
const row = (texts: readonly string[]): string =>
  texts
    .map((text, column) => text.padEnd(WIDTHS[column] ?? 0))
    .join('  ')
    .trimEnd();
const cells = ({ line, outcome, transfer_id, order, problem, reason }: Reported): readonly string[] => [
  String(line),
  outcome,
  transfer_id ?? '',
  [order, problem ?? reason].filter((text) => text !== null).join(': '),
];
