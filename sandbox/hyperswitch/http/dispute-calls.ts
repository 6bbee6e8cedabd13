import type { DisputeBook } from '../state/dispute-book.js';
import { badSync, seen, syncOf, type Work } from './calls.js';
import { type DisputeStatus, disputeBody, type HeardDispute } from './dispute-objects.js';
import { CONNECTOR, CONNECTOR_ACCOUNT } from './objects.js';
import { disputeNotFound, noDisputeSync } from './problems.js';
import { type DisputesQuery, readDisputesQuery } from './requests.js';

interface Dependencies {
  readonly disputeBook: DisputeBook;
}

/** These are the ones about which a read with force_sync asks the connector. */
const ASKED_ABOUT: ReadonlySet<DisputeStatus> = new Set(['dispute_opened', 'dispute_accepted', 'dispute_challenged']);

export function readDispute({ disputeBook }: Dependencies): Work {
  return ({ req, owner }) => {
    const sync = syncOf(req);
    if (sync === undefined) return { problem: badSync };
    const dispute = seen(
      disputeBook.heard().find(({ id }) => id === req.params.id),
      owner,
    );
    if (!dispute) return { problem: disputeNotFound };
    return sync && ASKED_ABOUT.has(dispute.status) ? { problem: noDisputeSync } : { body: disputeBody(dispute) };
  };
}

export function listDisputes({ disputeBook }: Dependencies): Work {
  return ({ req, owner }) => {
    const read = readDisputesQuery(req.query);
    if ('problem' in read) return read;
    const { limit, offset } = read.request;
    const matching = disputeBook
      .heard(read.request.payment_id)
      .filter((dispute) => seen(dispute, owner) !== undefined && matches(dispute, read.request));
    return { body: matching.slice(offset, offset + limit).map(disputeBody) };
  };
}

function matches(dispute: HeardDispute, query: DisputesQuery): boolean {
  const { start_time: from = 0, end_time: until = Number.POSITIVE_INFINITY } = query;
  return (
    [
      [query.dispute_id, dispute.id],
      [query.profile_id, dispute.owner.profileId],
      [query.reason, dispute.reason],
      [query.merchant_connector_id, CONNECTOR_ACCOUNT],
    ].every(([asked, is]) => asked === undefined || asked === is) &&
    (query.dispute_status?.includes(dispute.status) ?? true) &&
    (query.dispute_stage?.includes(dispute.stage) ?? true) &&
    (query.connector?.includes(CONNECTOR) ?? true) &&
    (query.currency?.includes(dispute.currency) ?? true) &&
    dispute.createdMs >= from &&
    dispute.createdMs <= until
  );
}
