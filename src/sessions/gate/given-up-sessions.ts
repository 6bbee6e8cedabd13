import type { GivenUpSession, SessionLedger } from '../session-ledger.js';

export interface GivenUpSessions {
  /** Remembers a session whose close stayed unknown, and tells the ledger as soon as it answers again. */
  note(session: GivenUpSession): void;
}

const RETRY_MS = 1_000;
/** Past this many the oldest are forgotten: the sweep closes them when their route's time is over. */
const MOST_REMEMBERED = 10_000;

/**
 * A short outage of the ledger leaves sessions open whose server lives on: without this they would count as credit, and
 * refuse their own credential, until the longest time of their route has passed.
 */
export function createGivenUpSessions(ledger: Pick<SessionLedger, 'giveUpSessions'>): GivenUpSessions {
  let sessions: GivenUpSession[] = [];
  let timer: NodeJS.Timeout | undefined;

  function schedule(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      void tell();
    }, RETRY_MS).unref();
  }

  async function tell(): Promise<void> {
    const batch = sessions;
    sessions = [];
    try {
      await ledger.giveUpSessions(batch);
    } catch {
      sessions = [...batch, ...sessions].slice(-MOST_REMEMBERED);
      schedule();
    }
  }

  return {
    note(session) {
      sessions.push(session);
      schedule();
    },
  };
}
