import type { Command } from 'commander';
import { nothingToApprove } from '../../domain/decisions/decisions.js';
import { parseDecisionId } from '../../domain/ids.js';
import { type CliContext, CommandRefused } from '../context.js';
import { withOperatorLedger } from '../operator-ledger.js';
import { type Decided, decided, decidedAnswer, decidedTold } from './decide-item.js';
import { approverFor } from './principal.js';

interface ApproveOptions {
  readonly note: string;
  readonly tokenFile?: string;
  readonly json?: true;
}

export function addApproveCommand(program: Command, context: CliContext): void {
  program
    .command('approve <decision>')
    .description(
      "confirm another person's decision that takes two: makegood list <kind> --needs-attention shows what waits (approval_pending), makegood show <id> names its decision. Under the token of an approver",
    )
    .requiredOption('--note <text>', 'why, for whoever reads it later')
    .option('--token-file <path>', 'a file that holds your token of API_TOKENS; default: MAKEGOOD_TOKEN')
    .option('--json', 'answer as JSON')
    .action((decision: string, options: ApproveOptions) => run(context, decision, options));
}

async function run(context: CliContext, text: string, { note, tokenFile, json }: ApproveOptions): Promise<void> {
  if (note.trim() === '') throw new CommandRefused('the note says nothing; example: --note "checked with the bank"');
  const by = approverFor(context, tokenFile);
  const outcome = await withOperatorLedger(context, async (ledger) => {
    const decisionId = parseDecisionId(text);
    const item = decisionId && (await ledger.decisionItem(decisionId));
    if (!item)
      throw new CommandRefused(
        `there is no decision ${text}; makegood show <id> names the one that its item waits for`,
      );
    const resolution = await context.resolution(context.readOperatorConfig(), ledger);
    // The provider is asked again: what was true when it was asked for may not be true now.
    const approved = await resolution.approve({ decisionId, by, note });
    if (approved.kind === 'not_waiting')
      throw new CommandRefused(`decision ${text} cannot be approved: ${nothingToApprove(approved.status, item)}`);
    return decided({ kind: item.kind, id: item.itemId }, approved);
  });
  context.out(json ? decidedAnswer(outcome) : told(outcome));
}

const told = (outcome: Decided): string =>
  outcome.status === 'pending_approval'
    ? `approved by the first of two, because nobody we know had asked: another approver has to approve decision ${outcome.decision_id} too`
    : decidedTold(outcome, 'one');
