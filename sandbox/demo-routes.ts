import { setTimeout as wait } from 'node:timers/promises';
import type { Express, Request, Response } from 'express';
import type { JsonObject } from '../src/domain/json.js';
import type { PaidSession, PaidSessionOptions, PublishedRoute } from '../src/sessions/index.js';

/** Test USDC on Base Sepolia and a test dollar on Tempo; nobody holds the payee's key, nothing ever reaches a chain. */
const OFFER = {
  asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
  decimals: 6,
  network: 'eip155:84532',
  payTo: '0xde30000000000000000000000000000000000402',
  protocols: [
    'atxp',
    'x402',
    { protocol: 'mpp', network: 'eip155:42431', asset: '0x20c0000000000000000000000000000000000001' },
  ],
} as const satisfies PaidSessionOptions;

/** What is closed and topped up comes by POST, so the route takes every method. */
const CHANNEL = { ...OFFER, protocols: ['tempo'] } as const satisfies PaidSessionOptions;

/** 0.01 USDC. */
const PRICE = 10_000n;
/** 0.001 USDC. */
const STEP = 1_000n;
const MAX_STEPS = 50;
/** Apart enough that a reader sees them come, close enough that nobody waits. */
const TICK_MS = 50;

/**
 * Four paid routes to try the product on: `/demo/fixed` costs 0.01 USDC; `/demo/metered?n=3` costs 0.001 a step and
 * `/demo/stream?n=3` 0.001 a tick (server-sent events), both under a cap of 0.01. `/demo/channel` costs 0.01 too, paid from an MPP channel.
 * The middleware is handed in because the sandbox does not assemble it.
 *
 * @returns where they are, for those who describe them
 */
export function mountDemoRoutes(app: Express, paidSession: PaidSession): readonly PublishedRoute[] {
  app.use('/demo', paidSession.cors());
  const fixed = paidSession({ ...OFFER, price: PRICE });
  const metered = paidSession({ ...OFFER, cap: PRICE });
  const channel = paidSession({ ...CHANNEL, price: PRICE });

  app.get('/demo/fixed', fixed, (req, res) => {
    req.paymentSession?.charge(PRICE);
    res.json({ joke: 'An idempotent request walks into a bar. An idempotent request walks into a bar.' });
  });
  app.get('/demo/metered', metered, (req, res) => {
    const asked = stepsOf(req);
    const done = Array.from({ length: asked }, () => req.paymentSession?.charge(STEP) === true).filter(Boolean).length;
    res.json({ asked, done, stopped: done < asked ? 'the cap of the payment is reached' : undefined });
  });
  app.all('/demo/channel', channel, (req, res) => {
    req.paymentSession?.charge(PRICE);
    res.json({ joke: 'How many vouchers does it take to pay for a joke? One. The last one.' });
  });
  app.get('/demo/stream', metered, (req, res) => stream(req, res));

  return [
    demo('/demo/fixed', fixed, 'A joke.'),
    demo('/demo/metered', metered, 'Steps, each of which is charged for.', STEPS),
    demo('/demo/stream', metered, 'Ticks, each of which is charged for, as server-sent events.', STEPS),
    demo('/demo/channel', channel, 'A joke, paid from an MPP channel.'),
  ];
}

/** The most steps or ticks that are asked for, `n`. */
const STEPS = [
  { name: 'n', in: 'query', required: false, schema: { type: 'integer', minimum: 0, maximum: MAX_STEPS, default: 3 } },
];

const demo = (
  path: string,
  paid: PublishedRoute['paid'],
  summary: string,
  parameters: readonly JsonObject[] = [],
): PublishedRoute => ({
  method: 'GET',
  path,
  paid,
  operation: { operationId: path.slice(1).replace('/', '-'), tags: ['demo'], summary, security: [], parameters },
});

async function stream(req: Request, res: Response): Promise<void> {
  res.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' }).flushHeaders();
  for (let tick = 1; tick <= stepsOf(req) && !res.destroyed; tick += 1) {
    if (req.paymentSession?.charge(STEP) !== true) {
      res.write('event: end\ndata: the cap of the payment is reached\n\n');
      break;
    }
    res.write(`event: tick\ndata: ${tick}\n\n`);
    await wait(TICK_MS);
  }
  res.end();
}

/** `?n=`: 3 where it is absent or no number between 0 and 50. */
function stepsOf(req: Request): number {
  const steps = Number(req.query.n ?? 3);
  return Number.isInteger(steps) && steps >= 0 && steps <= MAX_STEPS ? steps : 3;
}
