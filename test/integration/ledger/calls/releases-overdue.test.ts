import { describe, expect, it } from 'vitest';
import type { TransferId } from '../../../../src/domain/ids.js';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../support/durations.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { ON_REQUEST, releasesForFile } from '../../../support/marketplace/releases.js';

const { test, steps, share, shown, releaseIt, dueNow } = await releasesForFile();

describe('what nobody releases for longer than RELEASE_OVERDUE', () => {
  async function overdue() {
    const one = await share(ON_REQUEST);
    steps.pass(30 * DAY_MS);
    expect(await steps.claimTransfer(one.id)).toMatchObject({ kind: 'attention', reason: 'release_overdue' });
    return one;
  }
  const asks = async (id: TransferId) => (await steps.transfer(id)).attention?.reason ?? null;
  const decide = (id: TransferId, action: string, more: object = {}) =>
    steps.decide({ kind: 'transfer', itemId: id, action, ...more });

  it('asks a person, and not an hour before; found by the sweep', async () => {
    const one = await share(ON_REQUEST);
    for (let days = 0; days < 29; days += 1) {
      await steps.claimTransfer(one.id);
      steps.pass(DAY_MS);
    }
    steps.pass(23 * HOUR_MS);
    expect(await steps.claimTransfer(one.id)).toMatchObject({ kind: 'waiting', afterMs: expect.closeTo(HOUR_MS, -4) });
    expect(await asks(one.id)).toBeNull();
    steps.pass(HOUR_MS + MINUTE_MS);
    expect(await dueNow(one.id)).toBe(true);
    expect(await steps.claimTransfer(one.id)).toMatchObject({ kind: 'attention', reason: 'release_overdue' });
    expect(await shown(one.id)).toMatchObject({ status: 'held', released: false, heldFor: { kind: 'release' } });
    expect(await steps.events(one.id)).toEqual(['promised', 'release_overdue']);
  });

  it('never asks about a dated one', async () => {
    const one = await share({ kind: 'after', afterMs: 90 * DAY_MS });
    steps.pass(60 * DAY_MS);
    expect(await steps.claimTransfer(one.id)).toMatchObject({ kind: 'waiting' });
    expect(await asks(one.id)).toBeNull();
  });

  it('is sent once a person decides so, and never by a retry', async () => {
    const one = await overdue();
    expect(await decide(one.id, 'retry')).toMatchObject({ kind: 'refused' });
    expect(await decide(one.id, 'release')).toMatchObject({ kind: 'applied', status: 'pending' });
    expect(await asks(one.id)).toBeNull();
    await steps.send(one.id);
    expect(await shown(one.id)).toMatchObject({ status: 'completed' });
  });

  it('stays held after the decision while a refund of the order is pending', async () => {
    const one = await overdue();
    const refund = await steps.askRefund(one.order.id, 100);
    expect(await decide(one.id, 'release')).toMatchObject({ kind: 'applied', status: 'held' });
    expect(await steps.claimTransfer(one.id)).toMatchObject({ kind: 'waiting', why: expect.stringContaining(refund) });
    await steps.refundSays(refund, 'succeeded');
    await steps.send(one.id);
  });

  it('is given up by a person, and what Stripe holds after all is a late success', async () => {
    const one = await overdue();
    expect(await decide(one.id, 'write_off', { verified: { kind: 'absent' } })).toMatchObject({ kind: 'applied' });
    expect(await shown(one.id)).toMatchObject({ status: 'permanently_failed', released: false });
    expect(await releaseIt(one.id)).toBe('given_up');
    expect(await steps.claimTransfer(one.id)).toEqual({ kind: 'final', status: 'permanently_failed' });
    await test.ledger.adoptTransfer(one.id, unique('tr'));
    expect(await shown(one.id)).toMatchObject({ status: 'completed', released: true });
    expect(await asks(one.id)).toBe('late_success');
  });

  it('is answered by a release from elsewhere, also while a request waits for its second person', async () => {
    const plain = await overdue();
    expect(await releaseIt(plain.id)).toBe('released');
    expect(await asks(plain.id)).toBeNull();
    const large = await share(ON_REQUEST, 50_000);
    steps.pass(30 * DAY_MS);
    await steps.claimTransfer(large.id);
    const asked = await decide(large.id, 'release');
    expect(asked).toMatchObject({ kind: 'pending_approval' });
    expect(await asks(large.id)).toBe('approval_pending');
    expect(await releaseIt(large.id)).toBe('released');
    expect(await asks(large.id)).toBeNull();
    if (asked.kind !== 'pending_approval') throw new Error(asked.kind);
    const verified = { kind: 'not_needed' } as const;
    expect(await test.ledger.approve({ decisionId: asked.decisionId, by: 'anna', note: '', verified })).toMatchObject({
      kind: 'not_waiting',
    });
    await steps.send(large.id);
  });

  it('is sent on the word of two, where it is much', async () => {
    const large = await share(ON_REQUEST, 50_000);
    steps.pass(30 * DAY_MS);
    await steps.claimTransfer(large.id);
    const asked = await decide(large.id, 'release');
    if (asked.kind !== 'pending_approval') throw new Error(asked.kind);
    expect(await steps.claimTransfer(large.id)).toMatchObject({ kind: 'attention', reason: 'approval_pending' });
    const verified = { kind: 'not_needed' } as const;
    expect(await test.ledger.approve({ decisionId: asked.decisionId, by: 'anna', note: '', verified })).toMatchObject({
      kind: 'applied',
      status: 'pending',
    });
    await steps.send(large.id);
    expect(await shown(large.id)).toMatchObject({ status: 'completed' });
  });

  it('is no question any more once the buyer has everything back', async () => {
    const one = await overdue();
    await steps.refunded(one.order.id);
    expect(await steps.transfer(one.id)).toMatchObject({ status: 'cancelled', attention: null });
  });
});
