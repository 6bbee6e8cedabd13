import type { Settlement } from '../balance/settlement.js';
import { routeOf } from '../http/endpoints.js';
import type { Caller } from '../http/plan.js';
import type { ApiRequest } from '../http/request.js';
import type { Buyers } from '../payments/buyers.js';
import { renderEvents } from '../webhooks/events.js';
import type { Webhooks } from '../webhooks/webhooks.js';
import type { Agenda, MovableClock } from './movable-clock.js';
import { type DeferredRecord, newId } from './records.js';
import type { Store } from './store.js';

/** Calls that were answered 500 and are finished later: Stripe does that, webhooks included (docs.stripe.com/error-low-level). */
export interface DeferredWork {
  /** The row to commit together with the 500. */
  row(request: ApiRequest, caller: Caller, afterMs: number | undefined): DeferredRecord;
  /** Finishes it when the clock reaches it. */
  schedule(row: DeferredRecord): void;
  /** @returns how many were finished now; those still to come by the clock included */
  finishAll(): Promise<number>;
}

export interface DeferredDependencies {
  readonly store: Store;
  readonly clock: MovableClock;
  readonly agenda: Agenda;
  readonly webhooks: Webhooks;
  readonly settlement: Pick<Settlement, 'days'>;
  readonly buyers: Pick<Buyers, 'settings'>;
}

export function createDeferredWork({
  store,
  clock,
  agenda,
  webhooks,
  settlement,
  buyers,
}: DeferredDependencies): DeferredWork {
  const finish = async (id: string): Promise<boolean> => {
    const row = store.deferred().find((each) => each.id === id);
    if (row === undefined || row.status !== null) return false;
    const reading = routeOf('POST', row.path)?.read(row.form);
    if (reading === undefined || 'problem' in reading) return false;
    const nowMs = clock.nowMs();
    const plan = reading.plan({
      store,
      world: row.world,
      account: row.world.platform,
      nowMs,
      settlementDays: settlement.days(),
      ...buyers.settings(),
    });
    const durable = store.commit([...plan.puts, { table: 'deferred', row: { ...row, status: plan.status } }]);
    const events = renderEvents(plan.events, nowMs, { id: row.requestId, idempotency_key: row.idempotencyKey });
    await durable;
    webhooks.emit(events);
    return true;
  };
  return {
    row: (request, { world, nowMs }, afterMs) => ({
      id: newId('later'),
      path: request.path,
      form: request.pairs,
      world,
      requestId: request.id,
      idempotencyKey: request.idempotencyKey,
      dueAtMs: afterMs === undefined ? null : nowMs + afterMs,
      status: null,
    }),
    schedule({ id, dueAtMs, status }) {
      if (dueAtMs === null || status !== null) return;
      // A disk that fails is told to whoever asks next; nobody waits for this one.
      agenda.at(dueAtMs, () => void finish(id).catch(() => undefined));
    },
    async finishAll() {
      const waiting = store.deferred().filter(({ status }) => status === null);
      const finished = await Promise.all(waiting.map(({ id }) => finish(id)));
      return finished.filter(Boolean).length;
    },
  };
}
