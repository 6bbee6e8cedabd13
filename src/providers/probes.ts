import { hyperswitchAccountInWords, type ProviderProbe, stripeAccountInWords } from '../domain/doctor/providers.js';
import type { JsonObject } from '../domain/json.js';
import { isObject } from '../protocols/wire-json.js';
import { type HttpCall, httpCall } from './http-call.js';
import { jsonObject, textOf } from './reply.js';

/** One harmless read of each provider, for whoever asks how it is; each is given up after `timeoutMs`. */
export interface ProbeSettings {
  readonly timeoutMs: number;
  readonly authServer: { readonly url: string } | undefined;
  readonly stripe: { readonly secretKey: string; readonly apiBase: string | undefined } | undefined;
  readonly hyperswitch: { readonly baseUrl: string; readonly apiKey: string } | undefined;
  readonly tempo: { readonly rpcUrl: string; readonly chainId: number } | undefined;
  /** A payment that Hyperswitch is known to hold: it tells whose key it is. Null: there is none yet. */
  readonly knownPayment: string | null;
}

const STRIPE = 'https://api.stripe.com';

export async function probeProviders(settings: ProbeSettings): Promise<readonly ProviderProbe[]> {
  const { timeoutMs, authServer, stripe, hyperswitch, tempo, knownPayment } = settings;
  return await Promise.all([
    ...(authServer ? [probeAuthServer(authServer, timeoutMs)] : []),
    ...(stripe ? [probeStripe(stripe, timeoutMs)] : []),
    ...(hyperswitch ? [probeHyperswitch(hyperswitch, knownPayment, timeoutMs)] : []),
    ...(tempo ? [probeChain(tempo, timeoutMs)] : []),
  ]);
}

type Provider = ProviderProbe['provider'];
/** Of an answer in JSON with this status: how it is; undefined: not as this provider answers. */
type Judge = (status: number, body: JsonObject) => (Pick<ProviderProbe, 'detail'> & Partial<ProviderProbe>) | undefined;

async function probe(provider: Provider, call: HttpCall, judge: Judge): Promise<ProviderProbe> {
  let date: string | null = null;
  const reply = await httpCall(async (...request) => {
    const response = await fetch(...request);
    date = response.headers.get('date');
    return response;
  }, call);
  const told = Date.parse(date ?? '');
  const seen = { provider, itsClockMs: Number.isNaN(told) ? null : told, atMs: Date.now(), account: null };
  if (reply.kind === 'failed')
    return {
      ...seen,
      outcome: reply.why === 'unreadable' ? 'strange' : 'no_answer',
      detail:
        reply.why === 'no_answer'
          ? `given up: no answer within ${call.timeoutMs / 1_000} s`
          : `no answer: ${reply.why}`,
    };
  if (reply.status === 401 || reply.status === 403)
    return { ...seen, outcome: 'refused', detail: `answers ${reply.status}: the key is not let in` };
  const body = jsonObject(reply.body);
  const judged = body && judge(reply.status, body);
  return judged
    ? { ...seen, outcome: 'well', ...judged }
    : { ...seen, outcome: 'strange', detail: `answers ${reply.status}, and not as we know it` };
}

const at = (base: string, path: string): string => base.replace(/\/+$/, '') + path;

const probeAuthServer = ({ url }: { url: string }, timeoutMs: number): Promise<ProviderProbe> =>
  probe(
    'auth-server',
    { url: at(url, '/x402/supported'), method: 'GET', headers: { accept: 'application/json' }, timeoutMs },
    (status) => (status === 200 ? { detail: 'answers what it supports' } : undefined),
  );

async function probeStripe(
  { secretKey, apiBase = STRIPE }: { secretKey: string; apiBase: string | undefined },
  timeoutMs: number,
): Promise<ProviderProbe> {
  const read = (path: string, judge: Judge) =>
    probe(
      'stripe',
      { url: at(apiBase, path), method: 'GET', headers: { authorization: `Bearer ${secretKey}` }, timeoutMs },
      judge,
    );
  let livemode = false;
  const balance = await read('/v1/balance', (status, body) => {
    if (status !== 200 || body['object'] !== 'balance') return undefined;
    livemode = body['livemode'] === true;
    return { detail: 'answers' };
  });
  if (balance.outcome !== 'well') return balance;
  return await read('/v1/account', (status, body) =>
    status === 200 && body['object'] === 'account'
      ? {
          detail: 'answers, and lets our key in',
          account: stripeAccountInWords(textOf(body['id']), livemode),
          automaticPayouts: paysOutByItself(body),
        }
      : undefined,
  );
}

function paysOutByItself({ settings }: JsonObject): boolean {
  const payouts = isObject(settings) ? settings['payouts'] : undefined;
  const schedule = isObject(payouts) ? payouts['schedule'] : undefined;
  const interval = isObject(schedule) ? textOf(schedule['interval']) : '';
  return interval !== '' && interval !== 'manual';
}

/** Nothing is called this: the answer shows that the key is let in, and nothing else. */
const NO_PAYMENT = 'pay_makegood_doctor';

const probeHyperswitch = (
  { baseUrl, apiKey }: { baseUrl: string; apiKey: string },
  knownPayment: string | null,
  timeoutMs: number,
): Promise<ProviderProbe> =>
  probe(
    'hyperswitch',
    {
      url: at(baseUrl, `/payments/${encodeURIComponent(knownPayment ?? NO_PAYMENT)}`),
      method: 'GET',
      headers: { accept: 'application/json', 'api-key': apiKey },
      timeoutMs,
    },
    (status, body) => {
      if (status === 200 && textOf(body['merchant_id']) !== '') {
        const profile = textOf(body['profile_id']);
        return {
          detail: 'answers, and lets our key in',
          account: hyperswitchAccountInWords(textOf(body['merchant_id']), profile === '' ? null : profile),
        };
      }
      if (status !== 404 || !isObject(body['error'])) return undefined;
      return knownPayment === null
        ? { detail: 'answers, and lets our key in; whose it is shows with the first payment' }
        : { outcome: 'strange', detail: `does not know ${knownPayment}, which it had: another merchant's key` };
    },
  );

const probeChain = (
  { rpcUrl, chainId }: { rpcUrl: string; chainId: number },
  timeoutMs: number,
): Promise<ProviderProbe> =>
  probe(
    'chain',
    {
      url: rpcUrl,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }),
      timeoutMs,
    },
    (status, { result }) => {
      const told = Number(textOf(result) || Number.NaN);
      if (status !== 200 || Number.isNaN(told)) return undefined;
      return told === chainId
        ? { detail: `answers for chain ${chainId}` }
        : { outcome: 'strange', detail: `answers for chain ${told}, and TEMPO_CHAIN_ID is ${chainId}` };
    },
  );
