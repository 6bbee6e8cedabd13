import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import express from 'express';
import type { PaymentCredential } from '../../../../sandbox/payer/credential.js';
import type { PaidSessionOptions } from '../../../../src/sessions/index.js';
import { named } from '../../../support/sessions/naming.js';
import { type Asked, ask, decoded } from './ask.js';
import type { Layers } from './compressions.js';
import { expressOverHttp2 } from './express-over-http2.js';
import { CHARGE, HANDLER_FORMS, type HandlerForm, seen } from './handler-forms.js';
import { FIXED, METERED, sell, type World } from './world.js';

export interface RouteForm {
  readonly name: string;
  readonly sells: PaidSessionOptions;
  readonly protocol: 'x402' | 'atxp';
  /** What one charge of a handler costs. */
  readonly bills: bigint;
  /** How far a stream may run ahead of the ledger. */
  readonly checkpointAmount: bigint;
}

/** Whatever is written in one go is kept. */
const KEEPING: PaidSessionOptions = { ...FIXED, replay: { bytes: '1MiB' } };

export const ROUTE_FORMS: readonly RouteForm[] = [
  { name: 'price', sells: KEEPING, protocol: 'x402', bills: 10_000n, checkpointAmount: 10_000n },
  {
    name: 'cap',
    sells: { ...METERED, replay: { bytes: '1MiB' } },
    protocol: 'x402',
    bills: CHARGE,
    checkpointAmount: 1_000n,
  },
  {
    name: 'streamed',
    sells: { ...METERED, streamed: true, replay: { bytes: '1MiB' } },
    protocol: 'x402',
    bills: CHARGE,
    checkpointAmount: 10_000n,
  },
  {
    name: 'before-release',
    sells: { ...KEEPING, settle: 'before-release' },
    protocol: 'x402',
    bills: 10_000n,
    checkpointAmount: 10_000n,
  },
];

/** `charge`: from the first commit on; `close`: from the second on, where there is one. */
export const LOSSES = ['never', 'open', 'charge', 'close'] as const;
export type Loss = (typeof LOSSES)[number];

export interface Place {
  readonly route: RouteForm;
  readonly layers: Layers;
  readonly http2: boolean;
}

/** Answers of the same handlers when nobody sells them. */
async function unsold({ layers, http2 }: Place): Promise<Map<string, Asked>> {
  const app = express();
  app.set('env', 'test');
  for (const middleware of layers.before) app.use(middleware);
  app.all('/paid', ...layers.after, (req, res, next) => formOf(req.query.form).serve(req, res, next));
  app.use(onError);
  const server = http2 ? createHttp2Server(expressOverHttp2(app)) : createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answers = await Promise.all(
    HANDLER_FORMS.map(
      async (form) => [form.name, await askFor(url, form, { 'X-Visit': randomUUID() }, http2)] as const,
    ),
  );
  server.close();
  return new Map(answers);
}

/** Every handler at one place, with the ledger there and lost; @returns what is wrong, by handler */
export async function walk(place: Place): Promise<Map<string, string[]>> {
  const { route, layers, http2 } = place;
  const expected = await unsold(place);
  const found = new Map<string, string[]>();
  const world = await sell(
    (req, res) => formOf(req.query.form).serve(req, res, req.next ?? (() => undefined)) as void,
    {
      sells: route.sells,
      before: layers.before,
      after: layers.after,
      http2,
      settings: { checkpointAmount: route.checkpointAmount, unknownCommitMs: 25 },
      onError,
    },
  );
  try {
    for (const form of HANDLER_FORMS) {
      const wrong: string[] = [];
      for (const loss of LOSSES) {
        const why = await judge(world, place, form, loss, expected.get(form.name)).catch(String);
        if (why !== undefined) wrong.push(`ledger lost ${loss}: ${why}`);
      }
      found.set(form.name, wrong);
    }
  } finally {
    await world.close();
  }
  return found;
}

async function judge(
  world: World,
  { route, layers, http2 }: Place,
  form: HandlerForm,
  loss: Loss,
  unpaid: Asked | undefined,
): Promise<string | undefined> {
  const path = `/paid?form=${encodeURIComponent(form.name)}`;
  const unnamed = await world.credential({ protocol: route.protocol }, path);
  const credential = route.protocol === 'x402' ? named(unnamed) : unnamed;
  const { ledger } = world;
  ledger.rows.clear();
  ledger.commits.length = 0;
  if (loss === 'open') ledger.openAnswers.push('reject');
  ledger.lostFrom = loss === 'charge' ? 1 : loss === 'close' ? 2 : undefined;
  const visit: Record<string, string> = route.name === 'before-release' ? {} : { 'X-Visit': randomUUID() };
  const answer = await askFor(world.url + path, form, { ...credential.headers, ...visit }, http2);
  const sold = await outcome(world, loss);
  const lost = ledger.lostFrom !== undefined && ledger.commits.length >= ledger.lostFrom;
  ledger.lostFrom = undefined;
  if (answer === HUNG) return 'it never ended';
  if (loss === 'open') return answer.status === 503 ? undefined : `${answer.status} instead of 503`;
  const costs = form.costs === 'charged' ? route.bills : 0n;
  if (lost) return judgeLost(route, form, answer, { sold, costs }, unpaid);
  const nothingLeft = form.cut !== undefined && route.name === 'before-release';
  const due = nothingLeft ? 0n : costs;
  if (sold !== due) return `billed ${sold} instead of ${due}`;
  if (form.cut === 'client') return answer.whole ? 'whole, though its client left' : undefined;
  if (nothingLeft) return answer.body.length > 0 ? 'bytes left' : undefined;
  const isFinal = route.name === 'before-release' && due > 0n;
  if (isFinal !== (answer.headers['payment-response'] !== undefined)) return isFinal ? 'no receipt' : 'a receipt';
  // What compresses above the gate writes what it has, and ends later.
  const streams = form.streams === true || layers.after.length > 0;
  const asked = { path, credential, http2, streams };
  return difference(answer, unpaid) ?? (await judgeAgain(world, form, asked, unpaid));
}

/** What was paid for under a name is had again, as it was; what was a stream is not, and nothing is made or charged anew. */
async function judgeAgain(
  { url, ledger }: World,
  form: HandlerForm,
  {
    path,
    credential,
    http2,
    streams,
  }: { path: string; credential: Pick<PaymentCredential, 'headers'>; http2: boolean; streams: boolean },
  unpaid: Asked | undefined,
): Promise<string | undefined> {
  const [row] = ledger.rows.values();
  if (row?.session.named === undefined || row.status === 'released' || form.cut !== undefined) return undefined;
  // As the auth server says in time.
  if (row.answer !== null) row.status = 'settled';
  const again = await ask(url + path, {
    headers: { 'accept-encoding': 'gzip', ...credential.headers, ...form.headers },
    http2,
  });
  if (ledger.rows.size > 1) return 'charged once more';
  if (again.status === 409) return streams ? undefined : 'not had again';
  // Whole from the start: it has a length, and no trailers.
  const { 'content-length': length } = again.headers;
  const whole = unpaid && { ...unpaid, headers: { ...unpaid.headers, 'content-length': length }, trailers: {} };
  const wrong = difference(again, whole);
  return wrong && `had again with ${wrong}`;
}

/** Nothing protected leaves without its charge, except what a stream may run ahead; a free answer arrives all the same. */
function judgeLost(
  route: RouteForm,
  form: HandlerForm,
  answer: Asked,
  { sold, costs }: { sold: bigint; costs: bigint },
  unpaid: Asked | undefined,
): string | undefined {
  if (costs === 0n) return sold === 0n ? difference(answer, unpaid) : `billed ${sold} for nothing`;
  if (sold !== 0n && sold !== costs) return `billed ${sold} instead of ${costs} or nothing`;
  if (sold === costs) return undefined;
  const mayRunAhead = route.name === 'streamed';
  // A handler that breaks off itself ends as it would if nobody sold it.
  if (answer.whole && form.cut === undefined) return 'whole without its charge';
  return answer.body.length > 0 && !mayRunAhead ? `${answer.body.length} bytes left without their charge` : undefined;
}

/** What the ledger holds once everything is over. */
async function outcome({ ledger }: World, loss: Loss): Promise<bigint> {
  if (loss === 'open') return 0n;
  const lost = () => ledger.lostFrom !== undefined && ledger.commits.length >= ledger.lostFrom;
  const over = () => ledger.rows.size === 1 && (lost() || ledger.only().status !== 'open');
  for (let looked = 0; !over(); looked += 1) {
    if (looked === 10_000) throw new Error('the session never ended');
    await wait(1);
  }
  return ledger.only().spent;
}

function difference(answer: Asked, unpaid: Asked | undefined): string | undefined {
  if (unpaid === undefined) return 'nothing to compare with';
  if (answer.status !== unpaid.status) return `status ${answer.status} instead of ${unpaid.status}`;
  if (answer.whole !== unpaid.whole) return answer.whole ? 'whole instead of cut off' : 'cut off';
  for (const name of [
    'content-type',
    'content-encoding',
    'content-length',
    'content-range',
    'location',
    'etag',
    'x-list',
  ]) {
    const [is, should] = [answer.headers[name], unpaid.headers[name]];
    if (String(is) !== String(should)) return `${name}: ${String(is)} instead of ${String(should)}`;
  }
  if (JSON.stringify(answer.trailers) !== JSON.stringify(unpaid.trailers)) return 'other trailers';
  const [is, should] = [decoded(answer), decoded(unpaid)];
  // Cut off in the middle of what was compressed.
  if (!answer.whole || (is === undefined && should === undefined)) return undefined;
  if (is === undefined) return `the body is not ${answer.headers['content-encoding']}`;
  return should !== undefined && is.equals(should) ? undefined : `${is.length} other bytes`;
}

async function askFor(
  url: string,
  form: HandlerForm,
  headers: Readonly<Record<string, string>>,
  http2: boolean,
): Promise<Asked> {
  const path = url.includes('?') ? url : `${url}/paid?form=${encodeURIComponent(form.name)}`;
  const leaving = new AbortController();
  const asking = ask(path, {
    headers: { 'accept-encoding': 'gzip', ...headers, ...form.headers },
    http2,
    signal: leaving.signal,
    onFirstByte: (status) => {
      if (form.cut === 'client' && status === 200) leaving.abort();
      seen.emit(headers['X-Visit'] ?? '');
    },
  });
  return Promise.race([asking, hung()]);
}

const HUNG: Asked = { status: -1, headers: {}, body: Buffer.alloc(0), whole: false, trailers: {} };
const hung = (): Promise<Asked> => wait(30_000, HUNG, { ref: false });

const formOf = (name: unknown): HandlerForm => {
  const form = HANDLER_FORMS.find((one) => one.name === name);
  if (form === undefined) throw new Error(`there is no form ${String(name)}`);
  return form;
};

const onError: express.ErrorRequestHandler = (error: Error & { status?: number }, _req, res, next) => {
  if (res.headersSent) return next(error);
  res.status(error.status ?? 500).json({ error: 'broken' });
};
