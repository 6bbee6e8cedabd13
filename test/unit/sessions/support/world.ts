import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttp2Server, createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { payerAccount } from '../../../../sandbox/payer/account.js';
import { readOffers } from '../../../../sandbox/payer/challenge.js';
import type { PaymentCredential } from '../../../../sandbox/payer/credential.js';
import { answerOffers, type PayOptions } from '../../../../sandbox/payer/pay.js';
import type { SettlementId } from '../../../../src/domain/ids.js';
import type { JsonObject } from '../../../../src/domain/json.js';
import type { Protocol } from '../../../../src/domain/settlements/settlement-status.js';
import {
  createPaidSessions,
  type PaidSessionOptions,
  type PaidSessions,
  type SessionSettings,
} from '../../../../src/sessions/index.js';
import type { SupportedSchemes } from '../../../../src/sessions/offers/offers.js';
import { ask } from './ask.js';
import { expressOverHttp2 } from './express-over-http2.js';
import { FakeLedger } from './fake-ledger.js';
import { TLS } from './tls.js';

export const ASSET = '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913';
export const PAYEE = '0x209693Bc6afc0C5328bA36FaF03C514EF312287C';
export const FACILITATOR = '0xFAC11174700123456789012345678901234aBCDe';
export const ESCROW = '0x4d50500000000000000000000000000000000000';
const TEMPO = 'eip155:42431';

/** Sold whole for 0.01 of the asset. */
export const FIXED: PaidSessionOptions = {
  price: '10000',
  asset: ASSET,
  decimals: 6,
  payTo: PAYEE,
  network: 'eip155:8453',
  protocols: ['atxp', 'x402', { protocol: 'mpp', network: TEMPO, asset: ASSET }],
};
/** Metered up to 0.1 of the asset. */
export const METERED: PaidSessionOptions = { ...FIXED, price: undefined, cap: '100000' };

export interface Verify {
  readonly protocol: Protocol;
  readonly body: string;
}

/** An auth server that answers in one way at a time. */
export class FakeAuthServer {
  readonly verified: Verify[] = [];
  verifies: 'valid' | 'invalid' | 'unreachable' = 'valid';
  /** The account that it names. */
  payer: string | null = null;
  down = false;
  requests = 0;
  supportedSchemes: SupportedSchemes = {
    x402: { 'eip155:8453': FACILITATOR },
    mpp: { tempo: { escrowContract: ESCROW, operator: FACILITATOR, chainId: 42431 } },
  };

  async verify(protocol: Protocol, call: { body: string }) {
    this.verified.push({ protocol, body: call.body });
    if (this.down || this.verifies === 'unreachable')
      return { kind: 'unreachable' as const, detail: 'auth server answered 503' };
    return this.verifies === 'valid'
      ? { kind: 'valid' as const, payer: this.payer }
      : { kind: 'invalid' as const, detail: 'auth server answered 402' };
  }

  /** The options of each payment request that it was asked for. */
  readonly asked: (readonly JsonObject[])[] = [];

  async createPaymentRequest({ options }: { readonly options: readonly JsonObject[] }) {
    this.asked.push(options);
    if (this.down) return { kind: 'unavailable' as const, detail: 'no connection' };
    this.requests += 1;
    return { kind: 'created' as const, id: `request-${this.requests}` };
  }

  async supported(): Promise<SupportedSchemes> {
    return this.down ? { x402: {}, mpp: {} } : this.supportedSchemes;
  }
}

export interface World {
  readonly url: string;
  readonly ledger: FakeLedger;
  readonly auth: FakeAuthServer;
  readonly dispatched: SettlementId[];
  readonly logged: string[];
  settleNow: (id: SettlementId) => Promise<'settled' | 'refused' | 'unknown'>;
  /** Moves wall clock and nothing else. */
  readonly clock: { ms: number; nowMs(): number };
  /** A credential for what the 402 of `path` offers now. */
  credential(pay?: Partial<PayOptions>, path?: string): Promise<PaymentCredential>;
  /** Asks with a credential; pays for it first when none is given. */
  buy(
    pay?: Partial<PayOptions> & { credential?: PaymentCredential; path?: string; method?: string },
  ): Promise<globalThis.Response>;
  close(): Promise<void>;
}

const SETTINGS: SessionSettings = {
  credentialValidityMs: 3_600_000,
  minRetryWindowMs: 120_000,
  checkpointIntervalMs: 60_000,
  checkpointAmount: 10_000n,
  unknownCommitMs: 300,
  challengePatienceMs: 5_000,
};

export interface WorldOptions {
  readonly sells?: PaidSessionOptions;
  readonly settings?: Partial<SessionSettings>;
  readonly publicUrl?: string;
  readonly before?: readonly RequestHandler[];
  /** Between the paid route and its handler. */
  readonly after?: readonly RequestHandler[];
  /** Serves HTTP/2 without TLS; `tls`: with it, and HTTP/1.1 on the same port. */
  readonly http2?: boolean | 'tls';
  readonly onError?: express.ErrorRequestHandler;
  /** Why responses cannot be held back here. */
  readonly nodeProblem?: string;
  readonly mount?: (app: express.Express, paid: PaidSessions['paidSession']) => void;
}

const answerWith500: express.ErrorRequestHandler = (error: Error, _req, res, next) => {
  if (res.headersSent) return next(error);
  res.status(500).json({ error: error.message });
};

export type Handler = (req: Request, res: Response) => void | Promise<void> | Response;

/** A server that sells `/paid`, over real HTTP, on a ledger and an auth server of the test's making. */
export async function sell(handler: Handler, options: WorldOptions = {}): Promise<World> {
  const ledger = new FakeLedger();
  const auth = new FakeAuthServer();
  const dispatched: SettlementId[] = [];
  const logged: string[] = [];
  const clock = { ms: Date.now(), nowMs: () => clock.ms };
  const note = (fields: object, message: string) => logged.push(`${message} ${JSON.stringify(fields)}`);
  const sessions = createPaidSessions({
    ledger,
    authServer: auth,
    authServerUrl: 'https://auth.example',
    settings: { ...SETTINGS, ...options.settings },
    secrets: { mpp: 'a secret of at least thirty-two characters', requestIds: 'another secret' },
    holder: 'test',
    publicUrl: options.publicUrl,
    clock,
    log: { warn: note, error: note },
    settleNow: (id) => world.settleNow(id),
    dispatch: (id) => dispatched.push(id),
    ...('nodeProblem' in options && { nodeProblem: () => Promise.resolve(options.nodeProblem) }),
  });
  await sessions.start();
  const app = express();
  for (const middleware of options.before ?? []) app.use(middleware);
  app.all('/paid', sessions.paidSession(options.sells ?? FIXED), ...(options.after ?? []), (req, res) =>
    handler(req, res),
  );
  options.mount?.(app, sessions.paidSession);
  app.use(options.onError ?? answerWith500);
  app.set('env', 'test');
  const server = serverOf(app, options.http2 ?? false);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http${options.http2 === 'tls' ? 's' : ''}://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const world: World = {
    url,
    ledger,
    auth,
    dispatched,
    logged,
    clock,
    settleNow: () => Promise.resolve('settled'),
    async credential(pay = {}, path = '/paid') {
      const offers = await readOffers(
        await challengeAt(url + path, options.http2 !== undefined && options.http2 !== false),
      );
      return answerOffers(offers, { protocol: 'x402', account: payerAccount('alice'), nowMs: clock.ms, ...pay });
    },
    async buy({ credential, path = '/paid', method = 'GET', ...pay } = {}) {
      const { headers } = credential ?? (await world.credential(pay, path));
      return fetch(url + path, { headers, method });
    },
    async close() {
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
      await sessions.stop();
    },
  };
  return world;
}

function serverOf(app: express.Express, http2: boolean | 'tls') {
  if (http2 === 'tls') return createSecureServer({ ...TLS, allowHTTP1: true }, expressOverHttp2(app));
  return http2 ? createHttp2Server(expressOverHttp2(app)) : createServer(app);
}

async function challengeAt(url: string, http2: boolean): Promise<globalThis.Response> {
  if (!http2) return fetch(url);
  const { status, headers, body } = await ask(url, { http2 });
  const fields = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    name.startsWith(':') ? [] : [[name, String(value)]],
  );
  return new globalThis.Response(new Uint8Array(body), { status, headers: fields });
}

/** Resolves as soon as `holds`, looking again at every turn of the event loop. */
export async function eventually(holds: () => boolean): Promise<void> {
  const until = performance.now() + 4_000;
  while (!holds()) {
    if (performance.now() > until) throw new Error('it did not come true within 4 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** JSON that a test looks into: it states what it expects by looking. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Loose = any;
export const jsonOf = (answer: globalThis.Response): Promise<Loose> => answer.json();

/** Stands in until a handler puts its own in place. */
export const nothing = (): void => {};
