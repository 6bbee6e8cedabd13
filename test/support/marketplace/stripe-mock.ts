import { describeExit, startChild } from '../../../sandbox/stack/child.js';
import { testGuard, testLog } from '../child-processes.js';
import { recordedTool } from '../recorded-tools.js';

/** Where `scripts/stripe-mock.mjs` (run before `npm test`) found or built it; undefined where there is no Go. */
export const stripeMockProgram = (): string | undefined => recordedTool('stripe-mock', process.env.STRIPE_MOCK);

export interface StripeMock {
  /** Origin of Stripe's API as `stripe-mock` plays it; any key that begins with `sk_test_` is let in. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

const START_LIMIT_MS = 20_000;

/**
 * Stripe's own `stripe-mock` on a free port. It admits or refuses a request by Stripe's published description, and
 * answers with examples: it remembers nothing, knows no idempotency key and lets every id exist.
 */
export async function startStripeMock(program: string): Promise<StripeMock> {
  const printed: string[] = [];
  let listening: (url: string) => void = () => undefined;
  const url = new Promise<string>((resolve) => {
    listening = resolve;
  });
  const child = await startChild(
    {
      name: 'stripe-mock',
      command: program,
      // It opens HTTPS too, on a port that another run would miss, unless it is told to choose one.
      args: ['-http-addr', '127.0.0.1:', '-https-addr', '127.0.0.1:'],
      env: {},
      signal: 'SIGTERM',
      graceMs: 2_000,
    },
    await testGuard(),
    (name, line) => {
      if (printed.length < 50) printed.push(line);
      testLog(name, line);
      const address = /HTTP at address: (127\.0\.0\.1:\d+)$/.exec(line)?.[1];
      if (address !== undefined) listening(`http://${address}`);
    },
  );
  const waiting = new AbortController();
  const started = await Promise.race([url, child.exited, lateness(waiting.signal)]);
  waiting.abort();
  if (typeof started !== 'string') {
    const why = started === undefined ? `nothing within ${START_LIMIT_MS / 1000} s` : describeExit(started);
    await child.stop();
    throw new Error(`stripe-mock did not start (${why}):\n${printed.join('\n')}`);
  }
  return {
    url: started,
    stop: async () => {
      await child.stop();
    },
  };
}

const lateness = (over: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, START_LIMIT_MS, undefined);
    over.addEventListener('abort', () => {
      clearTimeout(timer);
    });
  });
