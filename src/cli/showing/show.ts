import type { Command } from 'commander';
import type { SettlementId } from '../../domain/ids.js';
import { type CliContext, CommandRefused } from '../context.js';
import { withOperatorLedger } from '../operator-ledger.js';
import { findItem } from './find-item.js';
import { LIVE_FLAG, LIVE_HELP, lookedAt, withLive } from './live.js';
import { showMarketplaceItem } from './show-marketplace.js';
import { showSettlement } from './show-settlement.js';
import { WATCH_FLAGS, WATCH_HELP, type Watch, watchPictures, watchSeconds } from './watch.js';

export function addShowCommand(program: Command, context: CliContext): void {
  program
    .command('show <id>')
    .description(
      'one settlement, order, payment, refund, transfer, reversal or dispute: how it stands, what happens next, and everything that happened to it. Also by the name it has at Stripe or Hyperswitch',
    )
    .option(WATCH_FLAGS, WATCH_HELP, watchSeconds)
    .option(LIVE_FLAG, LIVE_HELP)
    .option('--json', 'answer as JSON')
    .action((text: string, options: ShowOptions) => run(context, text, options));
}

interface ShowOptions {
  readonly json?: true;
  readonly watch?: Watch;
  readonly live?: true;
}

async function run(context: CliContext, text: string, { json, watch, live }: ShowOptions): Promise<void> {
  if (live && watch !== undefined) throw new CommandRefused('--live asks a provider once: it does not go with --watch');
  const look = async () => {
    const { answer, lines, workflowId } = await withOperatorLedger(context, async (ledger) => {
      const item = await findItem(ledger, text);
      const shown =
        item.kind === 'settlement'
          ? await showSettlement(ledger, item.id as SettlementId, context.clock.nowMs())
          : await showMarketplaceItem(ledger, item, context.clock.nowMs());
      return live ? withLive(shown, await lookedAt(context, ledger, text)) : shown;
    });
    const { uiUrl, namespace } = context.readOperatorConfig().temporal;
    return uiUrl && workflowId
      ? {
          answer,
          lines: [
            ...lines,
            `in the Web UI: ${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`,
          ],
        }
      : { answer, lines };
  };
  if (watch !== undefined) {
    await watchPictures(context, watch, async () => {
      const { answer, lines } = await look();
      const told = json ? [JSON.stringify(answer)] : lines;
      return { lines: told, entries: told.map((line) => ({ same: line, text: line })) };
    });
    return;
  }
  const { answer, lines } = await look();
  if (json) context.out(JSON.stringify(answer));
  else for (const line of lines) context.out(line);
}
