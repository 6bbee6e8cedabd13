import type { Plan } from '../http/plan.js';
import type { MovableClock } from '../state/movable-clock.js';
import type { Store } from '../state/store.js';
import { type EventDraft, renderEvents } from '../webhooks/events.js';
import type { Webhooks } from '../webhooks/webhooks.js';

/** The switch was understood and cannot be done; nothing changed. */
export class ControlRefused extends Error {
  readonly status = 400;
}

interface Dependencies {
  readonly store: Store;
  readonly clock: MovableClock;
  readonly webhooks: Webhooks;
}

/** As somebody at Stripe would: without a request and without a key. @throws ControlRefused */
export async function carryOutPlan<T>({ store, clock, webhooks }: Dependencies, plan: Plan): Promise<T> {
  if (plan.status >= 400) throw new ControlRefused((plan.body as { error: { message: string } }).error.message);
  const durable = store.commit(plan.puts);
  emitNow({ clock, webhooks }, plan.events);
  await durable;
  return plan.body as T;
}

export const emitNow = (
  { clock, webhooks }: Pick<Dependencies, 'clock' | 'webhooks'>,
  drafts: readonly EventDraft[],
): void => webhooks.emit(renderEvents(drafts, clock.nowMs(), { id: null, idempotency_key: null }));
