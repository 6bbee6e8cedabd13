import { type FastifyInstance, fastify } from 'fastify';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../sandbox/auth-server/start.js';
import { payerAccount } from '../../sandbox/payer/account.js';
import { readOffers } from '../../sandbox/payer/challenge.js';
import { answerOffers } from '../../sandbox/payer/pay.js';
import { fastifyPaidSession } from '../../src/sessions/frameworks/fastify.js';
import type { PaidSessionOptions } from '../../src/sessions/index.js';
import { openTestLedger, type TestLedger } from '../support/ledger-fixtures.js';
import { IN_USDC } from '../support/sessions/offers.js';
import { startPaidSessions } from '../support/sessions/paid-server.js';

/**
 * `app.inject` (npm light-my-request, by which npm @fastify/aws-lambda serves too) takes each answer down above the wire and
 * hands it over when its handler ends it: nothing beneath could hold it back until it is paid for.
 */

const FIXED: PaidSessionOptions = { ...IN_USDC, price: '10000', protocols: ['x402'] };

describe('answers that Fastify injects', () => {
  let store: TestLedger;
  let sandbox: AuthServerSandbox;
  let served: number;
  beforeEach(async () => {
    served = 0;
    [store, sandbox] = await Promise.all([openTestLedger(), startAuthServerSandbox()]);
    onTestFinished(async () => {
      await sandbox.close();
      await store.dispose();
    });
  });

  async function shop(options: PaidSessionOptions, ledger: TestLedger['ledger'] = store.ledger) {
    const sessions = await startPaidSessions({ ...store, ledger }, sandbox.url);
    const app = fastify();
    app.get('/paid', { preHandler: fastifyPaidSession(sessions.paidRoute(options)) }, (request, reply) => {
      served += 1;
      request.paymentSession?.charge('10000');
      reply.send({ paper: 'of today' });
    });
    onTestFinished(async () => {
      await app.close();
      await sessions.stop();
    });
    return app;
  }

  async function buy(app: FastifyInstance) {
    const { statusCode: status, headers, body } = await app.inject('/paid');
    expect(status).toBe(402);
    const fields = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
    const paid = await answerOffers(await readOffers(new Response(body, { status, headers: fields })), {
      protocol: 'x402',
      account: payerAccount('alice'),
      nowMs: store.clock.nowMs(),
    });
    return app.inject({ url: '/paid', headers: { ...paid.headers } });
  }

  it('what is settled first and could not be settled is not served', async () => {
    const answer = await buy(await shop({ ...FIXED, settle: 'before-release' }));
    expect(answer.body).not.toContain('paper');
    expect([answer.statusCode, served]).toEqual([503, 0]);
  });

  it('what cannot be charged because the ledger is away is not served', async () => {
    const away = { ...store.ledger, commitSessions: () => Promise.reject(new Error('away')) };
    const answer = await buy(await shop(FIXED, away));
    expect(answer.body).not.toContain('paper');
    expect([answer.statusCode, served]).toEqual([503, 0]);
  });
});
