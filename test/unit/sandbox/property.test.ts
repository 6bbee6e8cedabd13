import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FAULT_KINDS } from '../../../sandbox/auth-server/faults.js';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { createCaseCounts } from '../../support/case-counts.js';
import { atxpBody, post } from '../../support/sandbox-bodies.js';

let sandbox: AuthServerSandbox;
beforeAll(async () => {
  sandbox = await startAuthServerSandbox();
});
afterAll(() => sandbox.close());

const call = fc.record({
  payment: fc.integer({ min: 0, max: 5 }),
  payer: fc.constantFrom('ann', 'bob'),
  fault: fc.option(fc.constantFrom(...FAULT_KINDS)),
});

it('debits each payment once and exactly, and takes it from its payer, whatever goes wrong in whatever order', {
  timeout: 30_000,
}, async () => {
  const cases = createCaseCounts();
  await fc.assert(
    fc.asyncProperty(
      fc.array(call, { minLength: 4, maxLength: 14, size: 'max' }),
      fc.boolean(),
      async (calls, atOnce) => {
        await sandbox.reset();
        const accepted = new Map<string, bigint>();
        const send = async ({ payment, payer, fault }: (typeof calls)[number]) => {
          const millionths = BigInt(payment * 1_001 + 1);
          const token = `${payer}-${payment}`;
          const amount = `0.${millionths.toString().padStart(6, '0')}`;
          if (!atOnce) sandbox.setFaults(fault === null ? [] : [{ kinds: [fault], ms: 2 }]);
          const body = atxpBody({ token, amount, account: payerAccount(payer) });
          const answer = await post(`${sandbox.url}/settle/atxp`, body).catch(() => undefined);
          if (answer?.status === 200 && answer.json.settledAmount !== undefined) accepted.set(token, millionths);
        };
        if (atOnce) {
          sandbox.setFaults([{ kinds: [...FAULT_KINDS], probability: 0.5, ms: 2 }], calls.length);
          await Promise.all(calls.map(send));
        } else for (const one of calls) await send(one);
        // Heal and send everything once more: what was hidden comes to light, and nothing moves a second time.
        sandbox.setFaults([]);
        await Promise.all(calls.map((one) => send({ ...one, fault: null })));

        const { debits, payers, totals } = sandbox.ledger();
        const sum = [...accepted.values()].reduce((total, amount) => total + amount, 0n);
        expect(totals).toEqual({ debits: accepted.size, debited: sum.toString() });
        expect(new Set(debits.map(({ key }) => key)).size).toBe(debits.length);
        for (const { debited, balance } of Object.values(payers)) {
          expect(BigInt(debited) + BigInt(balance)).toBe(1_000_000_000n);
        }
        expect(sandbox.calls().totals.keysWithDifferingBodies).toBe(0);
        cases.count('debits', debits.length);
        cases.count('repeated calls', calls.length - debits.length);
      },
    ),
    { numRuns: 30 },
  );
  cases.expectAtLeast({ debits: 60, 'repeated calls': 10 });
});
