import { describe, expect, it } from 'vitest';
import { MINUTE_MS, SECOND_MS } from '../../../support/durations.js';
import { DONE, HOLD_MS, marketplaceLedgerForFile, REFUSED, UNKNOWN } from '../../../support/marketplace/steps.js';
import { callsToStripe, orderWithReversals } from '../../../support/marketplace/stripe-calls.js';

const { test, steps } = await marketplaceLedgerForFile();
const demanded = (...amounts: readonly number[]) => orderWithReversals(steps, amounts);

describe.each(['transfer', 'reversal'] as const)('a %s is claimed', (kind) => {
  const { table, make, hold, claim, find, dueIds } = callsToStripe(test, steps)[kind];

  it('by one process at a time', async () => {
    const id = await make();
    const claims = await Promise.all(Array.from({ length: 8 }, () => claim(id)));
    expect(claims.filter((one) => one.kind === 'claimed')).toHaveLength(1);
    expect(claims.filter((one) => one.kind === 'later')).toHaveLength(7);
  });

  it('anew by the process that holds it, as when its activity is run again', async () => {
    const id = await make();
    await hold(id, 'same');
    expect(await hold(id, 'same')).toMatchObject({ certainty: 'not_sent' });
  });

  it('by another when the first one lapsed, who then looks first if anything may have been sent', async () => {
    const [idle, sent] = [await make(), await make()];
    await hold(idle);
    await steps.leave(await hold(sent));
    steps.pass(HOLD_MS + SECOND_MS);
    expect(await hold(idle)).toMatchObject({ certainty: 'not_sent', looksFirst: kind === 'reversal' });
    expect(await hold(sent)).toMatchObject({ certainty: 'unknown', looksFirst: true });
  });

  it('and the one that lapsed may send no more, nor change what is known, but its success counts', async () => {
    const id = await make();
    const slow = await hold(id, 'slow');
    const slower = await hold(id, 'slow');
    await steps.leave(slow);
    steps.pass(HOLD_MS + SECOND_MS);
    const next = await hold(id, 'next');
    expect(await steps.permit(slower)).toEqual({ kind: 'stop', why: 'the claim lapsed' });
    await steps.answered(slow, REFUSED, { provedAbsent: true });
    expect(await find(id)).toMatchObject({ certainty: 'unknown', attention: null });
    const { status } = await steps.answered(slow, DONE);
    expect(status).toBe(kind === 'reversal' ? 'reversed' : 'completed');
    expect(await steps.permit(next)).toMatchObject({ kind: 'stop' });
    await steps.answered(next, UNKNOWN);
    expect(await find(id)).toMatchObject({ certainty: 'done', status });
  });

  it('and not when the permit comes after the claim has lapsed, although nobody else took it', async () => {
    const id = await make();
    const held = await hold(id);
    steps.pass(HOLD_MS + SECOND_MS);
    expect(await steps.permit(held)).toEqual({ kind: 'stop', why: 'the claim lapsed' });
    expect(await steps.row(table, id)).toMatchObject({ attempts: 0, certainty: 'not_sent' });
  });

  it('and found again by the sweep when its process died', async () => {
    const id = await make();
    await steps.leave(await hold(id));
    await test.ledger.markItemsStarted([{ kind, id }]);
    expect(await dueIds()).not.toContain(id);
    steps.pass(HOLD_MS + MINUTE_MS);
    expect(await dueIds()).toContain(id);
  });
});

describe('several reversals of one transfer', () => {
  it('go one after the other, first in, first out, also when all are asked for at once', async () => {
    const { reversals } = await demanded(100, 200, 300);
    const done: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const claims = await Promise.all(reversals.map((id) => steps.claimReversal(id)));
      const held = claims.filter((one) => one.kind === 'claimed');
      expect(held).toHaveLength(1);
      if (held[0]?.kind !== 'claimed') return;
      const { started } = await steps.attempt(held[0].claim, DONE);
      done.push(held[0].claim.id);
      const following = reversals[round + 1];
      expect(started).toEqual(following ? [{ kind: 'reversal', id: following }] : []);
    }
    expect(done).toEqual(reversals);
  });

  it('wait for the first while it waits to be tried again', async () => {
    const { reversals } = await demanded(100, 200);
    await steps.reverse(reversals[0]!, UNKNOWN);
    expect(await steps.claimReversal(reversals[1]!)).toMatchObject({
      kind: 'later',
      why: 'an earlier reversal of the same transfer goes first',
    });
  });

  it('pass the first when it waits for a balance or for a person', async () => {
    const { reversals } = await demanded(100, 200);
    const failed = await steps.reverse(reversals[0]!, REFUSED, { provedAbsent: true });
    expect(failed.started).toEqual([{ kind: 'reversal', id: reversals[1] }]);
    await steps.reverse(reversals[1]!);
    expect(await steps.reversal(reversals[0]!)).toMatchObject({ status: 'permanently_failed' });
  });

  it('never pass one that is on its way, whoever is older', async () => {
    const { reversals } = await demanded(100, 200);
    await steps.reverse(reversals[0]!, REFUSED, { provedAbsent: true });
    await steps.holdReversal(reversals[1]!);
    await steps.decide({ kind: 'reversal', itemId: reversals[0]!, action: 'retry' });
    expect(await steps.claimReversal(reversals[0]!)).toMatchObject({ kind: 'later' });
    steps.pass(HOLD_MS + SECOND_MS);
    // The hold of the second has lapsed: the first goes, and the second is asked about again in its turn.
    expect(await steps.claimReversal(reversals[0]!)).toMatchObject({ kind: 'claimed' });
    expect(await steps.row('reversals', reversals[1]!)).toMatchObject({ runner: null });
  });
});
