import { createHash } from 'node:crypto';
import type { Clock } from '../../../src/domain/clock.js';
import {
  addOne,
  createRecent,
  createRepeats,
  differing,
  known,
  overlapsOf,
  type Repeats,
} from '../../stand-in/call-counts.js';
import type { EndpointName } from '../http/endpoints.js';

/** One request; no credential is ever kept. */
export interface LoggedCall {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly endpoint: EndpointName | null;
  readonly idempotencyKey: string | null;
  readonly stripeAccount: string | null;
  readonly stripeVersion: string | null;
  /** Query and body as they came. */
  readonly form: string;
  readonly requestId: string;
  /** Null while it is at work, and where no answer was given. */
  readonly status: number | null;
  readonly replayed: boolean;
  readonly fault: string | null;
}

export interface EndpointCounts {
  readonly calls: number;
  readonly throttled: number;
  /** By Unix second of the stand-in's clock. */
  readonly perSecond: Readonly<Record<string, number>>;
  /** Most requests, refused ones included, within any 1000 ms. */
  readonly mostInOneSecond: number;
}

/** What came under one idempotency key. */
export interface KeyCounts {
  readonly key: string;
  readonly calls: number;
  /** sha256 of path and form with how often; more than one is a broken promise of the caller. */
  readonly requests: Readonly<Record<string, number>>;
  /** How often a call arrived while an earlier one under the same key was at work. */
  readonly overlaps: number;
}

export interface CallsView {
  /** The newest, oldest of them first. */
  readonly calls: readonly LoggedCall[];
  readonly endpoints: Readonly<Partial<Record<EndpointName, EndpointCounts>>>;
  readonly keys: readonly KeyCounts[];
  readonly totals: {
    readonly calls: number;
    readonly writesWithoutKey: number;
    readonly keysWithDifferingRequests: number;
    readonly overlaps: number;
  };
}

type Arrival = Omit<LoggedCall, 'at' | 'status' | 'replayed' | 'fault'>;

export interface CallInProgress {
  note(outcome: Partial<Pick<LoggedCall, 'status' | 'replayed' | 'fault'>>): void;
  /** The stand-in has stopped working on it. */
  end(): void;
}

export interface CallLog {
  begin(arrival: Arrival): CallInProgress;
  view(): CallsView;
  clear(): void;
}

export function createCallLog(clock: Clock): CallLog {
  const calls = createRecent<LoggedCall>();
  let total = 0;
  let writesWithoutKey = 0;
  const endpoints = new Map<EndpointName, EndpointCounter>();
  const keys = new Map<string, Repeats>();
  return {
    begin(arrival) {
      const at = clock.nowMs();
      const entry: Mutable<LoggedCall> = { ...arrival, at, status: null, replayed: false, fault: null };
      calls.add(entry);
      total += 1;
      const { endpoint, idempotencyKey } = arrival;
      const counter = endpoint === null ? undefined : known(endpoints, endpoint, createEndpointCounter);
      counter?.count(at);
      const keyed = idempotencyKey === null ? undefined : known(keys, idempotencyKey, createRepeats);
      keyed?.begin(sha256(`${arrival.path}\n${arrival.form}`));
      if (keyed === undefined && arrival.method === 'POST') writesWithoutKey += 1;
      return {
        note: (outcome) => void Object.assign(entry, outcome),
        end() {
          keyed?.end();
          if (entry.status === 429) counter?.throttle();
        },
      };
    },
    view() {
      const counted = Array.from(keys, ([key, repeats]) => {
        const { calls: times, bodies: requests, overlaps } = repeats.view();
        return { key, calls: times, requests, overlaps };
      });
      return {
        calls: calls.all().map((call) => ({ ...call })),
        endpoints: Object.fromEntries(Array.from(endpoints, ([name, counter]) => [name, counter.view()])),
        keys: counted,
        totals: {
          calls: total,
          writesWithoutKey,
          keysWithDifferingRequests: differing(counted.map(({ requests }) => requests)),
          overlaps: overlapsOf(counted),
        },
      };
    },
    clear() {
      for (const counts of [calls, endpoints, keys]) counts.clear();
      total = writesWithoutKey = 0;
    },
  };
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

interface EndpointCounter {
  count(at: number): void;
  throttle(): void;
  view(): EndpointCounts;
}

function createEndpointCounter(): EndpointCounter {
  let calls = 0;
  let throttled = 0;
  let mostInOneSecond = 0;
  let recent: number[] = [];
  const perSecond = new Map<number, number>();
  return {
    count(at) {
      calls += 1;
      addOne(perSecond, Math.floor(at / 1000));
      // A clock that was moved back begins a new count.
      if ((recent.at(-1) ?? at) > at) recent = [];
      while (recent[0] !== undefined && at - recent[0] >= 1000) recent.shift();
      recent.push(at);
      mostInOneSecond = Math.max(mostInOneSecond, recent.length);
    },
    throttle() {
      throttled += 1;
    },
    view: () => ({ calls, throttled, perSecond: Object.fromEntries(perSecond), mostInOneSecond }),
  };
}
