import { type Command, InvalidArgumentError } from 'commander';
import {
  mostSettable,
  type StripeRate,
  stripeRateInForce,
  stripeRateLines,
  stripeRateOfSettings,
} from '../domain/stripe-rate.js';
import { type CliContext, CommandRefused } from './context.js';
import { deciderFor } from './deciding/principal.js';
import { type OperatorLedger, withOperatorLedger } from './operator-ledger.js';

interface RateOptions {
  readonly set?: number;
  readonly reset?: true;
  readonly note?: string;
  readonly by?: string;
  readonly tokenFile?: string;
  readonly json?: true;
}

export function addStripeRateCommand(program: Command, context: CliContext): void {
  program
    .command('stripe-rate')
    .description(
      'how many requests a second go to Stripe, by whose word, and how many go now; with --set or --reset, changed for every process at once, until it is reset. The lower of it and of STRIPE_MAX_RPS holds',
    )
    .option(
      '--set <per second>',
      'from 1 to STRIPE_MAX_RPS (without it 100 with a live key, 25 with a test key), over all endpoints together',
      perSecond,
    )
    .option('--reset', 'take back what was set: STRIPE_MAX_RPS alone holds')
    .option('--note <text>', 'why, for whoever reads it later')
    .option('--token-file <path>', 'a file that holds your token of API_TOKENS; default: MAKEGOOD_TOKEN')
    .option('--by <name>', 'without a token: a name to be recorded as claimed; default: the operating-system user')
    .option('--json', 'answer as JSON')
    .action((options: RateOptions) => run(context, options));
}

function perSecond(text: string): number {
  if (!/^[1-9][0-9]{0,4}$/.test(text))
    throw new InvalidArgumentError('a whole number from 1; makegood pause stripe stops all');
  return Number(text);
}

async function run(context: CliContext, options: RateOptions): Promise<void> {
  const { stripe } = context.readOperatorConfig();
  const ofSettings = stripe && stripeRateOfSettings(stripe);
  const rate = await withOperatorLedger(context, async (ledger) => {
    await change(context, ledger, { options, most: mostSettable(ofSettings) });
    return await ledger.stripeRate();
  });
  if (options.json) context.out(JSON.stringify(answer(rate, ofSettings)));
  else for (const line of stripeRateLines(rate, stripe)) context.out(line);
}

async function change(
  context: CliContext,
  ledger: OperatorLedger,
  { options, most }: { readonly options: RateOptions; readonly most: number },
): Promise<void> {
  const { set, reset, note = '' } = options;
  if (set === undefined && !reset) return;
  if (set !== undefined && reset) throw new CommandRefused('--set and --reset are two things: nothing was changed');
  const request = { ...deciderFor(context, options), note: note.trim() };
  if (set === undefined) {
    if (!(await ledger.resetStripeRate(request))) context.err('nobody had set a rate: nothing was changed');
    return;
  }
  if (set > most)
    throw new CommandRefused(
      `${set} a second is above the ${most} that is allowed here: nothing was changed; STRIPE_MAX_RPS raises that`,
    );
  await ledger.setStripeRate(request, set);
}

const answer = ({ set, pace, endpoints }: StripeRate, ofSettings: number | undefined) => ({
  of_settings: ofSettings ?? null,
  set: set && { per_second: set.perSecond, by: set.by, authenticated: set.authenticated, note: set.note, at: set.at },
  in_force: stripeRateInForce(set, ofSettings) ?? null,
  pace,
  endpoints,
});
