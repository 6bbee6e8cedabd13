import type { Ledger } from '../../src/ledger/ledger.js';
import type { AbandonedSession } from '../../src/ledger/settlements/abandoned-sessions.js';
import type { Logger } from '../../src/observability/logger.js';
import { closingBody } from '../../src/protocols/closing-body.js';
import type { LaneWork } from './lane-pass.js';

export interface SessionSweepDependencies {
  readonly ledger: Pick<
    Ledger,
    | 'abandonedSessions'
    | 'closeAbandoned'
    | 'askAboutSession'
    | 'closeReadable'
    | 'abandonedRequests'
    | 'closeAbandonedRequest'
  >;
  readonly logger: Logger;
}

const PAGE = 500;

/** Closes what dead servers left open; only the ledger is asked. The settlement's own lane starts what is charged. */
export function createSessionSweep(dependencies: SessionSweepDependencies): LaneWork {
  return async (pass) => {
    const report = { sessionsClosed: 0, requestsClosed: 0 };
    for (;;) {
      const sessionsClosed = await closeAbandoned(dependencies);
      const requestsClosed = await closeAbandonedRequests(dependencies);
      report.sessionsClosed += sessionsClosed;
      report.requestsClosed += requestsClosed;
      // A page of which nothing could be closed would come again and again.
      const more = sessionsClosed === PAGE || requestsClosed === PAGE;
      if (!more || pass.over()) return report;
    }
  };
}

/** What a dead server has reserved on channels is given back, and what it had made durable is earned. */
async function closeAbandonedRequests({ ledger, logger }: SessionSweepDependencies): Promise<number> {
  let closed = 0;
  for (const request of await ledger.abandonedRequests(PAGE)) {
    try {
      if (await ledger.closeAbandonedRequest(request)) closed += 1;
    } catch (error) {
      logger.error(
        { request: request.id, channel: request.channelId, err: error },
        'an abandoned request of a channel could not be closed; it is tried again by the next sweep',
      );
    }
  }
  return closed;
}

async function closeAbandoned(dependencies: SessionSweepDependencies): Promise<number> {
  const { ledger, logger } = dependencies;
  let closed = 0;
  for (const session of await ledger.abandonedSessions(PAGE)) {
    try {
      if (await closeOne(session, dependencies)) closed += 1;
    } catch (error) {
      // One bad row never keeps the others open.
      logger.error(
        { settlement: session.id, err: error },
        'an abandoned session could not be closed; it is tried again by the next sweep',
      );
    }
  }
  return closed;
}

/** One that cannot be read is a question, whatever it charged: a key that is gone is something a person must hear of. */
async function closeOne(session: AbandonedSession, { ledger, logger }: SessionSweepDependencies): Promise<boolean> {
  const { id, credential, asked } = session;
  const body = credential instanceof Error ? credential : closingBody(session, credential);
  if (body instanceof Error) {
    if (asked) return false;
    logger.error({ settlement: id, err: body }, 'an abandoned session cannot be read: a person is asked');
    return await ledger.askAboutSession(session, `its credential cannot be read: ${body.message}`);
  }
  return asked ? (await ledger.closeReadable(session, body)) !== undefined : await ledger.closeAbandoned(session, body);
}
