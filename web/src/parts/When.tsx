import { useSyncExternalStore } from 'react';
import { absolute, relative } from '../format/time.js';

/** One clock for every time on the page. */
const listeners = new Set<() => void>();
let nowMs = Date.now();
let ticking: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  ticking ??= setInterval(() => {
    nowMs = Date.now();
    for (const tell of listeners) tell();
  }, 5_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(ticking);
    ticking = undefined;
  };
}

const useNow = (): number => useSyncExternalStore(subscribe, () => nowMs);

/** How long ago, or in how long; the moment itself by pointer, by focus and for readers. */
export function When({ at }: { readonly at: string | null | undefined }) {
  const now = useNow();
  if (!at) return <span className="muted">—</span>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the moment itself has to be had without a pointer
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <time className="when" dateTime={at} title={absolute(at)} tabIndex={0}>
      {relative(at, Math.max(now, nowMs))}
      <span className="when-exactly">{absolute(at)}</span>
    </time>
  );
}
