import { createHash } from 'node:crypto';
import type { Clock } from '../../domain/clock.js';
import type { Journal } from '../journal.js';
import { ENDPOINTS, type Endpoint } from './faults.js';
import type { Fields } from './objects.js';

/** One call as it came. */
export interface Call {
  readonly endpoint: Endpoint;
  /** payment_id or refund_id; null where the call names none. */
  readonly id: string | null;
  /** Hyperswitch itself does not go by it. */
  readonly idempotencyKey: string | null;
  readonly bodySha256: string;
  readonly atMs: number;
}

/** What came for one payment_id or refund_id that a caller wanted created. */
export interface CreatedCalls {
  readonly id: string;
  readonly calls: number;
  /** sha256 of every body, with how often; more than one entry is a broken promise. */
  readonly bodies: Readonly<Record<string, number>>;
  readonly idempotencyKeys: Readonly<Record<string, number>>;
  /** How often a call arrived while an earlier one of the same id was still at work. */
  readonly overlaps: number;
}

export interface CallTotals {
  readonly byEndpoint: Readonly<Record<Endpoint, number>>;
  /** Creating calls that came with no Idempotency-Key, or an empty one. */
  readonly withoutKey: number;
  readonly idsWithDifferingBodies: number;
  readonly idsWithDifferingKeys: number;
  readonly overlaps: number;
}

export interface CallLog {
  /** Returns the function that ends the call; ending twice counts once. */
  begin(call: Omit<Call, 'bodySha256' | 'atMs'> & { readonly body: Buffer }): () => void;
  /** Newest last; only the last ten thousand. */
  calls(): readonly Call[];
  created(): readonly CreatedCalls[];
  totals(): CallTotals;
  replay(entry: Fields): boolean;
  clear(): void;
}

interface Counted {
  readonly id: string;
  calls: number;
  readonly bodies: Map<string, number>;
  readonly idempotencyKeys: Map<string, number>;
  overlaps: number;
  atWork: number;
}

const MOST_KEPT = 10_000;
const CREATES: ReadonlySet<Endpoint> = new Set(['payments.create', 'refunds.create']);

export function createCallLog(clock: Clock, journal: Journal): CallLog {
  const calls: Call[] = [];
  const byId = new Map<string, Counted>();
  const byEndpoint = new Map<Endpoint, number>();
  let withoutKey = 0;
  let epoch = 0;

  const count = (call: Call): Counted | undefined => {
    calls.push(call);
    if (calls.length > MOST_KEPT) calls.shift();
    addOne(byEndpoint, call.endpoint);
    if (!CREATES.has(call.endpoint)) return undefined;
    if (call.idempotencyKey === null || call.idempotencyKey === '') withoutKey += 1;
    const id = call.id ?? 'none';
    const counted = byId.get(id) ?? fresh(id);
    byId.set(id, counted);
    counted.calls += 1;
    addOne(counted.bodies, call.bodySha256);
    addOne(counted.idempotencyKeys, call.idempotencyKey ?? '');
    return counted;
  };

  return {
    begin({ body, ...rest }) {
      const bodySha256 = createHash('sha256').update(body).digest('hex');
      const call: Call = { ...rest, bodySha256, atMs: clock.nowMs() };
      const counted = count(call);
      // What may be created is queued behind this line, so whatever is answered, the call is on disk first.
      if (counted !== undefined) journal.append({ t: 'call', ...call }).catch(() => undefined);
      if (counted === undefined) return () => undefined;
      if (counted.atWork > 0) counted.overlaps += 1;
      counted.atWork += 1;
      const begunIn = epoch;
      let ended = false;
      return () => {
        if (ended || begunIn !== epoch) return;
        ended = true;
        counted.atWork -= 1;
      };
    },
    calls: () => calls,
    created: () =>
      Array.from(byId.values(), ({ atWork: _now, bodies, idempotencyKeys, ...counted }) => ({
        ...counted,
        bodies: Object.fromEntries(bodies),
        idempotencyKeys: Object.fromEntries(idempotencyKeys),
      })),
    totals() {
      const all = Array.from(byId.values());
      return {
        byEndpoint: Object.fromEntries(
          ENDPOINTS.map((endpoint) => [endpoint, byEndpoint.get(endpoint) ?? 0]),
        ) as Record<Endpoint, number>,
        withoutKey,
        idsWithDifferingBodies: all.filter(({ bodies }) => bodies.size > 1).length,
        idsWithDifferingKeys: all.filter(({ idempotencyKeys }) => idempotencyKeys.size > 1).length,
        overlaps: all.reduce((sum, { overlaps }) => sum + overlaps, 0),
      };
    },
    replay(entry) {
      if (entry.t !== 'call') return false;
      const { t: _kind, ...call } = entry;
      count(call as unknown as Call);
      return true;
    },
    clear() {
      epoch += 1;
      calls.length = 0;
      byId.clear();
      byEndpoint.clear();
      withoutKey = 0;
    },
  };
}

const fresh = (id: string): Counted => ({
  id,
  calls: 0,
  bodies: new Map(),
  idempotencyKeys: new Map(),
  overlaps: 0,
  atWork: 0,
});

function addOne<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
