import { afterEach, expect, it } from 'vitest';
import { createLedger } from '../../../../src/ledger/ledger.js';
import { sealClientSecret } from '../../../../src/ledger/marketplace/payments.js';
import { createSealer } from '../../../../src/ledger/sealer.js';
import { DAY_MS } from '../../../support/durations.js';
import { openTestLedger, type TestLedger, testKey } from '../../../support/ledger-fixtures.js';
import { forceColumns, putOrder } from '../../../support/marketplace/fixtures.js';

const OLD = testKey('1', 1);
const NEW = testKey('2', 2);
let test: TestLedger | undefined;
afterEach(() => test?.dispose());

const open = async (): Promise<TestLedger> => (test = await openTestLedger({ sealer: createSealer([OLD]) }));

/** An order that somebody is about to pay, with the secret of his browser. */
async function openPayment(world: TestLedger) {
  const { paymentId } = await putOrder(world, { status: 'pending', transfers: [], paid: 10 });
  const { bytes, keyId } = sealClientSecret(createSealer([OLD]), paymentId, `secret of ${paymentId}`);
  await forceColumns(world.database, 'payments', paymentId, { sealed_client_secret: bytes, sealed_key_id: keyId });
  return paymentId;
}
const ledgerWith = ({ database, clock }: TestLedger, ...keys: (typeof OLD)[]) =>
  createLedger({ database, clock, sealer: createSealer(keys), approvalThreshold: 0n });
const sealedIn = async ({ database }: TestLedger, id: string) =>
  (
    await database.query<{ sealed_client_secret: Buffer | null; sealed_key_id: string | null }>(
      'SELECT sealed_client_secret, sealed_key_id FROM payments WHERE id = $1',
      [id],
    )
  )[0];

it('a rotated key moves every client secret, and may then be taken away', async () => {
  const world = await open();
  const ids = [await openPayment(world), await openPayment(world), await openPayment(world)];
  await expect(ledgerWith(world, NEW).assertReady()).rejects.toThrow('encrypted with key 1');
  const rotating = ledgerWith(world, NEW, OLD);
  await rotating.assertReady();
  expect(await rotating.reseal(2)).toBe(2);
  expect(await rotating.reseal(100)).toBe(1);
  expect(await rotating.reseal(100)).toBe(0);
  const rotated = ledgerWith(world, NEW);
  await rotated.assertReady();
  for (const id of ids) expect(await rotated.clientSecret(id)).toBe(`secret of ${id}`);
});

it('a client secret that cannot be opened never keeps the others from being encrypted anew', async () => {
  const world = await open();
  const [broken, good] = [await openPayment(world), await openPayment(world)];
  await forceColumns(world.database, 'payments', broken, { sealed_client_secret: Buffer.alloc(60) });
  expect(await ledgerWith(world, NEW, OLD).reseal(100)).toBe(1);
  expect((await sealedIn(world, good))?.sealed_key_id).toBe('2');
});

it('a client secret is erased when its payment is over, and thirty days after an order that nobody paid', async () => {
  const world = await open();
  const [waiting, over] = [await openPayment(world), await openPayment(world)];
  expect(await world.ledger.eraseOverdue(10)).toBe(0);
  await forceColumns(world.database, 'payments', over, { status: 'cancelled', certainty: 'done', next_check_at: null });
  expect(await world.ledger.eraseOverdue(10)).toBe(1);
  expect(await sealedIn(world, over)).toEqual({ sealed_client_secret: null, sealed_key_id: null });
  world.clock.advance(29 * DAY_MS);
  expect(await world.ledger.eraseOverdue(10)).toBe(0);
  expect(await world.ledger.clientSecret(waiting)).toBe(`secret of ${waiting}`);
  world.clock.advance(2 * DAY_MS);
  expect(await world.ledger.eraseOverdue(10)).toBe(1);
  expect(await world.ledger.clientSecret(waiting)).toBeNull();
});

it('what is parked at Stripe is nothing to the sweep of settlements; an auth server that is not called is', async () => {
  const world = await open();
  await world.ledger.parkProvider('stripe', 'key revoked');
  await world.ledger.parkProvider('stripe:acct_a', 'access revoked');
  expect(await world.ledger.openBreakers()).toEqual([]);
  await world.database.query(`SELECT park_provider('auth-server:x402', 'key revoked')`);
  expect(await world.ledger.openBreakers()).toEqual(['auth-server:x402']);
});
