import { useEffect, useState } from 'react';
import { oneReading } from './one-reading.js';
import { queryClient } from './queries.js';

export type Liveness = 'connecting' | 'live' | 'broken';

/** Changes come in bursts; what they make old is read once for each. */
const GATHER_MS = 400;
const AGAIN_MS = 5_000;

/** Follows what happens to items, and reads anew what a change makes old. */
export function useLiveChanges(): Liveness {
  const [liveness, setLiveness] = useState<Liveness>('connecting');
  useEffect(() => followChanges(setLiveness), []);
  return liveness;
}

function followChanges(tell: (liveness: Liveness) => void): () => void {
  let source: EventSource | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  const reading = oneReading(GATHER_MS, (items) =>
    queryClient.invalidateQueries({ predicate: ({ queryKey }) => isOld(queryKey, items) }),
  );

  const connect = () => {
    source = new EventSource('/api/v1/events');
    source.addEventListener('open', () => {
      tell('live');
      // whatever happened while nobody listened
      reading.changed(EVERYTHING);
    });
    source.addEventListener('change', ({ data }: MessageEvent<string>) => reading.changed(itemOf(data)));
    source.addEventListener('reset', () => reading.changed(EVERYTHING));
    source.addEventListener('error', () => {
      tell('broken');
      // a refusal ends an EventSource for good
      if (source?.readyState === EventSource.CLOSED) again = setTimeout(connect, AGAIN_MS);
    });
  };
  connect();
  return () => {
    source?.close();
    reading.stop();
    clearTimeout(again);
  };
}

const EVERYTHING = '*';

function itemOf(data: string): string {
  try {
    const { kind, id } = JSON.parse(data) as { kind: string; id: string };
    return `${kind}/${id}`;
  } catch {
    return EVERYTHING;
  }
}

/** An open page of an item shows its neighbours too, so every item is read anew; the session is not. */
function isOld([name, which]: readonly unknown[], items: readonly string[]): boolean {
  if (name === 'session' || name === 'bulk') return false;
  if (name === 'list' && !items.includes(EVERYTHING))
    return which === 'decisions' || which === 'webhooks' || items.some((item) => `${item.split('/')[0]}s` === which);
  return true;
}
