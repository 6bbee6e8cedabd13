import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LeaseId, SettlementId } from '../../../src/domain/ids.js';
import { toAtomic } from '../../../src/domain/money.js';
import { createLiveSession } from '../../../src/sessions/gate/live-session.js';
import type { CloseTakenBack, SessionChange } from '../../../src/sessions/session-ledger.js';

function session(cap: bigint, metered: boolean, closesAtZero = false, keepsDurable = false) {
  const submitted: (CloseTakenBack | SessionChange)[] = [];
  const live = createLiveSession(
    {
      id: 'id' as SettlementId,
      lease: { id: 'lease' as LeaseId, epoch: 1n },
      closeToken: 'token',
      cap: toAtomic(cap),
      metered,
      closesAtZero,
      keepsDurable,
      bodyFor: (spent) => `body of ${spent}`,
    },
    {
      submit: async (change) => {
        submitted.push(change);
        return 'committed';
      },
    },
  );
  return { live, submitted };
}

const amounts = fc.array(fc.oneof(fc.bigInt(0n, 1_000n), fc.bigInt(0n, 10n ** 39n - 1n)), { maxLength: 40 });

test('whatever is charged, the sum of what was granted is what is spent, and never passes the cap', () => {
  fc.assert(
    fc.property(fc.bigInt(1n, 5_000n), amounts, fc.boolean(), (cap, charges, asText) => {
      const { live } = session(cap, true);
      let granted = 0n;
      for (const amount of charges) {
        const before = live.spent();
        const charged = live.charge(asText ? amount.toString() : amount);
        expect(charged).toBe(before + amount <= cap);
        if (charged) granted += amount;
        expect(live.spent()).toBe(granted);
        expect(live.spent() <= cap).toBe(true);
      }
    }),
  );
});

test('all or nothing: whatever is charged, either nothing is spent or exactly the cap, once', () => {
  fc.assert(
    fc.property(fc.bigInt(1n, 5_000n), amounts, (cap, charges) => {
      const { live } = session(cap, false);
      const granted = charges.filter((amount) => live.charge(amount) && amount > 0n);
      expect(granted.length).toBe(charges.some((amount) => amount > 0n && amount <= cap) ? 1 : 0);
      expect(live.spent()).toBe(granted.length === 0 ? 0n : cap);
    }),
  );
});

test('what was charged after a checkpoint began stays uncommitted until the next', async () => {
  const { live, submitted } = session(100n, true);
  live.charge(10n);
  const first = live.checkpoint();
  live.charge(5n);
  expect(live.checkpoint()).toBe(first);
  await first;
  expect(live.uncommitted()).toBe(5n);
  await live.checkpoint();
  expect([live.uncommitted(), submitted.map((change) => change.spent)]).toEqual([0n, ['10', '15']]);
  await live.checkpoint();
  expect(submitted).toHaveLength(2);
});

test('a charge that is durable already cannot be taken back', async () => {
  const { live } = session(100n, true);
  live.charge(10n);
  await live.checkpoint();
  expect([live.release(), live.spent()]).toEqual([false, 10n]);
});

test('the close carries the frozen amount and its body; nothing can be charged after it', async () => {
  const { live, submitted } = session(100n, true);
  live.charge(10n);
  const closing = live.close('end', 'unknown');
  expect(live.charge(1n)).toBe(false);
  expect(await closing).toEqual({ outcome: 'committed', billed: true, spent: 10n });
  expect(submitted).toEqual([
    expect.objectContaining({ kind: 'close', spent: '10', body: 'body of 10', delivery: 'unknown' }),
  ]);
});

test('nothing charged releases the session, except where a channel must be closed at zero', async () => {
  const plain = session(100n, true);
  await plain.live.close('end', 'unknown');
  const channel = session(100n, true, true);
  await channel.live.close('end', 'unknown');
  expect([plain.submitted[0], channel.submitted[0]]).toEqual([
    expect.objectContaining({ body: null, delivery: null }),
    expect.objectContaining({ body: 'body of 0', delivery: 'unknown' }),
  ]);
});

test('whatever is charged, a failed answer costs exactly what was charged even if it fails', () => {
  const charges = fc.array(fc.tuple(fc.bigInt(0n, 1_000n), fc.boolean()), { maxLength: 20 });
  fc.assert(
    fc.property(fc.bigInt(1n, 5_000n), charges, fc.boolean(), charges, (cap, before, metered, after) => {
      const { live } = session(cap, metered);
      const bill = (list: readonly (readonly [bigint, boolean])[]) =>
        list
          .filter(([amount, evenIfFailed]) => live.charge(amount, { evenIfFailed }) && evenIfFailed && amount > 0n)
          .reduce((sum, [amount]) => sum + (metered ? amount : cap), 0n);
      let stays = bill(before);
      live.fail('failed_answer');
      expect([live.spent(), live.released()]).toEqual([stays, stays === 0n]);
      stays += bill(after);
      expect(live.spent()).toBe(stays);
    }),
  );
});

test('a release tells the ledger that the answer was for nothing, and a charge that stays tells it nothing', async () => {
  const free = session(100n, true);
  free.live.charge(10n);
  free.live.fail('not_modified');
  await free.live.close('end', 'unknown');
  const kept = session(100n, false);
  kept.live.charge(1n, { evenIfFailed: true });
  kept.live.fail('failed_answer');
  await kept.live.close('end', 'unknown');
  const ours = session(100n, true);
  ours.live.fail(undefined);
  await ours.live.close('error', 'unknown');
  expect(
    [free, kept, ours].map(({ submitted }) => [submitted[0]?.spent, Reflect.get(submitted[0] ?? {}, 'releasedBy')]),
  ).toEqual([
    ['0', 'not_modified'],
    ['100', undefined],
    ['0', undefined],
  ]);
});

test('an answer that failed after its charge was durable does not take it back', async () => {
  const { live } = session(100n, true);
  live.charge(10n);
  await live.checkpoint();
  live.fail('failed_answer');
  expect([live.spent(), live.released()]).toEqual([10n, false]);
});

test('a response that is cut off costs what was charged for bytes that were let go, whatever a checkpoint has said of it', async () => {
  for (const [letGo, spent, takesBack] of [
    [0n, '0', true],
    [4n, '4', true],
    [10n, '10', undefined],
    [12n, '12', undefined],
  ] as const) {
    const { live, submitted } = session(100n, true);
    live.charge(10n);
    void live.checkpoint();
    live.charge(5n);
    live.cutOff(letGo, 'client_left');
    expect(live.charge(1n)).toBe(false);
    await live.close('abort', 'aborted');
    const { releasedBy, ...close } = { releasedBy: undefined, takesBack: undefined, ...submitted[1] };
    expect(close).toMatchObject({ kind: 'close', spent, body: letGo === 0n ? null : `body of ${spent}` });
    expect([releasedBy, close.takesBack]).toEqual([letGo === 0n ? 'client_left' : undefined, takesBack]);
  }
});

test('what a channel was told of it keeps, because it may be captured at once; the rest is given back', async () => {
  const { live, submitted } = session(100n, true, false, true);
  live.charge(10n);
  await live.checkpoint();
  live.charge(5n);
  live.cutOff(4n, 'client_left');
  await live.close('abort', 'aborted');
  expect(await live.takeBack(4n, 'client_left')).toBe(true);
  expect(submitted.map(({ kind, spent }) => [kind, spent])).toEqual([
    ['checkpoint', '10'],
    ['close', '10'],
  ]);
});

test('a close of which less was let go is taken back to that, with the body for it; to nothing where nothing was', async () => {
  const bodies = [];
  for (const [letGo, closesAtZero] of [
    [4n, false],
    [0n, false],
    [0n, true],
  ] as const) {
    const { live, submitted } = session(100n, true, closesAtZero);
    live.charge(10n);
    await live.close('end', 'unknown');
    const billed = await live.takeBack(letGo, undefined);
    const last = submitted.at(-1);
    bodies.push([last?.kind, last?.kind === 'take_back' && last.body, billed, live.spent()]);
  }
  expect(bodies).toEqual([
    ['take_back', 'body of 4', true, 4n],
    ['take_back', null, false, 0n],
    ['take_back', 'body of 0', true, 0n],
  ]);
});
