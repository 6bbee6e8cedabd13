import type { ConsoleDependencies } from '../../src/http/api.js';
import { createChangeFeed } from '../../src/http/reading/changes.js';
import type { Ledger } from '../../src/ledger/ledger.js';

const none = () => Promise.resolve([]);
const nothing = () => Promise.resolve(undefined);

/** A ledger in which nothing has happened and nobody is signed in. */
const EMPTY_LEDGER: Partial<Ledger> = {
  decisionsNotTaken: () => Promise.resolve([]),
  consoleSession: nothing,
  openConsoleSession: () => Promise.resolve(),
  endConsoleSession: () => Promise.resolve(),
  listChannels: none,
  listWebhooks: none,
  listDecisions: none,
  findItems: none,
  findNamedItems: () => Promise.resolve({ items: [], by: 'id' }),
  itemSummaries: none,
  explainedChannel: nothing,
  decisionItem: nothing,
  waitingItems: none,
  newestSeq: () => Promise.resolve('0'),
  changesAfter: none,
  pauses: none,
  pauseProvider: () => Promise.resolve(false),
  resumeProvider: () => Promise.resolve(false),
  replayWebhook: nothing,
  stripeRate: () => Promise.resolve({ set: null, pace: 0, endpoints: [] }),
  overviewFacts: () =>
    Promise.resolve({
      at: '2026-01-06T12:00:00.000Z',
      waiting: [],
      providers: [],
      lastSuccesses: new Map(),
      series: [],
      stepSeconds: 300,
      spanSeconds: 86_400,
    }),
};

/** What the console's routes are given where nothing is configured; tests replace what they are about. */
export function consoleRoutes({
  ledger,
  mostListeners,
  ...given
}: Partial<Omit<ConsoleDependencies, 'ledger'>> & {
  readonly ledger: Partial<Ledger>;
  readonly mostListeners?: number;
}): ConsoleDependencies {
  const whole = { ...EMPTY_LEDGER, ...ledger } as Ledger;
  const quiet = () => undefined;
  return {
    ledger: whole,
    changes: createChangeFeed({
      ledger: whole,
      mostClients: mostListeners,
      logger: { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
    }),
    webRoot: '/nowhere/web',
    publicUrl: undefined,
    approvalThreshold: 10_000n,
    reconcileEveryMs: 3_600_000,
    temporalUi: undefined,
    stripePerSecond: () => undefined,
    ...given,
  };
}
