import { expect, it } from 'vitest';
import type { MarketplaceItem } from '../../../src/ledger/marketplace/marketplace-types.js';
import { createNudge } from '../../../src/orchestration/marketplace.js';

const item = (id: number): MarketplaceItem => ({ kind: 'reversal', id: `r${id}` });
const due = ({ kind, id }: MarketplaceItem) =>
  ({ kind, id, orderId: 'o', sellerAccount: 'acct_a', amount: 1n, currency: 'USD' }) as never;

/** A Temporal that answers when the test lets it. */
function patientTemporal() {
  const waiting: { readonly id: string; readonly answer: (error?: Error) => void }[] = [];
  const failures: unknown[] = [];
  const nudge = createNudge({
    ledger: { describeItem: (asked) => Promise.resolve(due(asked)) },
    orchestration: {
      wake: ({ id }) =>
        new Promise((resolve, reject) => {
          waiting.push({ id, answer: (error) => (error ? reject(error) : resolve(true)) });
        }),
    },
    onFailure: (_item, error) => failures.push(error),
  });
  return { nudge, waiting, failures };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('starts each at once, and tells what failed without throwing', async () => {
  const { nudge, waiting, failures } = patientTemporal();
  nudge([item(1), item(2)]);
  await turn();
  expect(waiting.map(({ id }) => id)).toEqual(['r1', 'r2']);
  const away = new Error('Temporal is away');
  waiting[0]?.answer(away);
  waiting[1]?.answer();
  await nudge.stop();
  expect(failures).toEqual([away]);
});

it('never outlives its stop: what is under way ends before the connection is closed, and nothing begins after it', async () => {
  const { nudge, waiting } = patientTemporal();
  nudge([item(1)]);
  await turn();
  const stopping = nudge.stop();
  nudge([item(2)]);
  const first = await Promise.race([stopping.then(() => 'stopped'), turn().then(() => 'still at work')]);
  expect([first, waiting.length]).toEqual(['still at work', 1]);
  waiting[0]?.answer();
  await stopping;
  expect(waiting).toHaveLength(1);
});

it('holds no more than a thousand while Temporal does not answer; the sweep finds the rest', async () => {
  const { nudge, waiting } = patientTemporal();
  nudge(Array.from({ length: 3_000 }, (_, index) => item(index)));
  await turn();
  expect(waiting).toHaveLength(1_000);
  for (const { answer } of waiting) answer();
  await turn();
  nudge([item(3_000)]);
  await turn();
  expect(waiting).toHaveLength(1_001);
  waiting.at(-1)?.answer();
  await nudge.stop();
});
