import type { SettlementId } from '../../domain/ids.js';
import type { EventOfItem } from '../../ledger/event-row.js';
import type { FoundItem } from '../../ledger/find-items.js';
import { fromLedger } from '../from-ledger.js';
import type { Call, Reply } from '../route.js';
import { namedBy, noItem } from './named-item.js';
import type { ReadingDependencies } from './reading-dependencies.js';

type Dependencies = Pick<ReadingDependencies, 'ledger'>;

/** Everything that happened to an item, as the command `show` tells it. */
export async function story({ params }: Call<unknown, unknown>, { ledger }: Dependencies): Promise<Reply> {
  const named = await namedBy(params, { ledger });
  if (named.kind === 'channel') {
    if (!(await fromLedger(ledger.explainedChannel(named.id)))) throw noItem('channel');
    const captures = (await fromLedger(ledger.findItems(named.id))).filter(({ kind }) => kind === 'settlement');
    const stories = await Promise.all(captures.map(({ id }) => eventsOfSettlement(id as SettlementId, ledger)));
    const events = stories.flat().sort((one, other) => (one.at < other.at ? -1 : 1));
    return { status: 200, body: { events: events.map(eventAnswer), lookup: null } };
  }
  if (named.kind === 'settlement') {
    const id = named.id as SettlementId;
    const [events, lookup] = await Promise.all([
      eventsOfSettlement(id, ledger),
      fromLedger(ledger.settlementLookup(id)),
    ]);
    return { status: 200, body: { events: events.map(eventAnswer), lookup: lookup ?? null } };
  }
  const events = await fromLedger(storyOf(named, ledger));
  return { status: 200, body: { events: events.map(eventAnswer), lookup: null } };
}

const eventsOfSettlement = async (id: SettlementId, ledger: Dependencies['ledger']): Promise<readonly EventOfItem[]> =>
  (await fromLedger(ledger.settlementEvents(id))).map((event) => ({ item: `settlement/${id}`, ...event }));

/** Of an order, of all its parts as well. */
async function storyOf(
  item: Exclude<FoundItem, { kind: 'settlement' }>,
  ledger: Dependencies['ledger'],
): Promise<readonly EventOfItem[]> {
  if (item.kind !== 'order') return await ledger.storyOf([item]);
  const order = await ledger.findOrder(item.orderId);
  const part = (kind: Exclude<FoundItem['kind'], 'settlement'>, items: readonly { readonly id: string }[]) =>
    items.map(({ id }) => ({ kind, id, orderId: item.orderId }));
  return await ledger.storyOf([
    item,
    ...(order
      ? [
          ...part('payment', order.payment ? [order.payment] : []),
          ...part('refund', order.refunds),
          ...part('transfer', order.transfers),
          ...part('reversal', order.reversals),
          ...part('dispute', order.disputes),
        ]
      : []),
  ]);
}

const eventAnswer = ({ item, at, kind, certainty, answerClass, idempotencyKey, detail }: EventOfItem) => ({
  item,
  at,
  kind,
  certainty,
  answer: answerClass,
  key: idempotencyKey,
  request_id: typeof detail.request_id === 'string' ? detail.request_id : null,
  status: typeof detail.status === 'number' ? detail.status : null,
  replayed: typeof detail.replayed === 'boolean' ? detail.replayed : null,
  detail,
});
