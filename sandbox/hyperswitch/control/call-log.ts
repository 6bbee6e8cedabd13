import { createHash } from 'node:crypto';
import type { Clock } from '../../../src/domain/clock.js';
import {
  addOne,
  createRecent,
  createRepeats,
  differing,
  known,
  overlapsOf,
  type RepeatedCalls,
  type Repeats,
} from '../../stand-in/call-counts.js';
import type { Journal } from '../../stand-in/journal.js';
import { ENDPOINTS, type Endpoint } from '../faults.js';
import type { Fields } from '../http/objects.js';

/** One call as it came. */
export interface LoggedCall {
  readonly endpoint: Endpoint;
  /** payment_id or refund_id; null where the call names none. */
  readonly id: string | null;
  /** Hyperswitch itself does not go by it. */
  readonly idempotencyKey: string | null;
  readonly bodySha256: string;
  readonly atMs: number;
}

/** What came for one payment_id or refund_id that a caller wanted created. */
export interface CreatedCalls extends RepeatedCalls {
  readonly id: string;
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
  /** Returns the function that ends the call. */
  begin(call: Omit<LoggedCall, 'bodySha256' | 'atMs'> & { readonly body: Buffer }): () => void;
  /** Newest last; only the last ten thousand. */
  calls(): readonly LoggedCall[];
  created(): readonly CreatedCalls[];
  totals(): CallTotals;
  replay(entry: Fields): boolean;
  clear(): void;
}

const CREATES: ReadonlySet<Endpoint> = new Set(['payments.create', 'refunds.create']);

export function createCallLog(clock: Clock, journal: Journal): CallLog {
  const calls = createRecent<LoggedCall>();
  const byId = new Map<string, Repeats>();
  const byEndpoint = new Map<Endpoint, number>();
  let withoutKey = 0;

  /** @returns what counts calls of its id; undefined: it creates nothing */
  const arrive = (call: LoggedCall): Repeats | undefined => {
    calls.add(call);
    addOne(byEndpoint, call.endpoint);
    if (!CREATES.has(call.endpoint)) return undefined;
    if (call.idempotencyKey === null || call.idempotencyKey === '') withoutKey += 1;
    return known(byId, call.id ?? 'none', createRepeats);
  };
  const created = () => Array.from(byId, ([id, repeats]) => ({ id, ...repeats.view() }));

  return {
    begin({ body, ...rest }) {
      const bodySha256 = createHash('sha256').update(body).digest('hex');
      const call: LoggedCall = { ...rest, bodySha256, atMs: clock.nowMs() };
      const repeats = arrive(call);
      if (repeats === undefined) return () => undefined;
      // What may be created is queued behind this line, so whatever is answered, the call is on disk first.
      journal.append({ t: 'call', ...call }).catch(() => undefined);
      repeats.begin(bodySha256, call.idempotencyKey ?? '');
      return () => repeats.end();
    },
    calls: () => calls.all(),
    created,
    totals() {
      const all = created();
      return {
        byEndpoint: Object.fromEntries(
          ENDPOINTS.map((endpoint) => [endpoint, byEndpoint.get(endpoint) ?? 0]),
        ) as Record<Endpoint, number>,
        withoutKey,
        idsWithDifferingBodies: differing(all.map(({ bodies }) => bodies)),
        idsWithDifferingKeys: differing(all.map(({ idempotencyKeys }) => idempotencyKeys)),
        overlaps: overlapsOf(all),
      };
    },
    replay(entry) {
      if (entry.t !== 'call') return false;
      const { t: _kind, ...rest } = entry;
      const call = rest as unknown as LoggedCall;
      arrive(call)?.replay(call.bodySha256, call.idempotencyKey ?? '', 1);
      return true;
    },
    clear() {
      for (const counts of [calls, byId, byEndpoint]) counts.clear();
      withoutKey = 0;
    },
  };
}
