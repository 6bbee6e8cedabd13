import type { Command } from 'commander';
import type { SellerAnswer } from '../../domain/marketplace/marketplace-answer.js';
import { tellOfSeller } from '../../reading/seller.js';
import { asJson } from '../as-json.js';
import { type CliContext, CommandRefused } from '../context.js';
import { withOperatorLedger } from '../operator-ledger.js';
import { table } from '../table.js';

export function addSellerCommand(program: Command, context: CliContext): void {
  program
    .command('seller <account>')
    .description(
      'a seller: whether he can receive, what waits for him, what he owes in each currency and how that came about. Amounts are in minor units',
    )
    .option('--json', 'answer as JSON')
    .action(async (account: string, { json }: { readonly json?: true }) => {
      const answer = await withOperatorLedger(context, async (ledger) => {
        const seller = await ledger.findSeller(account.trim());
        if (!seller) throw new CommandRefused(`there is no seller ${account}: makegood list transfers names accounts`);
        return await tellOfSeller(ledger, seller);
      });
      if (json) context.out(asJson(answer));
      else for (const line of linesOf(answer)) context.out(line);
    });
}

function linesOf(seller: SellerAnswer): readonly string[] {
  const { account, state, reason, since, sums, balances, story, transfers } = seller;
  const why = reason === null ? '' : ` (${reason}${since === null ? '' : ` since ${since}`})`;
  return [
    `seller ${account}: ${state}${why}`,
    ...sums.map(
      ({ currency, waiting, with_person: asked }) =>
        `shares that are not with him: ${waiting} ${currency} wait, ${asked} ${currency} are with a person`,
    ),
    ...transfers.map(({ id, status, amount, currency }) => `  transfer ${id}  ${status}  ${amount} ${currency}`),
    ...(balances.length === 0 ? ['nothing was ever taken back of him'] : []),
    ...(balances.length === 0
      ? []
      : table(
          BALANCE,
          balances.map((one) => [
            one.currency,
            ...[one.owed, one.to_offset, one.on_its_way, one.offset, one.taken, one.given_up].map(String),
          ]),
        )),
    ...(story.length === 0 ? [] : ['', ...table(STORY, story.map(lineOf))]),
  ];
}

/** Of what he owes: what is kept of his next transfers, and of those on their way. Then what was kept, what was taken at Stripe, what was given up. */
const BALANCE = ['CURRENCY', 'OWES', 'TO OFFSET', 'ON ITS WAY', 'OFFSET', 'TAKEN BACK', 'GIVEN UP'];
const STORY = ['AT', 'WHAT', 'MINOR UNITS', 'REVERSAL', 'KEPT OF TRANSFER'];

const lineOf = (line: SellerAnswer['story'][number]): readonly string[] => [
  line.at,
  line.what,
  `${line.amount} ${line.currency}`,
  line.reversal_id,
  line.offset_transfer_id ?? '',
];
