import { setTimeout as wait } from 'node:timers/promises';
import type { Express, Request, RequestHandler, Response } from 'express';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { pay } from '../../../sandbox/payer/pay.js';
import type { PaidSessionOptions, PaidSessions } from '../../../src/sessions/index.js';
import { IN_USDC } from '../../support/sessions/offers.js';
import { type Charge, had, RELEASED } from './shop.js';

/** One kind of answer, and what it costs. */
export interface AnswerKind {
  readonly kind: 'buffered' | 'streamed' | 'settled first' | 'failed';
  readonly protocol: 'x402' | 'atxp';
  readonly sells: PaidSessionOptions;
  readonly serve: (req: Request, res: Response) => unknown;
  readonly status: number;
  readonly charge: Partial<Charge>;
}

const FIXED = { ...IN_USDC, price: '10000', protocols: ['x402'] } as const;
const report = { report: 'what is sold, '.repeat(200) };

const whole = (req: Request, res: Response) => {
  req.paymentSession?.charge('10000');
  res.json(report);
};

/** Three pieces, each for a charge of its own, as a browser reads events. */
async function stream(req: Request, res: Response): Promise<void> {
  res.set('Content-Type', 'text/event-stream').flushHeaders();
  for (let tick = 1; tick <= 3; tick += 1) {
    req.paymentSession?.charge('1000');
    res.write(`data: ${tick}\n\n`);
    await wait(2);
  }
  res.end();
}

export const ANSWERS: readonly AnswerKind[] = [
  { kind: 'buffered', protocol: 'x402', sells: FIXED, serve: whole, status: 200, charge: had('10000') },
  {
    kind: 'streamed',
    protocol: 'atxp',
    sells: { ...IN_USDC, cap: '10000', protocols: ['atxp'], streamed: true },
    serve: stream,
    status: 200,
    charge: had('3000'),
  },
  {
    kind: 'settled first',
    protocol: 'x402',
    sells: { ...FIXED, settle: 'before-release' },
    serve: whole,
    status: 200,
    charge: { status: 'settled', spent: '10000', delivery: 'delivered' },
  },
  {
    kind: 'failed',
    protocol: 'x402',
    sells: FIXED,
    serve(req, res) {
      req.paymentSession?.charge('10000');
      res.status(404).json({ error: 'no such report' });
    },
    status: 404,
    charge: RELEASED,
  },
];

export const pathOf = (chain: string, { kind }: AnswerKind): string => `/${chain}/${kind.replace(' ', '-')}`;

/** Every kind of answer behind these layers, at `/<chain>/<kind>`, and the same with nobody who sells it at `/free/<chain>/<kind>`. */
export function mountAnswers(
  { app, sessions }: { readonly app: Express; readonly sessions: PaidSessions },
  chain: string,
  layers: { readonly before?: readonly RequestHandler[]; readonly after?: readonly RequestHandler[] },
): void {
  const { before = [], after = [] } = layers;
  for (const answer of ANSWERS) {
    const path = pathOf(chain, answer);
    app.get(path, ...before, sessions.paidSession(answer.sells), ...after, (req, res) => answer.serve(req, res));
    app.get(`/free${path}`, ...before, ...after, (req, res) => answer.serve(req, res));
  }
}

/** What a client has of an answer that could differ. */
export interface Had {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export async function read(response: globalThis.Response): Promise<Had> {
  const { status, headers } = response;
  return { status, headers, body: await response.text() };
}

/** Pays for one answer as somebody of whom nobody has heard. */
export async function buy(url: string, { protocol }: Pick<AnswerKind, 'protocol'>, init?: RequestInit): Promise<Had> {
  const answer = await pay(url, { protocol, account: payerAccount(`buys ${url}`), ...(init && { init }) });
  return await read(answer);
}
