import type { Command } from 'commander';
import type { SettlementId } from '../domain/ids.js';
import type { CliContext } from './context.js';
import { findItem } from './find-item.js';
import { withOperatorLedger } from './operator-ledger.js';
import { showMarketplaceItem } from './show-marketplace.js';
import { showSettlement } from './show-settlement.js';

export function addShowCommand(program: Command, context: CliContext): void {
  program
    .command('show <id>')
    .description(
      'one settlement, order, payment, refund, transfer, reversal or dispute: how it stands, what happens next, and everything that happened to it. Also by the name it has at Stripe or Hyperswitch',
    )
    .option('--json', 'answer as JSON')
    .action((text: string, options: { json?: true }) => run(context, text, options));
}

async function run(context: CliContext, text: string, { json }: { json?: true }): Promise<void> {
  const { answer, lines, workflowId } = await withOperatorLedger(context, async (ledger) => {
    const item = await findItem(ledger, text);
    return item.kind === 'settlement'
      ? await showSettlement(ledger, item.id as SettlementId)
      : await showMarketplaceItem(ledger, item, context.clock.nowMs());
  });
  if (json) return context.out(JSON.stringify(answer));
  for (const line of lines) context.out(line);
  const { uiUrl, namespace } = context.readOperatorConfig().temporal;
  if (uiUrl && workflowId)
    context.out(`in the Web UI: ${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`);
}
