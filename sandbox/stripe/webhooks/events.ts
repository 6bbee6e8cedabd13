import { accountOf, allFunds } from '../accounts/accounts.js';
import { balanceObject } from '../http/objects.js';
import { newId, type World } from '../state/records.js';
import type { Store } from '../state/store.js';

/** An event that a plan would cause; the object is looked at once the plan is committed. */
export interface EventDraft {
  readonly type: string;
  /** The connected account it happened on; null: the platform itself. */
  readonly account: string | null;
  readonly livemode: boolean;
  readonly object: () => object;
  readonly previous?: object;
}

/** As Stripe sends it (docs.stripe.com/api/events/object). */
export interface EventObject {
  readonly id: string;
  readonly object: 'event';
  readonly account?: string;
  readonly api_version: string;
  readonly created: number;
  readonly data: { readonly object: object; readonly previous_attributes?: object };
  readonly livemode: boolean;
  readonly pending_webhooks: number;
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null };
  readonly type: string;
}

/** The version that the product pins; a stored event is rendered once and never again. */
const API_VERSION = '2026-10-28.endive';

/** Looks at the objects now; what happens to them later is another event. */
export function renderEvents(
  drafts: readonly EventDraft[],
  nowMs: number,
  request: EventObject['request'],
): readonly EventObject[] {
  return drafts.map(({ type, account, livemode, object, previous }) => ({
    id: newId('evt'),
    object: 'event',
    ...(account === null ? {} : { account }),
    api_version: API_VERSION,
    created: Math.floor(nowMs / 1000),
    data: { object: object(), ...(previous === undefined ? {} : { previous_attributes: previous }) },
    livemode,
    pending_webhooks: 1,
    request,
    type,
  }));
}

/** As an event destination for API v2 gets it: the object's name in place of the object (docs.stripe.com/events/how-events-work). */
export interface ThinEvent {
  readonly id: string;
  readonly object: 'v2.core.event';
  readonly type: string;
  readonly created: string;
  readonly livemode: boolean;
  readonly context: string | null;
  readonly related_object: { readonly id: string; readonly type: string; readonly url: string };
}

/** Objects of v1 keep their types, behind `v1.` */
export function thinEvent({ type, account, livemode, object }: EventDraft, nowMs: number): ThinEvent {
  const { id, object: kind } = object() as { readonly id: string; readonly object: string };
  return {
    id: newId('evt'),
    object: 'v2.core.event',
    type: type.startsWith('v2.') ? type : `v1.${type}`,
    created: new Date(nowMs).toISOString(),
    livemode,
    context: account,
    related_object: { id, type: kind, url: `/v1/${kind}s/${id}` },
  };
}

/** Sent for every rise and never for a fall (docs.stripe.com/api/events/types). */
export const balanceAvailable = (store: Store, world: World, account: string): EventDraft => ({
  type: 'balance.available',
  account: account === world.platform ? null : account,
  livemode: world.livemode,
  object: () => balanceObject(world.livemode, allFunds(accountOf(store, account, world.livemode))),
});
