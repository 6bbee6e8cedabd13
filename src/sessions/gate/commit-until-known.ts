import { withTimeout } from '../../domain/timeout.js';
import type { ChangeOutcome, SessionChange, SessionLedger } from '../session-ledger.js';

type Ledger = Pick<SessionLedger, 'commitSessions' | 'closeState'>;

const FIRST_LOOK_AGAIN_MS = 25;
const LONGEST_LOOK_AGAIN_MS = 500;

/**
 * A change that may or may not be committed, alone. Repeating it is harmless: it carries the same close token, amount and body,
 * and the ledger takes it once.
 * @throws when it is still unknown after `unknownForMs`
 */
export async function commitUntilKnown(
  ledger: Ledger,
  change: SessionChange,
  unknownForMs: number,
): Promise<ChangeOutcome> {
  const giveUpAt = performance.now() + unknownForMs;
  let doubt: unknown = new Error('the ledger did not say whether the change was committed');
  for (let pauseMs = FIRST_LOOK_AGAIN_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_LOOK_AGAIN_MS)) {
    try {
      const leftMs = Math.max(Math.ceil(giveUpAt - performance.now()), 1);
      const known = await withTimeout(leftMs, lookOrCommit(ledger, change), 'the look');
      if (known !== 'unknown') return known;
    } catch (error) {
      doubt = error;
    }
    if (performance.now() + pauseMs >= giveUpAt) throw doubt;
    await pause(pauseMs);
  }
}

async function lookOrCommit(ledger: Ledger, change: SessionChange): Promise<ChangeOutcome | 'unknown'> {
  if (change.kind === 'checkpoint') {
    const [outcome] = await ledger.commitSessions([change]);
    return outcome ?? 'unknown';
  }
  const state = await ledger.closeState(change.id, change.closeToken);
  if (state === 'ours') return 'committed';
  if (state === 'lost') return 'lost';
  const [outcome] = await ledger.commitSessions([change]);
  // `lost` may mean that our first commit landed after all, between the look and this commit: look once more.
  return outcome === 'committed' ? 'committed' : 'unknown';
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
