import { accountObject, capabilityObject } from '../http/objects.js';
import { answer, type Plan, type PlanContext } from '../http/plan.js';
import type { AccountRecord } from '../state/records.js';
import type { EventDraft } from '../webhooks/events.js';
import { accountOf, isRejected } from './accounts.js';

/** What its owner, Stripe or the platform does to an account. */
export type AccountChange = Partial<
  Pick<
    AccountRecord,
    'access' | 'transfers' | 'liable' | 'pendingReversals' | 'disabledReason' | 'payouts' | 'settlesIn'
  >
>;

/** The platform's own, which sellers connect to. */
const APPLICATION = { id: 'ca_Sandbox', object: 'application', name: 'makegood sandbox' };

/** Events are those of docs.stripe.com/connect/webhooks; all of them come with the account. */
export function planAccountChange({ store, world }: PlanContext, id: string, change: AccountChange): Plan {
  const before = accountOf(store, id, world.livemode);
  const row: AccountRecord = { ...before, ...change };
  const of = (type: string, object: object): EventDraft => ({
    type,
    account: id,
    livemode: row.livemode,
    object: () => object,
  });
  const events: EventDraft[] = [];
  const statusOf = (each: AccountRecord) => (isRejected(each) ? 'inactive' : each.transfers);
  const changed = statusOf(before) !== statusOf(row);
  if (changed) events.push(of('capability.updated', capabilityObject(row, 'transfers')));
  if (changed || (before.disabledReason ?? null) !== (row.disabledReason ?? null)) {
    events.push(of('account.updated', accountObject(row)));
  }
  if (before.access === 'granted' && row.access === 'revoked') {
    events.push(of('account.application.deauthorized', APPLICATION));
  }
  if (before.access === 'revoked' && row.access === 'granted') {
    events.push(of('account.application.authorized', APPLICATION));
  }
  return answer(accountObject(row), [{ table: 'account', row }], events);
}
