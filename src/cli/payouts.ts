import type { Command } from 'commander';
import { payoutAnswer } from '../domain/marketplace/payout-answer.js';
import type { Payout } from '../domain/marketplace/payouts.js';
import { asJson } from './as-json.js';
import { type CliContext, CommandRefused } from './context.js';
import { deciderFor } from './deciding/principal.js';
import { withOperatorLedger } from './operator-ledger.js';
import { table } from './table.js';

interface PayoutOptions {
  readonly seller?: string;
  readonly needsAttention?: true;
  readonly dismiss?: true;
  readonly note?: string;
  readonly tokenFile?: string;
  readonly by?: string;
  readonly json?: true;
}

export function addPayoutsCommand(program: Command, context: CliContext): void {
  const command = program
    .command('payouts [payout]')
    .description(
      "payouts from sellers' balances to their banks, newest first; of one, the transfers it contains as far as Stripe says so. Amounts are in minor units",
    )
    .option('--seller <account>', 'only of this seller')
    .option('--needs-attention', 'only those whose failure waits for a person')
    .option('--dismiss', 'nothing is left to do about the failure of this payout')
    .option('--note <text>', 'with --dismiss: why, for who reads it later')
    .option('--token-file <path>', 'a file that holds your token of API_TOKENS; default: MAKEGOOD_TOKEN')
    .option('--by <name>', 'without a token: a name to be recorded as claimed; default: the operating-system user')
    .option('--json', 'answer as JSON')
    .action(async (id: string | undefined, options: PayoutOptions) => {
      if (options.dismiss && (id === undefined || !/\S/.test(options.note ?? '')))
        command.error('error: --dismiss takes a payout and a --note.');
      if (id === undefined) await list(context, options);
      else await one(context, id, options);
    });
}

const MOST = 50;

async function list(context: CliContext, { seller, needsAttention, json }: PayoutOptions): Promise<void> {
  const filter = { seller, limit: MOST, ...(needsAttention && { needsAttention }) };
  const found = await withOperatorLedger(context, (ledger) => ledger.listPayouts(filter));
  if (json) context.out(asJson(found.map(payoutAnswer)));
  else for (const line of table(HEAD, found.map(rowOf))) context.out(line);
}

const HEAD = ['PAYOUT', 'STATUS', 'MINOR UNITS', 'SELLER', 'ARRIVES', 'CONTENTS', 'NEEDS A PERSON'];

const rowOf = ({ id, status, amount, currency, sellerAccount, arrivalAt, contents, transfers, attention }: Payout) => [
  id,
  status,
  `${amount} ${currency}`,
  sellerAccount,
  arrivalAt ?? '',
  contents === 'listed' ? `${transfers.length} of our transfers` : contents,
  attention?.reason ?? '',
];

async function one(context: CliContext, name: string, options: PayoutOptions): Promise<void> {
  const decider = options.dismiss && deciderFor(context, options);
  const payout = await withOperatorLedger(context, async (ledger) => {
    const found = await ledger.findPayout(name);
    if (!found) throw new CommandRefused(`there is no payout ${name}`);
    if (!decider) return found;
    const by = decider.authenticated ? decider.by : `${decider.by} (as claimed)`;
    if (!(await ledger.dismissPayout(found.id, { by, note: options.note ?? '' })))
      throw new CommandRefused(`nobody is asked about payout ${name}: nothing was changed`);
    return (await ledger.findPayout(name)) ?? found;
  });
  if (options.json) context.out(asJson(payoutAnswer(payout)));
  else for (const line of linesOf(payout)) context.out(line);
}

function linesOf(payout: Payout): readonly string[] {
  const { contents, transfers, attention, failureEnded } = payout;
  const { detail, others } = payoutAnswer(payout).contents;
  return [
    ...table(HEAD, [rowOf(payout)]),
    ...(attention ? [`since ${attention.since}: ${attention.detail}`] : []),
    ...(failureEnded ? [`its failure needs nobody any more: ${failureEnded}`] : []),
    `contents: ${detail}${contents === 'listed' && others > 0 ? `, and ${others} payments that are not this platform's` : ''}`,
    ...transfers.map(
      ({ transferId, stripeTransferId, amount, currency }) =>
        `  ${transferId ?? 'not in the ledger'}  ${stripeTransferId}  ${amount} ${currency}`,
    ),
  ];
}
