import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseSettlementId, type SettlementId } from '../domain/ids.js';
import { formatDecimal } from '../domain/money.js';
import type { Settlement } from '../domain/settlement.js';
import { settlementAnswer } from '../domain/settlement-answer.js';
import { PROTOCOLS, type Protocol, SETTLEMENT_STATUSES, type SettlementStatus } from '../domain/settlement-status.js';
import type { CliContext } from './context.js';
import { withOperatorLedger } from './operator-ledger.js';
import { age, table } from './table.js';

interface ListOptions {
  readonly status?: SettlementStatus;
  readonly needsAttention?: true;
  readonly protocol?: Protocol;
  readonly key?: string;
  readonly limit: number;
  readonly before?: SettlementId;
  readonly json?: true;
}

export function addListCommand(program: Command, context: CliContext): void {
  program
    .command('list')
    .description('settlements, newest first')
    .addOption(new Option('--status <status>', 'only these').choices(SETTLEMENT_STATUSES))
    .option('--needs-attention', 'only what waits for a person')
    .addOption(new Option('--protocol <protocol>', 'only these').choices(PROTOCOLS))
    .option('--key <key>', 'only the one with this key')
    .option('--limit <number>', 'how many', count, 50)
    .option('--before <id>', 'only older than this settlement: the next page', settlementId)
    .option('--json', 'answer as JSON')
    .action((options: ListOptions) => run(context, options));
}

async function run(context: CliContext, { limit, before, json, ...filter }: ListOptions): Promise<void> {
  const found = await withOperatorLedger(context, (ledger) =>
    ledger.listSettlements({ ...filter, before, limit: limit + 1 }),
  );
  const shown = found.slice(0, limit);
  const next = found.length > limit ? (shown.at(-1)?.id ?? null) : null;
  if (json) {
    context.out(JSON.stringify({ items: shown.map(settlementAnswer), next_before: next }));
    return;
  }
  const head = ['ID', 'STATUS', 'CERTAINTY', 'PROTOCOL', 'AMOUNT', 'AGE', 'ATTENTION'];
  const rows = shown.map((settlement) => row(settlement, context.clock.nowMs()));
  for (const line of table(head, rows)) context.out(line);
  if (next) context.err(`there are more: --before ${next}`);
}

const row = (settlement: Settlement, nowMs: number): readonly string[] => [
  settlement.id,
  settlement.status,
  settlement.certainty,
  settlement.protocol,
  `${formatDecimal(settlement.spent, settlement.decimals)} ${settlement.asset}`,
  age(settlement.createdAt, nowMs),
  settlement.attention?.reason ?? '',
];

function count(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 to 9999');
  return Number(text);
}

function settlementId(text: string): SettlementId {
  const id = parseSettlementId(text);
  if (!id) throw new InvalidArgumentError('not the id of a settlement');
  return id;
}
