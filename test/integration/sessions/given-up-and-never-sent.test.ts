import { afterEach, beforeEach, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import { mppCredential } from '../../../sandbox/payer/mpp.js';
import { createSettleFirst } from '../../../src/calls/settlements/settle-first.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { BY_VOUCHERS } from '../../support/sessions/offers.js';
import { type PaidServer, startPaidServer } from '../../support/sessions/paid-server.js';
import { decideInLedger } from '../../support/settlements/settling.js';

/**
 * Settled first, while the auth server was parked: nothing was ever sent, and nothing was served. Given up by a person, no money
 * can move any more, so the payer is not told that his credential "pays for a response that was served".
 */
let store: TestLedger;
let sandbox: AuthServerSandbox;
let server: PaidServer;
beforeEach(async () => {
  store = await openTestLedger();
  sandbox = await startAuthServerSandbox({ clock: store.clock });
  server = await startPaidServer(
    store,
    sandbox.url,
    (app, sessions) =>
      app.get(
        '/by-voucher',
        sessions.paidSession({
          cap: '10000',
          ...BY_VOUCHERS,
          settle: 'before-release',
        }),
        (req, res) => {
          req.paymentSession?.charge('10000');
          res.json({ ok: true });
        },
      ),
    { leaseMs: 86_400_000 * 90 },
  );
});
afterEach(async () => {
  await server.stop();
  await sandbox.close();
  await store.dispose();
});

it.each(['not_sent', 'absent'] as const)(
  'a credential whose charge was given up, %s, is worth nothing and is told so',
  async (certainty) => {
    const url = `${server.url}/by-voucher`;
    const { mpp } = await readOffers(await fetch(url));
    const challenge = mpp.find(({ intent }) => intent === 'session');
    if (!challenge) throw new Error('no session');
    const { headers } = await mppCredential({
      account: payerAccount('parked'),
      challenge,
      channelId: `0x${'c4'.repeat(32)}`,
      cumulativeAmount: '10000',
    });
    const told = await fetch(url, { headers });
    expect(told.status).toBe(503);
    const id = told.headers.get('settlement-id') as SettlementId;
    // As a refusal would have left it.
    if (certainty === 'absent') await store.database.query("UPDATE settlements SET certainty = 'absent'");
    store.clock.advance(40 * 86_400_000);
    expect(await store.ledger.eraseOverdue(10)).toBe(1);
    expect((await decideInLedger(store.ledger, id, 'write_off')).kind).toBe('applied');
    expect(await store.database.query('SELECT status, certainty, attempts FROM settlements')).toEqual([
      { status: 'written_off', certainty, attempts: 0 },
    ]);
    const again = await fetch(url, { headers });
    expect([again.status, ((await again.json()) as { code: string }).code]).toEqual([402, 'payment_required']);
    const settleNow = createSettleFirst({ settle: () => Promise.resolve(), ledger: store.ledger });
    expect(await settleNow(id)).toBe('refused');
  },
);
