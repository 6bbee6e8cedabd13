import { createLiveReadings } from '../../reading/live.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem, retryAfter } from '../problem.js';
import { type Call, type Reply, type Route, route } from '../route.js';
import { explanation } from './explanations.js';
import { fewAtOnce } from './few-at-once.js';
import { listRoutes } from './lists.js';
import { live } from './live.js';
import { oneAtATime } from './one-at-a-time.js';
import { overview } from './overview.js';
import type { ReadingDependencies } from './reading-dependencies.js';
import {
  changesOperation,
  explanationOperation,
  liveOperation,
  overviewOperation,
  searchOperation,
  storyOperation,
} from './reading-operations.js';
import { search } from './search.js';
import { story } from './stories.js';

/** What persons read, beside the items themselves. */
export function readingRoutes(dependencies: ReadingDependencies): readonly Route[] {
  const { clock } = dependencies;
  const times = { nowMs: () => clock.nowMs(), monotonicMs: () => performance.now() };
  const readNow = createLiveReadings(dependencies, times);
  const read = fewAtOnce(AT_ONCE, MOST_WAITING);
  const ofTheLedger = [
    ...listRoutes(dependencies),
    route(
      overviewOperation,
      oneAtATime(() => overview(dependencies)),
    ),
    route(searchOperation, (call) => search(call, dependencies)),
    route(explanationOperation, (call) => explanation(call, dependencies)),
    route(storyOperation, (call) => story(call, dependencies)),
  ];
  return [
    ...ofTheLedger.map(({ operation, run }) => ({
      operation,
      run: (call: Parameters<typeof run>[0]) => read(() => run(call)),
    })),
    // Both wait for others than Postgres most of the time.
    route(liveOperation, (call) => live(call, dependencies, readNow)),
    route(changesOperation, (call) => changes(call, dependencies)),
  ];
}

/** Of twenty connections that a server has. */
const AT_ONCE = 4;
const MOST_WAITING = 100;

const COME_BACK_SECONDS = 10;

async function changes(
  { headers, session }: Call<unknown, unknown>,
  { changes: feed, authenticate }: Pick<ReadingDependencies, 'changes' | 'authenticate'>,
): Promise<Reply> {
  if (feed.isFull())
    throw new HttpProblem('rate_limited', 'as many listen already as this server tells of changes', {
      headers: retryAfter(COME_BACK_SECONDS),
    });
  const [last = ''] = headers['last-event-id'] ?? [];
  const missed = await fromLedger(feed.missed(/^[0-9]{1,18}$/.test(last) ? last : undefined));
  // Settings may be read again while he listens.
  const holdsToken = () => Promise.resolve(authenticate(headers.authorization?.[0]) !== undefined);
  return {
    status: 200,
    body: undefined,
    headers: { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' },
    stream: (res) => feed.join({ res, isLive: session ? () => session.isLive() : holdsToken }, missed),
  };
}
