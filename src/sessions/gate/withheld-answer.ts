import { setTimeout as wait } from 'node:timers/promises';
import type { SettlementId } from '../../domain/ids.js';
import type { SessionLedger } from '../session-ledger.js';
import type { SessionLog } from '../session-log.js';

/** The right to an answer that is held back until it is paid for; it is used once. */
export interface WithheldAnswer {
  /** In the last moment before its first byte. @returns false: it is not due, because somebody else was given it */
  give(): Promise<boolean>;
  /** Nothing of it left, and nothing will: it is due again. Never rejects. */
  takeBack(): Promise<void>;
}

/** An outage of the ledger must not use up what was paid for. */
const TRY_AGAIN_MS = [0, 100, 1_000, 10_000, 60_000] as const;

/** @param session by whose token no other request gives or takes back what this one was given */
export function createWithheldAnswer(
  { id, closeToken }: { readonly id: SettlementId; readonly closeToken: string },
  ledger: Pick<SessionLedger, 'giveAnswer' | 'answerNotGiven'>,
  log: SessionLog,
): WithheldAnswer {
  return {
    give: () => ledger.giveAnswer(id, closeToken),
    async takeBack() {
      let error: unknown;
      for (const ms of TRY_AGAIN_MS) {
        await wait(ms, undefined, { ref: false });
        try {
          return await ledger.answerNotGiven(id, closeToken);
        } catch (failed) {
          error = failed;
        }
      }
      log.error({ settlement: id, err: error }, 'an answer of which nothing left may be taken for given in the ledger');
    },
  };
}
