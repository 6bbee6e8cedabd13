import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MINUTE_MS } from '../../support/durations.js';
import { type HyperswitchWorld, openHyperswitchWorld } from '../../support/marketplace/hyperswitch-world.js';

/** Whatever is captured of a payment, and however its answers are lost: nobody is paid of more, and the sums of the order hold. */

let world: HyperswitchWorld;
beforeAll(async () => {
  world = await openHyperswitchWorld();
});
afterAll(() => world.close());

const line = fc
  .record({
    seller: fc.constantFrom('acct_ada', 'acct_ben', null),
    weight: fc.bigInt({ min: 1n, max: 400n }),
    fee: fc.bigInt({ min: 0n, max: 100n }),
  })
  .map(({ seller, weight, fee }) => ({ seller, weight, fee: seller === null ? 0n : (weight * fee) / 100n }));
const story = fc.record({
  lines: fc.array(line, { minLength: 1, maxLength: 5 }),
  method: fc.constantFrom('manual', 'manual_multiple'),
  parts: fc.array(
    fc.record({
      amount: fc.bigInt({ min: 1n, max: 1_500n }),
      final: fc.boolean(),
      fault: fc.constantFrom(null, 'reset_before_commit', 'reset_after_commit', 'locked'),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  end: fc.constantFrom('cancelled', 'partially_captured', 'called off'),
  refunds: fc.array(fc.bigInt({ min: 1n, max: 600n }), { maxLength: 3 }),
});

/** As the whole of an order: 1,000, what is missing is the platform's own line. */
function linesOf(given: readonly { seller: string | null; weight: bigint; fee: bigint }[]) {
  let left = 1_000n;
  const lines = given.flatMap(({ seller, weight, fee }) => {
    const amount = weight < left ? weight : left;
    left -= amount;
    return amount > 0n
      ? [{ sellerAccount: seller, amount, fee: fee < amount ? fee : amount, description: 'goods' }]
      : [];
  });
  return left > 0n ? [...lines, { sellerAccount: null, amount: left, description: 'shipping' }] : lines;
}

it('never pays of more than was captured, captures no part twice, and shares out every cent', {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(story, async ({ lines, method, parts, end, refunds }) => {
      const made = await world.held(method, linesOf(lines));
      const { id, paymentId, at } = made;
      let asked = 0n;
      for (const { amount, final, fault } of parts) {
        const outcome = await world.askCapture(paymentId, amount, final);
        if (outcome.kind !== 'asked') continue;
        asked += amount;
        world.sandbox.setFaults(fault === null ? [] : [{ kinds: [fault], on: ['payments.capture'], times: 1 }]);
        for (let read = 0; read < 5; read += 1) {
          await world.advancePayment(paymentId);
          world.clock.advance(11 * MINUTE_MS);
        }
      }
      world.sandbox.setFaults([]);
      const there = () => world.sandbox.ledger().payments.find((one) => one.id === at);
      expect(BigInt(there()?.received ?? 0)).toBe(asked);
      if ((await world.payment(paymentId)).status === 'processing') {
        if (end === 'called off') await world.ledger.askCancel(paymentId, 'shop');
        else await world.sandbox.movePayment(at, { to: asked > 0n ? end : 'cancelled' });
        await world.advancePayment(paymentId);
        await world.advancePayment(paymentId);
      }
      const payment = await world.payment(paymentId);
      expect(payment).toMatchObject({ captured: { surely: asked, known: true }, attention: null });
      expect(payment.status).toBe(asked > 0n ? 'succeeded' : 'cancelled');
      for (const amount of refunds) {
        const refund = await world.askRefund(id, amount);
        if (refund.outcome !== 'created') continue;
        await world.advanceRefund(refund.id);
        await world.sandbox.moveRefund(refund.at, { to: 'succeeded' });
        await world.advanceRefund(refund.id);
      }
      const order = await world.ledger.findOrder(id);
      const promised = order?.transfers.reduce((sum, one) => sum + one.amount, 0n) ?? 0n;
      const stand = order?.refunds.filter(({ status }) => status === 'succeeded') ?? [];
      const givenBack = stand.reduce((sum, one) => sum + one.amount, 0n);
      // What the platform bears of a refund is rounded in its sellers' favour, a cent for each seller and refund at most.
      expect(promised).toBeLessThanOrEqual(asked - givenBack + 2n * BigInt(refunds.length));
      expect(promised + (order?.platform.kept ?? 0n)).toBe(asked - givenBack);
    }),
    { numRuns: 25 },
  );
});
