import { type Command, InvalidArgumentError, Option } from 'commander';
import { ATTENTION_REASONS, type AttentionReason } from '../../domain/decisions/attention.js';
import {
  actionsOf,
  DECIDABLE_KINDS,
  EVIDENCE,
  inWords,
  isDecidable,
  ruleOf,
} from '../../domain/decisions/decisions.js';
import { newDecisionId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import { unusableParts } from '../../domain/usable-json.js';
import type { FoundItem } from '../../ledger/find-items.js';
import { type CliContext, CommandRefused } from '../context.js';
import { withOperatorLedger } from '../operator-ledger.js';
import { findItem } from '../showing/find-item.js';
import { decidedAnswer, decidedTold, decideItem } from './decide-item.js';
import { deciderFor } from './principal.js';

interface ResolveOptions {
  readonly action?: string;
  readonly note: string;
  readonly evidence?: JsonObject;
  readonly txHash?: string;
  readonly reference?: string;
  readonly seen?: AttentionReason;
  readonly by?: string;
  readonly tokenFile?: string;
  readonly json?: true;
}

/** `settlements retry, settled or write_off; transfers …` */
const WHAT = DECIDABLE_KINDS.map((kind) => `${kind}s ${inWords(actionsOf(kind))}`).join('; ');

export function addResolveCommand(program: Command, context: CliContext): void {
  const command = program
    .command('resolve <id> [action]')
    .description(
      `decide about an item that needs attention: ${WHAT}. Recorded under the name of your token (MAKEGOOD_TOKEN or --token-file); without one as claimed, which counts for nobody`,
    )
    .option('--action <action>', 'what to do, if it is not the second argument')
    .requiredOption('--note <text>', 'why, for whoever reads it later')
    .option('--evidence <json>', 'where the money was seen, for example {"stripe_reversal_id":"trr_…"}', evidence)
    .option('--tx-hash <hash>', 'evidence: where the money was seen')
    .option('--reference <text>', 'evidence: where the money was seen')
    .addOption(
      new Option('--seen <reason>', 'decide only where it waits for this; default: whatever it waits for').choices(
        ATTENTION_REASONS,
      ),
    )
    .option('--token-file <path>', 'a file that holds your token of API_TOKENS; default: MAKEGOOD_TOKEN')
    .option('--by <name>', 'without a token: a name to be recorded as claimed; default: the operating-system user')
    .option('--json', 'answer as JSON')
    .action(async (id: string, given: string | undefined, options: ResolveOptions) => {
      const action = given ?? options.action;
      if (action === undefined) return command.error("error: missing required argument 'action'");
      if (given !== undefined && options.action !== undefined && given !== options.action) {
        command.error(`error: which of the two is meant, ${given} or ${options.action}?`);
      }
      await run(context, { id, action, options, complain: (text) => command.error(text) });
    });
}

interface Resolving {
  readonly id: string;
  readonly action: string;
  readonly options: ResolveOptions;
  readonly complain: (text: string) => never;
}

async function run(context: CliContext, { id, action, options, complain }: Resolving): Promise<void> {
  const { note, json, seen } = options;
  if (note.trim() === '') throw new CommandRefused('the note says nothing; example: --note "payer confirmed by mail"');
  const decider = deciderFor(context, options);
  const decided = await withOperatorLedger(context, async (ledger) => {
    const item = await findItem(ledger, id);
    const { kind } = item;
    if (!isDecidable(kind))
      throw new CommandRefused(`${article(item)} is not resolved: its refunds, transfers and reversals are`);
    if (!ruleOf(kind, action)) {
      complain(`error: ${article(item)} is resolved with one of ${actionsOf(kind).join(', ')}, not with ${action}.`);
    }
    const decision = {
      id: newDecisionId(context.clock.nowMs()),
      action,
      ...decider,
      note,
      evidence: evidenceOf(options),
      seen: seen && { reason: seen },
    };
    return await decideItem(context, ledger, { kind, id: item.id }, decision);
  });
  context.out(json ? decidedAnswer(decided) : decidedTold(decided, decider.authenticated ? 'one' : 'two'));
}

const article = ({ kind }: FoundItem): string => `${kind === 'order' ? 'an' : 'a'} ${kind}`;

function evidenceOf({ evidence: given, txHash, reference }: ResolveOptions): JsonObject | null {
  const all = {
    ...given,
    ...(txHash === undefined ? {} : { tx_hash: txHash }),
    ...(reference === undefined ? {} : { reference }),
  };
  return Object.keys(all).length === 0 ? null : all;
}

const NAMES: readonly string[] = [...new Set(DECIDABLE_KINDS.flatMap((kind) => EVIDENCE[kind]))];

/** As strict as the API: a misspelt name would be kept as evidence of nothing. */
function evidence(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('not JSON; example: \'{"stripe_reversal_id":"trr_1A2b3C"}\'');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError('not a JSON object');
  }
  for (const [name, member] of Object.entries(value)) {
    if (!NAMES.includes(name)) throw new InvalidArgumentError(`${name} is none of ${NAMES.join(', ')}`);
    if (typeof member !== 'string' || member.trim() === '' || member.length > 500)
      throw new InvalidArgumentError(`${name} has to be a text of 1 to 500 characters`);
  }
  const [unusable] = unusableParts(value);
  if (unusable) throw new InvalidArgumentError(`${unusable.path.join()} ${unusable.message}`);
  return value as JsonObject;
}
