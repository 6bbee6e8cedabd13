import { Argument, type Command } from 'commander';
import { PAUSABLE, type Pausable, pauseInWords } from '../domain/provider-pauses.js';
import type { CliContext } from './context.js';
import { deciderFor } from './deciding/principal.js';
import { withOperatorLedger } from './operator-ledger.js';

interface PauseOptions {
  readonly note?: string;
  readonly by?: string;
  readonly tokenFile?: string;
  readonly json?: true;
}

export function addPauseCommands(program: Command, context: CliContext): void {
  for (const [verb, description] of [
    [
      'pause',
      'park a provider by hand: nothing that moves money leaves to it, no retry is used up and no probe opens it, until somebody resumes it. Reads go on',
    ],
    ['resume', 'let a provider go that somebody has paused: what waited for it goes on at once'],
  ] as const)
    program
      .command(verb)
      .description(`${description}. Recorded under the name of your token, without one as claimed`)
      .addArgument(new Argument('<provider>', 'whom').choices(PAUSABLE))
      .option('--note <text>', 'why, for whoever reads it later')
      .option('--token-file <path>', 'a file that holds your token of API_TOKENS; default: MAKEGOOD_TOKEN')
      .option('--by <name>', 'without a token: a name to be recorded as claimed; default: the operating-system user')
      .option('--json', 'answer as JSON')
      .action((provider: Pausable, options: PauseOptions) => run(context, verb, { provider, options }));
}

async function run(
  context: CliContext,
  verb: 'pause' | 'resume',
  { provider, options }: { readonly provider: Pausable; readonly options: PauseOptions },
): Promise<void> {
  const request = { ...deciderFor(context, options), provider, note: options.note?.trim() ?? '' };
  const { changed, pause } = await withOperatorLedger(context, async (ledger) => {
    const isChanged = verb === 'pause' ? await ledger.pauseProvider(request) : await ledger.resumeProvider(request);
    const pauses = await ledger.pauses();
    return { changed: isChanged, pause: pauses.find((one) => one.provider === provider) ?? null };
  });
  if (options.json) context.out(JSON.stringify({ provider, changed, paused: pause }));
  else if (pause)
    context.out(
      `${changed ? '' : 'nothing was changed: '}${pauseInWords(pause)}. What waits for it uses up no retries; credentials still expire. makegood resume ${provider} lets it go on`,
    );
  else context.out(changed ? `${provider} is called again: what waited goes on` : `nobody had paused ${provider}`);
}
