import type { DecidableKind } from '../domain/decisions/decisions.js';
import type { Explanation } from '../domain/explanations/explain.js';
import type { Look, LookedItem, TimedReading } from '../domain/explanations/live-reading.js';
import type { FoundItem } from '../ledger/find-items.js';
import type { Ledger } from '../ledger/ledger.js';
import { type ExplainingLedger, explainItem } from './explanations.js';

/** An item that a decision can be about; an order and a channel have none of their own. */
export type LiveItem = FoundItem & { readonly kind: DecidableKind };

export type LiveLedger = ExplainingLedger & Pick<Ledger, 'decisionItem'>;

export interface LiveDependencies {
  readonly ledger: LiveLedger;
  readonly look: Look;
}

/** As it stands here, and as its provider shows it at this moment. */
export interface Live {
  readonly explained: Explanation;
  readonly reading: TimedReading;
}

/** The one way for commands and the API. */
export async function readLive(item: LiveItem, { ledger, look }: LiveDependencies, nowMs: () => number): Promise<Live> {
  const explained = (await explainItem(ledger, item, nowMs())) as Explanation;
  const reading = await look({ ...item, statements: await statementsOn(item, explained, ledger) });
  return { explained, reading: { ...reading, readAt: new Date(nowMs()).toISOString() } };
}

/** What may be decided now; of what waits for a second person, that. */
async function statementsOn(
  { kind, id }: LiveItem,
  { decisions }: Explanation,
  ledger: LiveLedger,
): Promise<LookedItem['statements']> {
  const waiting = await ledger.waitingDecision(kind, id);
  const asked = waiting && (await ledger.decisionItem(waiting.id as never));
  return asked ? [asked] : decisions.map(({ action }) => ({ action, evidence: null }));
}

/** Whoever asks again so soon is told what was read before. */
const READ_AGAIN_AFTER_MS = 5_000;

/**
 * The same, at most once in a few seconds for each item, however many ask: providers are not called as often as somebody
 * presses a button.
 */
export function createLiveReadings(
  dependencies: LiveDependencies,
  { nowMs, monotonicMs }: { readonly nowMs: () => number; readonly monotonicMs: () => number },
): (item: LiveItem) => Promise<Live> {
  const read = new Map<string, { readonly atMs: number; readonly live: Promise<Live> }>();
  return (item) => {
    const now = monotonicMs();
    for (const [name, { atMs }] of read) if (now - atMs >= READ_AGAIN_AFTER_MS) read.delete(name);
    const name = `${item.kind}/${item.id}`;
    const known = read.get(name);
    if (known) return known.live;
    const live = readLive(item, dependencies, nowMs);
    read.set(name, { atMs: now, live });
    // What the ledger did not tell is asked again at once.
    live.catch(() => read.delete(name));
    return live;
  };
}
