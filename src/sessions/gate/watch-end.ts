// Node types `end` by overloads that no wrapper can be written against without assertions.
/* oxlint-disable typescript/no-unsafe-type-assertion, typescript/unbound-method */
import type { ServerResponse } from 'node:http';
import type { WireEvents } from './wire.js';

/** Hears of the handler's end before whatever stands between it and the wire, which may send the rest much later. */
export function watchEnd(res: ServerResponse, events: Pick<WireEvents, 'onEnding' | 'onEnded'>): void {
  const { end } = res;
  let ended = false;
  res.end = function watched(this: ServerResponse, ...args: unknown[]) {
    if (ended) return Reflect.apply(end, this, args) as ServerResponse;
    events.onEnding(true);
    try {
      const same = Reflect.apply(end, this, args) as ServerResponse;
      ended = true;
      return same;
    } finally {
      if (ended) events.onEnded();
      else events.onEnding(false);
    }
  } as typeof res.end;
}
