import type { FileHandle } from 'node:fs/promises';
import type { BackfillId, TransferId } from '../../domain/ids.js';
import type { BackfillLine, BackfillProgress } from '../../ledger/historical/backfill-report.js';
import type { CliContext } from '../context.js';
import type { OperatorLedger } from '../operator-ledger.js';
import { table } from '../table.js';

interface Printing {
  readonly context: CliContext;
  readonly ledger: Pick<OperatorLedger, 'backfillLines'>;
  readonly json: boolean;
  readonly file: FileHandle | undefined;
}

const PAGE = 500;
/** A person reads this many at most; the whole of it is for a file. */
const MOST_SHOWN = 50;

/** Every transfer once, page by page; in words only what a person has to look at. */
export async function printReport(id: BackfillId, { context, ledger, json, file }: Printing): Promise<void> {
  const open: BackfillLine[] = [];
  let unshown = 0;
  for (let after: TransferId | null = null; ; ) {
    const lines: readonly BackfillLine[] = await ledger.backfillLines(id, after, PAGE);
    for (const line of lines) {
      if (json) context.out(JSON.stringify(asJson(line)));
      if (line.outcome === 'matched' || line.outcome === 'written') continue;
      if (open.length < MOST_SHOWN) open.push(line);
      else unshown += 1;
    }
    await file?.appendFile(lines.map((line) => `${JSON.stringify(asJson(line))}\n`).join(''));
    after = lines.at(-1)?.transferId ?? null;
    if (after === null) break;
  }
  if (json || file || open.length === 0) return;
  for (const line of table(['TRANSFER', 'OUTCOME', 'ORDER', 'WHY'], open.map(cells))) context.out(line);
  if (unshown > 0) context.err(`and ${unshown} more: --json or --report <file> show all`);
}

const asJson = (line: BackfillLine) => ({
  backfill_id: line.backfillId,
  transfer_id: line.transferId,
  order: line.orderMark,
  seller_account: line.sellerAccount,
  amount: Number(line.amount),
  currency: line.currency,
  outcome: line.outcome,
  stripe_transfer_id: line.stripeTransferId,
  candidates: line.candidates,
  detail: line.detail,
});

const cells = ({ transferId, outcome, orderMark, detail, candidates }: BackfillLine): readonly string[] => [
  transferId,
  outcome,
  orderMark,
  outcome === 'ambiguous' ? `${detail}: ${candidates.join(', ')}` : detail,
];

/** `2000 transfers had no id: 1800 matched, 200 not_found`, and what follows from it. */
export function backfillSummary({ id, apply, transfers, outcomes, since, destination }: BackfillProgress): string {
  const counts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  const answered = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  const said = [
    `backfill ${id} is finished. ${transfers} transfers had no id${counts.length > 0 ? `: ${counts.join(', ')}` : ''}`,
    ...(answered < transfers
      ? [`It was ended early: nothing was found out about ${transfers - answered} of them`]
      : []),
  ];
  if (!apply && outcomes.matched !== undefined) {
    const again = [
      'makegood backfill-transfer-ids --apply',
      ...(since === null ? [] : [`--since ${since}`]),
      ...(destination === null ? [] : [`--destination ${destination}`]),
    ];
    said.push(`It was a dry run and wrote no id; to write those that matched: ${again.join(' ')}`);
  }
  return said.join('. ');
}
