import { condition, continueAsNew } from '@temporalio/workflow';
import type { FollowInput } from '../activities/marketplace-contract.js';
import type { FollowStep } from '../src/calls/steps.js';
import { A_DAY_MS, beginItem } from './item.js';
import type { ItemState } from './messages.js';
import { readAgainMs } from './policies.js';
import { clearAttention, goesOnAt, showAttention, showPhase } from './visibility.js';

/** What differs between a payment, a refund and a dispute. */
export interface Followed {
  readonly kind: 'payment' | 'refund' | 'dispute';
  readonly recordsLate?: () => boolean;
  advance(id: string): Promise<FollowStep>;
}

/** The life of one payment, refund or dispute: made where it has to be and is not there yet, then read until it is final. */
export async function followAtHyperswitch(input: FollowInput, followed: Followed): Promise<{ status: string }> {
  const item = beginItem({ ...followed, id: input.id, detail: 'its provider is asked' });
  const { state } = item;
  let reads = 0;
  for (;;) {
    item.clearNudge();
    const step = await followed.advance(input.id);
    if (step.kind !== 'attention') clearAttention(state);
    switch (step.kind) {
      case 'final':
        if (item.isNudged()) break;
        return await item.finish(step.status);
      case 'attention':
        showAttention(state, step, { kind: followed.kind, id: input.id });
        await item.desk.decideUntil(item.isNudged, A_DAY_MS);
        break;
      case 'open':
        await wait('waiting', `${step.detail}; it is read again`, step.afterMs ?? readAgainMs(reads));
        break;
      case 'later':
        await wait('waiting_to_retry', step.why, Math.max(1, step.afterMs, readAgainMs(reads)));
        break;
    }
    await item.renewDaily(() => continueAsNew(input));
  }

  async function wait(phase: ItemState['phase'], detail: string, afterMs: number): Promise<void> {
    showPhase(state, phase, detail, goesOnAt(afterMs, 'its provider tells of it, or somebody asks for it'));
    await condition(item.isNudged, afterMs, { summary: 'until it is read again at its provider' });
    reads += 1;
  }
}
