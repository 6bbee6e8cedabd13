import { type Command, Option } from 'commander';
import { assertNever } from '../domain/assert-never.js';
import { newDecisionId, parseSettlementId, type SettlementId } from '../domain/ids.js';
import type { DecideOutcome, DecisionRequest } from '../ledger/ledger-types.js';
import { type CliContext, CommandRefused } from './context.js';
import { withOperatorLedger } from './operator-ledger.js';

interface ResolveOptions {
  readonly action: DecisionRequest['action'];
  readonly note: string;
  readonly txHash?: string;
  readonly reference?: string;
  readonly json?: true;
}

export function addResolveCommand(program: Command, context: CliContext): void {
  program
    .command('resolve <id>')
    .description(
      'decide about a settlement that needs attention; recorded under your operating-system user, as claimed',
    )
    .addOption(
      new Option('--action <action>', 'what to do').choices(['retry', 'settled', 'write_off']).makeOptionMandatory(),
    )
    .requiredOption('--note <text>', 'why, for whoever reads it later')
    .option('--tx-hash <hash>', 'evidence: where the money was seen')
    .option('--reference <text>', 'evidence: where the money was seen')
    .option('--json', 'answer as JSON')
    .action((id: string, options: ResolveOptions) => run(context, id, options));
}

async function run(context: CliContext, text: string, options: ResolveOptions): Promise<void> {
  const { action, note, txHash, reference, json } = options;
  const settlementId = parseSettlementId(text);
  if (!settlementId) throw noSettlement(text);
  if (note.trim() === '') throw new CommandRefused('the note says nothing; example: --note "payer confirmed by mail"');
  const evidence = { tx_hash: txHash, reference };
  const outcome = await withOperatorLedger(context, (ledger) =>
    ledger.decide({
      id: newDecisionId(context.clock.nowMs()),
      settlementId,
      action,
      by: context.userName(),
      // Whoever may open the database may type any name: it is recorded as claimed.
      authenticated: false,
      note,
      evidence: txHash === undefined && reference === undefined ? null : evidence,
    }),
  );
  const answer = decided(settlementId, outcome);
  if (json) context.out(JSON.stringify(answer));
  else context.out(inWords(answer));
}

interface Decided {
  readonly id: SettlementId;
  readonly status: string;
  readonly decision_id: string;
}

function decided(id: SettlementId, outcome: DecideOutcome): Decided {
  switch (outcome.kind) {
    case 'applied':
      return { id, status: outcome.status, decision_id: outcome.decisionId };
    case 'pending_approval':
      return { id, status: 'pending_approval', decision_id: outcome.decisionId };
    case 'not_found':
      throw noSettlement(id);
    case 'not_waiting':
      throw new CommandRefused(`settlement ${id} is ${outcome.status} and waits for no decision: nothing was changed`);
    case 'refused':
      throw new CommandRefused(`${outcome.detail}; nothing was decided`);
    default:
      return assertNever(outcome);
  }
}

const inWords = ({ id, status, decision_id }: Decided): string =>
  status === 'pending_approval'
    ? `recorded as a request: another person has to approve decision ${decision_id} (POST /api/v1/decisions/${decision_id}/approve)`
    : `settlement ${id} is ${status} by decision ${decision_id}; a worker goes on with it at its next sweep`;

const noSettlement = (text: string) =>
  new CommandRefused(`there is no settlement ${text}; makegood list shows what there is`);
