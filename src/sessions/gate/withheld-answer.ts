import { setTimeout as wait } from 'node:timers/promises';
import type { SettlementId } from '../../domain/ids.js';
import type { Receipt } from '../offers/payment-response.js';
import type { SessionLedger, SettledFacts } from '../session-ledger.js';
import type { SessionLog } from '../session-log.js';

/** The right to an answer that is held back until it is paid for; it is used once. */
export interface WithheldAnswer {
  /**
   * In the last moment before its first byte.
   * @returns what the answer says of its payment; undefined: it is not due, because somebody else was given it
   */
  give(): Promise<Receipt | undefined>;
  /** Nothing of it left, and nothing will: it is due again. Never rejects. */
  takeBack(): Promise<void>;
}

/** An outage of the ledger must not use up what was paid for. */
const TRY_AGAIN_MS = [0, 100, 1_000, 10_000, 60_000] as const;

/** @param session by whose token no other request gives or takes back what this one was given */
export function createWithheldAnswer(
  { id, closeToken }: { readonly id: SettlementId; readonly closeToken: string },
  { ledger, log }: { readonly ledger: Pick<SessionLedger, 'giveAnswer' | 'answerNotGiven'>; readonly log: SessionLog },
  receipt: (settled: SettledFacts) => Receipt,
): WithheldAnswer {
  return {
    async give() {
      const settled = await ledger.giveAnswer(id, closeToken);
      return settled && receipt(settled);
    },
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
