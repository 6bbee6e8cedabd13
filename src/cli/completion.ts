import { Argument, type Command } from 'commander';
import type { CliContext } from './context.js';
import { LISTED, LISTINGS } from './showing/listings.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export function addCompletionCommand(program: Command, context: CliContext): void {
  program
    .command('completion')
    .description(
      'print a script that completes commands, options, kinds and statuses: source <(makegood completion bash)',
    )
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .option('--json', 'what is completed, as JSON')
    .action((shell: Shell, { json }: { json?: true }) => {
      const words = wordsOf(program);
      context.out(json ? JSON.stringify({ shell, commands: words }) : SCRIPTS[shell](words));
    });
}

interface OptionWords {
  readonly flag: string;
  readonly description: string;
  /** Whether a value follows. */
  readonly takes: boolean;
  readonly choices: readonly string[];
}

interface CommandWords {
  readonly name: string;
  readonly description: string;
  /** What its first argument may be, where that is a closed list. */
  readonly choices: readonly string[];
  readonly options: readonly OptionWords[];
}

/** All that can be completed, from the program itself: a new command or option is completed without another word. */
function wordsOf(program: Command): readonly CommandWords[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: firstSentence(command.description()),
    choices: command.registeredArguments[0]?.argChoices ?? [],
    options: [
      ...command.options.map((option) => ({
        flag: option.long ?? option.flags,
        description: firstSentence(option.description),
        takes: option.required || option.optional,
        choices: option.argChoices ?? statusesFor(command.name(), option.long),
      })),
      { flag: '--help', description: 'display help for command', takes: false, choices: [] },
    ],
  }));
}

/** Which statuses there are depends on the kind, which stands in another word: all of them are offered. */
const statusesFor = (command: string, flag: string | null | undefined): readonly string[] =>
  command === 'list' && flag === '--status' ? [...new Set(LISTED.flatMap((kind) => LISTINGS[kind].statuses))] : [];

const firstSentence = (text: string): string => text.split(/[.:;](?:\s|$)/)[0] ?? '';

/** What a shell may not read as anything else. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const SCRIPTS: Readonly<Record<Shell, (words: readonly CommandWords[]) => string>> = { bash, zsh, fish };

function bash(words: readonly CommandWords[]): string {
  const cases = words.flatMap(({ name, choices, options }) => [
    ...options
      .filter(({ takes }) => takes)
      .map(({ flag, choices: values }) => `    ${quoted(`${name} ${flag}`)}) words=${quoted(values.join(' '))} ;;`),
    `    ${quoted(name)}' '*) words=${quoted([...choices, ...options.map(({ flag }) => flag)].join(' '))} ;;`,
  ]);
  return `# makegood completion bash: source <(makegood completion bash)
_makegood() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words=${quoted([...words.map(({ name }) => name), '--help', '--version'].join(' '))}
  else case "\${COMP_WORDS[1]} $before" in
${cases.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _makegood makegood`;
}

function zsh(words: readonly CommandWords[]): string {
  return `#compdef makegood
# makegood completion zsh: source <(makegood completion zsh)
autoload -U +X bashcompinit && bashcompinit
${bash(words)}`;
}

function fish(words: readonly CommandWords[]): string {
  const under = (name: string) => `-n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
  return [
    '# makegood completion fish | source',
    ...words.map(
      ({ name, description }) =>
        `complete -c makegood -f -n '__fish_use_subcommand' -a ${quoted(name)} -d ${quoted(description)}`,
    ),
    ...words.flatMap(({ name, choices, options }) => [
      ...choices.map((choice) => `complete -c makegood -f ${under(name)} -a ${quoted(choice)}`),
      ...options.map(
        ({ flag, description, takes, choices: values }) =>
          `complete -c makegood ${under(name)} -l ${quoted(flag.replace(/^--/, ''))}${takes ? ' -x' : ''}${values.length > 0 ? ` -a ${quoted(values.join(' '))}` : ''} -d ${quoted(description)}`,
      ),
    ]),
  ].join('\n');
}
