import { setTimeout as wait } from 'node:timers/promises';
import type { BackfillId } from '../../domain/ids.js';
import type { BackfillProgress } from '../../ledger/historical/backfill-report.js';
import { type CliContext, CommandRefused } from '../context.js';
import type { OperatorLedger } from '../operator-ledger.js';

const LOOK_EVERY_MS = 500;
/** Longer than Stripe, the budget or a busy worker keep it waiting while all is well. */
const STILL_AFTER_MS = 30_000;

/** What a person types to follow it again. */
export const followCommand = (id: BackfillId): string => `makegood backfill-transfer-ids --follow ${id}`;

interface Following {
  readonly context: CliContext;
  readonly ledger: Pick<OperatorLedger, 'backfillProgress'>;
}

/**
 * Tells how far it is, as the ledger has it, until it is finished.
 * @throws CommandRefused when the person at the terminal does not wait for the end; the workflow goes on
 */
export async function followBackfill(id: BackfillId, { context, ledger }: Following): Promise<BackfillProgress> {
  const interrupted = context.interruption();
  const tell = progressTeller(context);
  for (;;) {
    const progress = await ledger.backfillProgress(id);
    if (!progress) throw new Error(`backfill ${id} has left the ledger`);
    tell(progress);
    if (progress.state === 'finished') return progress;
    await wait(LOOK_EVERY_MS, undefined, { signal: interrupted }).catch(() => undefined);
    if (interrupted.aborted) {
      throw new CommandRefused(`backfill ${id} goes on without this command; to follow it again: ${followCommand(id)}`);
    }
  }
}

/** A line for each change; and one, once, where nothing changes for long. */
function progressTeller({ clock, err }: CliContext): (progress: BackfillProgress) => void {
  let said = '';
  let changedMs = clock.nowMs();
  let toldStill = false;
  return (progress) => {
    const line = inWords(progress);
    if (line !== said) {
      said = line;
      changedMs = clock.nowMs();
      toldStill = false;
      err(line);
    } else if (!toldStill && clock.nowMs() - changedMs >= STILL_AFTER_MS) {
      toldStill = true;
      err(
        `nothing has moved for ${STILL_AFTER_MS / 1000} s: does a worker run, with STRIPE_SECRET_KEY, and does Stripe answer? temporal workflow describe --workflow-id backfill/${progress.id} says what it waits for`,
      );
    }
  };
}

function inWords({ destinations, destinationsFinished, pages, transfers, outcomes }: BackfillProgress): string {
  const answered = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  return `${answered} of ${transfers} transfers answered for, ${destinationsFinished} of ${destinations} sellers finished, pages read at Stripe: ${pages}`;
}
