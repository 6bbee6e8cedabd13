import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../sandbox/auth-server/start.js';
import { atxpCredential } from '../../sandbox/payer/atxp.js';
import type { PaymentCredential } from '../../sandbox/payer/credential.js';
import { mppCredential } from '../../sandbox/payer/mpp.js';
import { type X402Accept, x402Credential } from '../../sandbox/payer/x402.js';
import { toAtomic } from '../../src/domain/money.js';
import type { Protocol } from '../../src/domain/settlements/settlement-status.js';
import { isUndecodable, type SettlementContext } from '../../src/protocols/credential.js';
import { decodeCredential } from '../../src/protocols/decode-credential.js';
import { findCredential } from '../../src/protocols/find-credential.js';
import { settleBody, verifyBody } from '../../src/protocols/settle-body.js';
import { alice, challenge, exactAccept, NOW, post, uptoAccept } from '../support/sandbox-bodies.js';

// Our bodies, read by an auth server that shares no code with us.

let sandbox: AuthServerSandbox;
beforeEach(async () => {
  sandbox = await startAuthServerSandbox({ clock: { nowMs: () => NOW }, checkSignatures: true });
});
afterEach(() => sandbox.close());

const x402 = (accept: X402Accept, version: 1 | 2 = 2) =>
  x402Credential({ account: alice, accept, version, nowMs: NOW });
const requirements = (accept: X402Accept) => ({
  paymentRequirements: accept as SettlementContext['paymentRequirements'],
});
const option = { network: 'base_sepolia', currency: 'USDC', address: exactAccept.payTo, amount: '0.01' };

const cases: readonly {
  name: string;
  make: () => PaymentCredential | Promise<PaymentCredential>;
  context: SettlementContext;
  spent: string;
}[] = [
  { name: 'atxp', make: () => atxpCredential({ account: alice }), context: { options: [option] }, spent: '3000' },
  { name: 'x402 v1 exact', make: () => x402(exactAccept, 1), context: requirements(exactAccept), spent: '10000' },
  { name: 'x402 v2 exact', make: () => x402(exactAccept), context: requirements(exactAccept), spent: '10000' },
  { name: 'x402 v2 upto', make: () => x402(uptoAccept), context: requirements(uptoAccept), spent: '3000' },
  {
    name: 'mpp charge',
    make: () => mppCredential({ account: alice, challenge: challenge('charge') }),
    context: {},
    spent: '10000',
  },
  {
    name: 'mpp session',
    make: () => mppCredential({ account: alice, challenge: challenge('session') }),
    context: {},
    spent: '3000',
  },
  {
    name: 'mpp session that closes at zero',
    make: () => mppCredential({ account: alice, challenge: challenge('session') }),
    context: {},
    spent: '0',
  },
];

describe('an auth server that reads the wire by itself', () => {
  it.each(cases)('verifies $name and settles exactly what was spent, once', async ({ make, context, spent }) => {
    const { protocol, credential } = await received(make, context);
    const verified = await post(`${sandbox.url}/verify/${protocol}`, verifyBody({ credential, context }));
    expect(verified.json).toMatchObject({ valid: true });
    const body = settleBody({ credential, context, spent: toAtomic(BigInt(spent)), decimals: 6 });
    const settled = await post(`${sandbox.url}/settle/${protocol}`, body);
    expect(settled).toMatchObject({ status: 200, json: { txHash: expect.any(String) } });
    const again = await post(`${sandbox.url}/settle/${protocol}`, body);
    expect(again.json).toMatchObject({ alreadySettled: true });
    expect(sandbox.ledger().totals).toEqual({ debits: 1, debited: spent });
    expect(sandbox.ledger().debits[0]?.payer.toLowerCase()).toBe(credential.account?.toLowerCase());
  });
});

/** As the middleware gets it: out of the headers of a request. */
async function received(make: () => PaymentCredential | Promise<PaymentCredential>, context: SettlementContext) {
  const { headers } = await make();
  const found = findCredential(
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  );
  if (found === undefined) throw new Error('no credential was found in the headers');
  const protocol: Protocol = found.protocol;
  const credential = decodeCredential(protocol, found.raw, context);
  if (isUndecodable(credential)) throw new Error(credential.undecodable);
  return { protocol, credential };
}
