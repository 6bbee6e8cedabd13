import { decodePaymentRequiredHeader } from '@x402/core/http';
import { PAYMENT_IDENTIFIER, validatePaymentIdentifier } from '@x402/extensions/payment-identifier';
import type express from 'express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../sandbox/auth-server/start.js';
import type { SettlementId } from '../../src/domain/ids.js';
import { createAuthServer } from '../../src/providers/auth-server/client.js';
import type { PaidSessions } from '../../src/sessions/index.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { openTestLedger, type TestLedger } from '../support/ledger-fixtures.js';
import { IN_USDC } from '../support/sessions/offers.js';
import { type PaidServer, startPaidServer } from '../support/sessions/paid-server.js';
import { settleOnce } from '../support/settlements/settling.js';
import { namedFetch, namedPayment, persistent } from './support/named-buyer.js';

const TERMS = { ...IN_USDC, price: '10000', protocols: ['x402'] } as const;
/** How a payment of x402 begins in its header, in base64. */
const PAID = btoa('{"x402Version"').slice(0, 16);
/** As large as may be kept, so that it can be cut in many places. */
const REPORT = 'all that was paid for. '.repeat(2_000);

let store: TestLedger;
let sandbox: AuthServerSandbox;
let shop: PaidServer;
let wire: FaultProxy;
/** Where the buyer asks: on the other side of the wire. */
let url: string;
let made = 0;

function mount(app: express.Express, sessions: PaidSessions): void {
  app.get('/report', sessions.paidSession(TERMS), (req, res) => {
    made += 1;
    req.paymentSession?.charge('10000');
    res.json({ made, report: REPORT });
  });
}

beforeEach(async () => {
  made = 0;
  store = await openTestLedger();
  sandbox = await startAuthServerSandbox({ checkSignatures: true });
  shop = await startPaidServer(store, sandbox.url, mount);
  wire = await startFaultProxy(shop.url);
  url = `http://127.0.0.1:${wire.port}/report`;
});
afterEach(async () => {
  await wire.close();
  await shop.stop();
  await sandbox.close();
  await store.dispose();
});

const charges = () =>
  store.database.query<{ id: SettlementId; status: string; spent: string; delivery: string | null }>(
    `SELECT id, status, spent::text, delivery FROM settlements WHERE status <> 'released' ORDER BY id`,
  );

async function settleAll(): Promise<readonly string[]> {
  const ids = (await charges()).map(({ id }) => id);
  await settleOnce(store.ledger, ids, { authServer: createAuthServer({ baseUrl: sandbox.url, clock: store.clock }) });
  return sandbox.ledger().debits.map(({ amount }) => amount);
}

/** Bytes of the answer that come through before the connection breaks. */
const CUTS = [
  ['before the head', 0],
  ['in the head', 40],
  ['in the body', 5_000],
  ['before the last byte', REPORT.length],
] as const;

describe('@x402/extensions: an answer lost on the wire', () => {
  it('can be had again where the 402 offers a name by which it is known', async () => {
    const asked = (await fetch(url)).headers.get('payment-required') ?? '';
    const offered = decodePaymentRequiredHeader(asked).extensions?.[PAYMENT_IDENTIFIER] as { info: object };
    const names = (id: string) => validatePaymentIdentifier({ ...offered, info: { ...offered.info, id } }).valid;
    expect(validatePaymentIdentifier(offered)).toEqual({ valid: true });
    expect([names('pay_0123456789abcdef'), names('pay_0'), names('pay 0123456789abcdef')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it.each(CUTS)('%s is had again by the client, and is paid for once', async (_where, bytes) => {
    wire.cutAnswerTo(PAID, { bytes });
    const tries = { times: 0 };
    const had = await namedFetch(undefined, tries)(url);
    expect(had.status).toBe(200);
    expect(await had.json()).toEqual({ made: 1, report: REPORT });
    // The 402, the one that was cut, and the one that was had.
    expect(tries.times).toBe(3);
    expect(await charges()).toMatchObject([{ status: 'pending', spent: '10000' }]);
    expect(had.headers.get('settlement-id')).toBe((await charges())[0]?.id);
    expect(await settleAll()).toEqual(['10000']);
  });

  it.each(CUTS)('%s is had again by sending the same bytes, also after it has settled', async (_where, bytes) => {
    const headers = await namedPayment(url);
    wire.cutAnswerTo(PAID, { bytes });
    await expect(fetch(url, { headers }).then((response) => response.text())).rejects.toThrow();
    expect(await settleAll()).toEqual(['10000']);
    const had = await fetch(url, { headers });
    expect(await had.json()).toEqual({ made: 1, report: REPORT });
    const receipt = JSON.parse(atob(had.headers.get('payment-response') ?? ''));
    expect(receipt).toMatchObject({
      success: true,
      network: IN_USDC.network,
      transaction: expect.stringMatching(/^0x/),
    });
    expect(await settleAll()).toEqual(['10000']);
  });

  it('is not had by a stranger: not by the request, not by the payment as the chain shows it, not by another name', async () => {
    const headers = await namedPayment(url, 'pay_0123456789abcdef');
    wire.cutAnswerTo(PAID, { bytes: 0 });
    await expect(fetch(url, { headers })).rejects.toThrow();
    const [{ id } = { id: '' }] = await charges();

    expect((await fetch(url)).status).toBe(402);
    const payment = JSON.parse(atob(headers['PAYMENT-SIGNATURE'] ?? ''));
    const { extensions, ...onChain } = payment;
    const guessed = structuredClone(extensions);
    guessed['payment-identifier'].info.id = 'pay_0123456789abcdee';
    for (const stated of [onChain, { ...onChain, extensions: guessed }]) {
      const answer = await fetch(url, { headers: { 'PAYMENT-SIGNATURE': btoa(JSON.stringify(stated)) } });
      expect(answer.status).toBe(409);
      expect(answer.headers.get('settlement-id')).toBe(id);
      expect(await answer.text()).not.toContain('paid for. all');
    }
    expect(await charges()).toHaveLength(1);
  });

  it('that is lost again and again is still had', async () => {
    const headers = await namedPayment(url);
    for (let times = 0; times < 3; times += 1) {
      wire.cutAnswerTo(PAID, { bytes: 20_000 });
      await expect(fetch(url, { headers }).then((response) => response.text())).rejects.toThrow();
    }
    expect(await (await persistent()(url, { headers })).json()).toMatchObject({ made: 1 });
    expect(await settleAll()).toEqual(['10000']);
  });
});
