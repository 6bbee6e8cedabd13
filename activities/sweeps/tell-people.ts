import { type NoticeMessageId, newNoticeMessageId } from '../../src/domain/ids.js';
import type { Destination } from '../../src/domain/notifications/destinations.js';
import { type TellingRules, whenTold } from '../../src/domain/notifications/when-told.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { Logger } from '../../src/observability/logger.js';
import type { LaneWork, Pass } from './lane-pass.js';

/** Starts the workflow of a message; one that runs already is success. */
export interface NotificationStarter {
  startNotification(message: StartableNotification): Promise<void>;
}

interface StartableNotification {
  readonly id: NoticeMessageId;
  readonly destination: string;
  readonly reason: string;
}

export interface TellingDependencies {
  readonly ledger: Pick<
    Ledger,
    'noteWhoIsAsked' | 'registerDestinations' | 'untold' | 'makeNoticeMessage' | 'dueNoticeMessages' | 'pruneNotices'
  >;
  readonly starter: NotificationStarter;
  readonly destinations: readonly Pick<Destination, 'id' | 'stage'>[];
  readonly rules: TellingRules;
  readonly logger: Pick<Logger, 'warn'>;
}

const PAGE = 5_000;
/** What one message tells of; nobody reads more, and after an outage there may be many. */
const MOST_IN_ONE_MESSAGE = 20_000;
const STARTED_AT_ONCE = 100;

/**
 * Notes what has begun to need a person, makes one message of all that a destination is to be told about one reason, and starts
 * what is not delivered. Each step is found again by the next pass where this one dies after it.
 */
export function createTelling({ ledger, starter, destinations, rules, logger }: TellingDependencies): LaneWork {
  return async (pass) => {
    await ledger.registerDestinations(destinations);
    const { noted, ended } = await note(pass);
    let made = 0;
    for (const destination of destinations) {
      if (pass.over()) break;
      made += await makeMessages(destination);
    }
    const started = await startDue(pass);
    const pruned = await ledger.pruneNotices(PAGE);
    return { noted, ended, made, started, pruned };
  };

  async function note(pass: Pass): Promise<{ noted: number; ended: number }> {
    const sums = { noted: 0, ended: 0 };
    for (;;) {
      const { noted, ended } = await ledger.noteWhoIsAsked(PAGE);
      sums.noted += noted;
      sums.ended += ended;
      if ((noted < PAGE && ended < PAGE) || pass.over()) return sums;
    }
  }

  async function makeMessages({ id: destination, stage }: Pick<Destination, 'id' | 'stage'>): Promise<number> {
    const question = { destination, stage, escalateAfterMs: rules.escalateAfterMs };
    const { nowMs, groups } = await ledger.untold(question);
    let made = 0;
    for (const group of groups) {
      if (whenTold(group, nowMs, rules) !== 'now') continue;
      const message = { id: newNoticeMessageId(nowMs), reason: group.reason, ...question };
      if ((await ledger.makeNoticeMessage(message, MOST_IN_ONE_MESSAGE)) > 0) made += 1;
    }
    return made;
  }

  async function startDue(pass: Pass): Promise<number> {
    let started = 0;
    for (;;) {
      const due = await ledger.dueNoticeMessages(STARTED_AT_ONCE);
      const outcomes = await Promise.all(due.map(begin));
      const begun = outcomes.filter(Boolean).length;
      if (due.length > 0 && begun === 0) throw new Error('no message could be started; they come round again');
      started += begun;
      if (due.length < STARTED_AT_ONCE || pass.over()) return started;
    }
  }

  async function begin(message: StartableNotification): Promise<boolean> {
    try {
      await starter.startNotification(message);
      return true;
    } catch (error) {
      logger.warn({ message: message.id, err: error }, 'a message could not be started; it comes round again');
      return false;
    }
  }
}
