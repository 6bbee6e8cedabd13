import type { Ledger } from '../../ledger/ledger.js';
import type { FollowStep } from '../steps.js';

/** Everything that a webhook told of an item before it was read is answered by the reading. */
export const answeringWebhooks =
  (ledger: Pick<Ledger, 'openWebhooks' | 'finishWebhook'>) =>
  <Id extends string>(
    kind: 'payment' | 'refund' | 'dispute',
    advance: (id: Id) => Promise<FollowStep>,
  ): ((id: Id) => Promise<FollowStep>) =>
  async (id) => {
    const events = await ledger.openWebhooks({ kind, id });
    const outcome = await advance(id);
    if (outcome.kind !== 'later') for (const event of events) await ledger.finishWebhook(event, 'read');
    return outcome;
  };
