import { condition, continueAsNew, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { MarketplaceActivities, StripeCallInput } from '../activities/marketplace-contract.js';
import type { CallStep } from '../src/calls/steps.js';
import { summaryOf } from '../src/domain/workflow-texts.js';
import { A_DAY_MS, beginItem } from './item.js';
import type { ItemState } from './messages.js';
import { countedAttempts, LOOK_ANYWAY_AFTER_MS, quickLedgerCall, stripeLook } from './policies.js';
import { clearAttention, goesOnAt, showAttention, showPhase } from './visibility.js';

/** What differs between sending a seller's share and taking it back. */
export interface CallKind {
  readonly kind: 'transfer' | 'reversal';
  attempt(activities: MarketplaceActivities, id: string): Promise<CallStep>;
  probe(activities: MarketplaceActivities, id: string): Promise<CallStep>;
}

const { takeTurn } = proxyLocalActivities<Pick<MarketplaceActivities, 'takeTurn'>>({
  ...quickLedgerCall,
  summary: "asks for the seller's turn",
});

/**
 * The life of one money call to Stripe: attempts until it is done, waits where only time, a balance or a mended key can
 * help, and a person where only a person can. Postgres is the authority: each attempt reads the ledger first, so this may
 * be started twice, wiped or started late.
 */
export async function runStripeCall({ id, sellerAccount, settings }: StripeCallInput, call: CallKind) {
  const item = beginItem({ kind: call.kind, id, detail: 'the first attempt is under way' });
  const { state } = item;
  const attempts = proxyActivities<MarketplaceActivities>({
    ...countedAttempts(settings, sellerAccount),
    summary: summaryOf(`${ATTEMPT[call.kind]} ${sellerAccount}: looks at Stripe first, then calls`),
  });
  const looks = proxyActivities<MarketplaceActivities>({
    ...stripeLook,
    summary: `looks whether Stripe has the ${call.kind}; sends nothing`,
  });
  let lookedAtMs = Date.now();

  for (;;) {
    await waitForTurn(sellerAccount);
    item.clearNudge();
    const step = await attemptOnce(() => call.attempt(attempts, id), settings.backoffBaseMs);
    if (step.kind !== 'attention') clearAttention(state);
    switch (step.kind) {
      case 'final':
        if (item.isNudged()) break;
        return await item.finish(step.status);
      case 'attention':
        await waitForPerson(step);
        break;
      case 'later':
        await wait('waiting_to_retry', step.why, Math.max(1, step.afterMs), { until: 'until the next attempt' });
        break;
      case 'waiting_balance':
        await wait(
          'waiting',
          "the seller's balance is too low; it goes on when Stripe tells of money, or at the next probe",
          step.afterMs,
          { until: "until the seller's balance is probed again", earlier: 'Stripe tells of money' },
        );
        break;
      case 'waiting':
        showPhase(
          state,
          'waiting',
          step.why,
          goesOnAt(step.afterMs, 'what it waits for is told of, or a person decides'),
        );
        // What is released in months is looked at each day, and lives on in the newest code.
        await item.desk.decideUntil(
          item.isNudged,
          Math.max(1, Math.min(step.afterMs, A_DAY_MS)),
          summaryOf(`waits: ${step.why}`),
        );
        break;
      case 'parked':
        await wait('waiting', `${step.why}; it goes on by itself when Stripe lets us in again`, LOOK_ANYWAY_AFTER_MS, {
          until: 'until Stripe is tried again',
          earlier: 'Stripe lets us in',
        });
        break;
    }
    await item.renewDaily(() => continueAsNew({ id, sellerAccount, settings }));
  }

  async function wait(
    phase: ItemState['phase'],
    detail: string,
    afterMs: number,
    { until, earlier = 'something changes that it depends on' }: { readonly until: string; readonly earlier?: string },
  ): Promise<void> {
    showPhase(state, phase, detail, goesOnAt(afterMs, earlier));
    await condition(item.isNudged, afterMs, { summary: until });
  }

  /** While nobody knows whether the money moved, Stripe's records are looked at as well, once an hour. */
  async function waitForPerson(step: Extract<CallStep, { kind: 'attention' }>): Promise<void> {
    showAttention(state, step, { kind: call.kind, id, moneyState: 'permanently_failed' });
    const untilLookMs = step.unknown ? Math.max(1, lookedAtMs + AN_HOUR_MS - Date.now()) : A_DAY_MS;
    const ended = await item.desk.decideUntil(item.isNudged, untilLookMs);
    if (ended === 'decided' || !step.unknown || Date.now() < lookedAtMs + AN_HOUR_MS) return;
    lookedAtMs = Date.now();
    await attemptOnce(() => call.probe(looks, id), settings.backoffBaseMs);
  }
}

const AN_HOUR_MS = 3_600_000;

const ATTEMPT = { transfer: 'sends the share of', reversal: 'takes the share back from' } as const;

async function waitForTurn(sellerAccount: string): Promise<void> {
  try {
    const afterMs = await takeTurn(sellerAccount);
    if (afterMs > 50) await condition(() => false, Math.ceil(afterMs), { summary: "until the seller's turn" });
  } catch {
    // The ledger is away: the attempt that follows waits for it.
  }
}

/** An attempt whose retries are over, or that could not run at all, leaves the item as the ledger has it. */
async function attemptOnce(attempt: () => Promise<CallStep>, againMs: number): Promise<CallStep> {
  try {
    return await attempt();
  } catch {
    return { kind: 'later', afterMs: againMs, why: 'the attempt could not be completed; the ledger tells what holds' };
  }
}
