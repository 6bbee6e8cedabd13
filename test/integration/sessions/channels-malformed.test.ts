import { Credential } from 'mppx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTempoSandbox, type TempoSandbox } from '../../../sandbox/tempo/start.js';
import { credentialOf, type OpenedPayer, openPayer, paying } from '../../support/channels/channel-payer.js';
import { type ChannelShop, PRICE, SOLD, startChannelShop } from '../../support/channels/channel-shop.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { until } from '../../support/until.js';

let chain: TempoSandbox;
let store: TestLedger;
let shop: ChannelShop;
let payer: OpenedPayer;
let served = 0;
/** One credential of each kind that would be accepted as it is; none of them is ever sent so. */
let good: Record<Kind, string>;

const KINDS = ['voucher', 'close', 'open', 'topUp'] as const;
type Kind = (typeof KINDS)[number];

beforeAll(async () => {
  [chain, store] = await Promise.all([startTempoSandbox(), openTestLedger()]);
  shop = await startChannelShop(store, {
    chainUrl: chain.url,
    mount: (app, sessions) =>
      app.all('/small', sessions.paidSession({ ...SOLD, suggestedDeposit: PRICE }), (req, res) => {
        served += 1;
        req.paymentSession?.charge(PRICE);
        res.json({ ok: true });
      }),
  });
  const url = `${shop.url}/small`;
  payer = await openPayer(chain.url, url);
  const challenge = await payer.challenge(url);
  good = {
    // Cold: never presented, and within the deposit.
    voucher: await payer.voucher(challenge, PRICE - 1n),
    close: await payer.voucher(challenge, PRICE, 'close'),
    open: '',
    topUp: '',
  };
});
afterAll(async () => {
  await shop.stop();
  await Promise.all([chain.close(), store.dispose()]);
});

const TABLES = ['channels', 'channel_requests', 'channel_vouchers', 'atomic_store', 'settlements', 'payment_sessions'];
async function everything(): Promise<unknown> {
  // What became of an earlier response is noted a moment after it.
  await until(
    'every delivery is noted',
    async () => {
      const unknown = await store.database.query(`SELECT 1 FROM channel_requests WHERE delivery = 'unknown'`);
      return unknown.length === 0;
    },
    { limitMs: 5_000 },
  );
  const dumps = await Promise.all(
    TABLES.map(async (table) => store.database.query(`SELECT * FROM ${table} AS t ORDER BY t::text`)),
  );
  return [dumps, chain.ledger(), served];
}

type Json = { [key: string]: unknown };

/** Every leaf and inner object of a credential as it is on the wire, the request of the challenge decoded. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    ...(path.length > 0 ? [path] : []),
    ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key])),
  ];
}

const decoded = (credential: string): Json => {
  const content = JSON.parse(Buffer.from(credential.replace(/^Payment /, ''), 'base64url').toString()) as Json;
  const challenge = content.challenge as Json;
  const request: unknown = JSON.parse(Buffer.from(String(challenge.request), 'base64url').toString());
  return { ...content, challenge: { ...challenge, request } };
};

const encoded = (content: Json): string => {
  const challenge = content.challenge as Json | undefined;
  const request = challenge?.request;
  const wire =
    typeof request === 'object' && request !== null
      ? { ...content, challenge: { ...challenge, request: Buffer.from(JSON.stringify(request)).toString('base64url') } }
      : content;
  return `Payment ${Buffer.from(JSON.stringify(wire)).toString('base64url')}`;
};

function changed(content: Json, path: readonly string[], to: unknown): Json {
  const copy = structuredClone(content);
  let at: Json = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Json;
  const last = path.at(-1) ?? '';
  if (to === undefined) delete at[last];
  else at[last] = to;
  return copy;
}

const at = (content: Json, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Json)[key], content);

/** Nothing, another type, empty, too high, too low, too long, not a number, and the same with one digit changed. */
function wrongValues(now: unknown): unknown[] {
  const always = [
    undefined,
    null,
    '',
    'x',
    7,
    -1,
    true,
    [],
    {},
    ['a'],
    { a: 1 },
    '9'.repeat(80),
    '-1',
    '1e3',
    '0x',
    `0x${'f'.repeat(64)}`,
  ];
  const flipped = typeof now === 'string' && now.length > 0 ? [flip(now)] : [];
  return [...always, ...flipped].filter((value) => JSON.stringify(value) !== JSON.stringify(now));
}

function flip(text: string): string {
  const last = text.at(-1) ?? '';
  return text.slice(0, -1) + (last === '0' ? '1' : '0');
}

/** What changes nothing: mppx' codecs do not read it, or it says the same. */
const HARMLESS: readonly string[] = ['payload.authorizedSigner'];

describe.each(KINDS)('a %s', (kind) => {
  beforeAll(async () => {
    // The transactions of the payer are valid for half a minute only.
    if (kind === 'open' || kind === 'topUp')
      good = { ...good, [kind]: await credentialOf(chain.url, `${shop.url}/small`, kind) };
  });

  it('that is malformed in any of its fields is refused in a problem document, and changes nothing', async () => {
    const content = decoded(good[kind]);
    const before = await everything();
    const url = `${shop.url}/small`;
    const wrong: string[] = [];
    for (const path of pathsOf(content).filter((one) => !HARMLESS.includes(one.join('.')))) {
      for (const value of wrongValues(at(content, path))) {
        if (path.join('.') === 'source' && value === undefined && kind !== 'voucher') continue;
        const response = await paying(url, encoded(changed(content, path, value)), { method: 'POST' });
        const text = await response.text();
        const problem = (text.startsWith('{') ? JSON.parse(text) : {}) as Json;
        const clear =
          [402, 410].includes(response.status) &&
          response.headers.get('content-type')?.startsWith('application/problem+json') === true &&
          String(problem.type).startsWith('https://paymentauth.org/problems/') &&
          ['title', 'detail', 'code'].every((name) => typeof problem[name] === 'string') &&
          problem.status === response.status &&
          (response.status === 410 || response.headers.has('www-authenticate'));
        if (!clear)
          wrong.push(`${path.join('.')} = ${JSON.stringify(value)}: ${response.status} ${text.slice(0, 200)}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(await everything()).toEqual(before);
  });

  it('that is no credential at all is refused, and changes nothing', async () => {
    const before = await everything();
    const raw = good[kind].replace(/^Payment /, '');
    for (const credential of [
      raw.slice(0, -8),
      `${raw}!`,
      'AAAA',
      'W10',
      'bnVsbA',
      'A'.repeat(15_000),
      raw.toUpperCase(),
    ]) {
      const response = await paying(`${shop.url}/small`, `Payment ${credential}`, { method: 'POST' });
      expect([response.status, response.headers.get('content-type')]).toEqual([402, 'application/problem+json']);
    }
    expect(await everything()).toEqual(before);
  });

  it('is accepted as it is, so that it was the change that was refused', async () => {
    const before = await everything();
    const response = await paying(`${shop.url}/small`, good[kind], { method: kind === 'open' ? 'GET' : 'POST' });
    expect(response.ok).toBe(true);
    expect(await everything()).not.toEqual(before);
    expect(Credential.deserialize(good[kind]).payload).toMatchObject({ action: kind });
  });
});

it('an answer to a challenge of another route, another price or another server pays for nothing', async () => {
  const fresh = await openPayer(chain.url, `${shop.url}/paid`);
  const credential = await fresh.voucher(await fresh.challenge(`${shop.url}/paid`), 2n * PRICE);
  const before = await everything();
  const elsewhere = await paying(`${shop.url}/small`, credential);
  expect([elsewhere.status, ((await elsewhere.json()) as Json).type]).toEqual([
    402,
    'https://paymentauth.org/problems/invalid-challenge',
  ]);
  expect(await everything()).toEqual(before);
});
