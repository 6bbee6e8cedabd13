import type { Hex } from 'viem';
import { onTestFinished } from 'vitest';
import { startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import { mppCredential } from '../../../sandbox/payer/mpp.js';
import { startTempoSandbox } from '../../../sandbox/tempo/start.js';
import { createRecorder } from '../../../src/calls/settlements/recorder.js';
import { createSettleFirst } from '../../../src/calls/settlements/settle-first.js';
import { createSettleRows } from '../../../src/calls/settlements/settle-rows.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import { openTestLedger } from '../ledger-fixtures.js';
import { BY_VOUCHERS } from '../sessions/offers.js';
import { startPaidServer } from '../sessions/paid-server.js';
import { memoryLogger, TIMINGS } from '../settlements/settlement-world.js';

/** What a session costs at most, and what each of its responses charges. */
export const PRICE = 10_000;
const CHANNEL: Hex = `0x${'c4'.repeat(32)}`;
export const OWNER = 'channel-owner';
type Challenge = Awaited<ReturnType<typeof readOffers>>['mpp'][number];

interface Row {
  readonly id: SettlementId;
  readonly status: string;
  readonly spent: string;
  readonly closes: boolean;
}

interface Said {
  readonly challenge?: Challenge;
  readonly action?: 'voucher' | 'close';
  readonly by?: string;
}

/** A route that is paid by vouchers of channels that the auth server settles, until the test ends. */
export async function openVoucherRoute() {
  const store = await openTestLedger();
  const [sandbox, chain] = await Promise.all([startAuthServerSandbox({ clock: store.clock }), startTempoSandbox()]);
  let served = 0;
  const settleRows = createSettleRows({
    ledger: { ...store.ledger, recordAttempt: createRecorder((outcomes) => store.ledger.recordAttempts(outcomes)) },
    authServer: createAuthServer({ baseUrl: sandbox.url, clock: store.clock }),
    tempo: undefined,
    timings: TIMINGS,
    logger: memoryLogger(),
    processName: 'test',
    monotonicMs: () => performance.now(),
  });
  /** As a worker does; the settlements of these ids, or all there are. */
  const settle = async (ids?: readonly SettlementId[]): Promise<void> =>
    void (await settleRows(ids ?? (await rows()).map((row) => row.id), 30_000));
  const server = await startPaidServer(
    store,
    sandbox.url,
    (app, sessions) =>
      app.all(
        '/by-voucher',
        sessions.paidSession({
          cap: `${PRICE}`,
          ...BY_VOUCHERS,
        }),
        (req, res) => {
          served += 1;
          req.paymentSession?.charge(PRICE.toString());
          res.json({ ok: true });
        },
      ),
    { settleNow: createSettleFirst({ settle: (id) => settle([id]), ledger: store.ledger }), leaseMs: 86_400_000 },
  );
  const url = `${server.url}/by-voucher`;
  onTestFinished(async () => {
    await server.stop();
    await Promise.all([sandbox.close(), chain.close()]);
    await store.dispose();
  });

  const rows = (): Promise<Row[]> =>
    store.database.query(
      'SELECT id, status, spent::text, voucher_closes AS closes FROM settlements ORDER BY created_at, id',
    ) as Promise<Row[]>;
  const closeRow = async () => (await rows()).find(({ closes }) => closes);

  async function challengeOf(response: Promise<Response> = fetch(url)): Promise<Challenge> {
    const { mpp } = await readOffers(await response);
    const challenge = mpp.find(({ intent }) => intent === 'session');
    if (!challenge) throw new Error('the route offers no MPP session');
    return challenge;
  }
  async function credentialOf(cumulative: number, { challenge, action = 'voucher', by = OWNER }: Said = {}) {
    const { content } = await mppCredential({
      account: payerAccount(by),
      challenge: challenge ?? (await challengeOf()),
      channelId: CHANNEL,
      cumulativeAmount: `${cumulative}`,
    });
    const payload = { ...(content.payload as object), action };
    return `Payment ${Buffer.from(JSON.stringify({ ...content, payload })).toString('base64url')}`;
  }
  async function topUpOf(more: object = {}, { challenge, by = OWNER }: Said = {}) {
    const { content } = await mppCredential({
      account: payerAccount(by),
      challenge: challenge ?? (await challengeOf()),
      channelId: CHANNEL,
      cumulativeAmount: '0',
    });
    const payload = { action: 'topUp', type: 'transaction', channelId: CHANNEL, additionalDeposit: '1', ...more };
    return `Payment ${Buffer.from(JSON.stringify({ ...content, payload })).toString('base64url')}`;
  }
  const topUp = async (more: object = {}, said: Said = {}) => send(await topUpOf(more, said), 'POST');
  const send = (authorization: string, method = 'GET') => fetch(url, { method, headers: { authorization } });
  const pay = async (cumulative: number, challenge?: Challenge) =>
    (await send(await credentialOf(cumulative, { challenge }))).status;
  const close = async (cumulative: number, said: Said = {}) =>
    send(await credentialOf(cumulative, { ...said, action: 'close' }), 'POST');

  return {
    store,
    sandbox,
    chain,
    url,
    served: () => served,
    settle,
    rows,
    closeRow,
    challengeOf,
    credentialOf,
    topUpOf,
    topUp,
    send,
    pay,
    close,
  };
}

export const problemOf = async (response: Response) => {
  const { type, code } = (await response.json()) as { type: string; code: string };
  return [response.status, type.split('/').slice(-2).join('/'), code];
};
