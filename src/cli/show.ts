import type { Command } from 'commander';
import { parseSettlementId } from '../domain/ids.js';
import type { JsonObject } from '../domain/json.js';
import { formatDecimal } from '../domain/money.js';
import type { Settlement } from '../domain/settlement.js';
import { settlementAnswer } from '../domain/settlement-answer.js';
import type { ItemEvent } from '../ledger/event-row.js';
import { type CliContext, CommandRefused } from './context.js';
import { withOperatorLedger } from './operator-ledger.js';
import { table } from './table.js';

export function addShowCommand(program: Command, context: CliContext): void {
  program
    .command('show <id>')
    .description('one settlement and everything that happened to it')
    .option('--json', 'answer as JSON')
    .action((text: string, options: { json?: true }) => run(context, text, options));
}

async function run(context: CliContext, text: string, { json }: { json?: true }): Promise<void> {
  const id = parseSettlementId(text);
  const found =
    id &&
    (await withOperatorLedger(context, async (ledger) => {
      const settlement = await ledger.findSettlement(id);
      if (!settlement) return undefined;
      const [lookup = {}, events] = await Promise.all([ledger.settlementLookup(id), ledger.settlementEvents(id)]);
      return { settlement, lookup, events };
    }));
  if (!found) throw new CommandRefused(`there is no settlement ${text}; makegood list shows what there is`);
  if (json) {
    context.out(JSON.stringify({ ...settlementAnswer(found.settlement), lookup: found.lookup, events: found.events }));
    return;
  }
  for (const line of [...facts(found.settlement, found.lookup), '', ...story(found.events)]) context.out(line);
}

function facts(settlement: Settlement, lookup: JsonObject): readonly string[] {
  const { attention, decimals, asset, cap } = settlement;
  const money = (digits: Settlement['spent']) => `${formatDecimal(digits, decimals)} ${asset}`;
  return table(
    ['settlement', settlement.id],
    [
      ['status', `${settlement.status} (money: ${settlement.certainty})`],
      ['spent', `${money(settlement.spent)}${cap === null ? '' : ` of at most ${money(cap)}`}`],
      ['protocol', settlement.protocol],
      ['key', settlement.key],
      [
        'attempts',
        `${settlement.attempts}${settlement.nextRetryAt === null ? '' : `, next at ${settlement.nextRetryAt}`}`,
      ],
      ['expires', settlement.expiresAt ?? 'not stated'],
      ['delivery', settlement.delivery ?? 'not of a paid route'],
      ['attention', attention ? `${attention.reason} since ${attention.since}: ${attention.detail}` : 'none'],
      ['transaction', settlement.txHash ?? 'none known'],
      [
        'look up by',
        Object.entries(lookup)
          .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
          .join(', '),
      ],
      ['workflow', settlement.workflowId ?? 'none yet'],
      ['created', settlement.createdAt],
      ['settled', settlement.settledAt ?? 'not yet'],
    ],
  );
}

const story = (events: readonly ItemEvent[]): readonly string[] =>
  table(
    ['WHEN', 'WHAT', 'MONEY', 'ANSWER', 'KEY', 'DETAIL'],
    events.map(({ at, kind, certainty, answerClass, idempotencyKey, detail }) => [
      at,
      kind,
      certainty ?? '',
      answerClass ?? '',
      idempotencyKey ?? '',
      JSON.stringify(detail),
    ]),
  );
