import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { type OrderId, parseOrderId, parseReversalId } from '../../domain/ids.js';
import { pauseInWords } from '../../domain/provider-pauses.js';
import { PROTOCOLS, type Protocol } from '../../domain/settlements/settlement-status.js';
import type { CliContext } from '../context.js';
import { withOperatorLedger } from '../operator-ledger.js';
import { age, table } from '../table.js';
import { LISTED, LISTINGS, type Listed, type ListedItem } from './listings.js';
import { WATCH_FLAGS, WATCH_HELP, type Watch, watchPictures, watchSeconds } from './watch.js';

interface ListOptions {
  readonly status?: string;
  readonly needsAttention?: true;
  readonly protocol?: Protocol;
  readonly order?: OrderId;
  readonly key?: string;
  readonly limit: number;
  readonly before?: string;
  readonly json?: true;
  readonly watch?: Watch;
}

export function addListCommand(program: Command, context: CliContext): void {
  const command = program
    .command('list')
    .description('money of one kind, newest first; amounts of orders are in minor units')
    .addArgument(new Argument('[kind]', 'what to list').choices(LISTED).default('settlements'))
    .option('--status <status>', 'only these')
    .option('--needs-attention', 'only what waits for a person')
    .addOption(new Option('--protocol <protocol>', 'settlements: only these').choices(PROTOCOLS))
    .option('--order <id>', 'only of this order', orderId)
    .option('--key <key>', 'only the one with this key')
    .option('--limit <number>', 'how many', count, 50)
    .option('--before <id>', 'only older than this item: the next page', itemId)
    .option(WATCH_FLAGS, WATCH_HELP, watchSeconds)
    .option('--json', 'answer as JSON')
    .action(async (kind: Listed, options: ListOptions) => {
      const { statuses } = LISTINGS[kind];
      if (options.status !== undefined && !statuses.includes(options.status)) {
        command.error(`error: ${kind} have no status ${options.status}. Allowed choices are ${statuses.join(', ')}.`);
      }
      if (options.protocol !== undefined && kind !== 'settlements') {
        command.error(`error: only settlements have a protocol, ${kind} do not.`);
      }
      await run(context, kind, options);
    });
}

async function run(context: CliContext, kind: Listed, options: ListOptions): Promise<void> {
  const { limit, json, watch, order: ofOrder, ...filter } = options;
  const { find, head } = LISTINGS[kind];
  const look = async () => {
    const [found, pauses] = await withOperatorLedger(context, (ledger) =>
      Promise.all([find(ledger, { ...filter, orderId: ofOrder, limit: limit + 1 }), ledger.pauses()]),
    );
    return {
      shown: found.slice(0, limit),
      more: found.length > limit,
      pauses: pauses.map(pauseInWords),
      paused: pauses,
    };
  };
  const lines = (shown: readonly ListedItem[]) => {
    const nowMs = context.clock.nowMs();
    return table(
      ['ID', ...head, 'AGE', 'ATTENTION'],
      shown.map((item) => row(item, nowMs)),
    );
  };
  if (watch !== undefined) {
    await watchPictures(context, watch, async () => {
      const { shown, pauses } = await look();
      const [title = '', ...rows] = lines(shown);
      const texts = rows.map((text, index) => {
        const answer = JSON.stringify(shown[index]?.answer);
        return { same: answer, text: json ? answer : text };
      });
      return {
        lines: [title, ...rows, ...pauses],
        entries: [
          ...(json ? [] : [{ same: 'title', text: title }]),
          ...texts,
          ...(json ? [] : pauses.map((text) => ({ same: text, text }))),
        ],
      };
    });
    return;
  }
  const { shown, more, pauses, paused } = await look();
  const next = more ? (shown.at(-1)?.id ?? null) : null;
  if (json) {
    const beside = paused.length === 0 ? {} : { paused };
    context.out(JSON.stringify({ items: shown.map(({ answer }) => answer), next_before: next, ...beside }));
    return;
  }
  for (const line of lines(shown)) context.out(line);
  for (const pause of pauses) context.err(pause);
  if (next) context.err(`there are more: --before ${next}`);
}

const row = ({ id, cells, createdAt, attention }: ListedItem, nowMs: number): readonly string[] => [
  id,
  ...cells,
  age(createdAt, nowMs),
  attention?.reason ?? '',
];

function count(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 to 9999');
  return Number(text);
}

function itemId(text: string): string {
  // Every kind of id has the same form.
  const id = parseReversalId(text);
  if (!id) throw new InvalidArgumentError('not the id of an item');
  return id;
}

function orderId(text: string): OrderId {
  const id = parseOrderId(text);
  if (!id) throw new InvalidArgumentError('not the id of an order');
  return id;
}
