import type { PayoutFacts } from '../../domain/calls/payout-answers.js';
import type { Suspicion } from '../../domain/reconciliation/drift.js';
import { judgePayout, stateOfPayout, unknownPayout } from '../../domain/reconciliation/judge-payouts.js';
import { isYoung } from '../../domain/reconciliation/judge-stripe.js';
import type { StripeCalls } from '../../providers/stripe/client.js';
import { type ComparisonDependencies, isFound, type Page, type Place, unread, youngSince } from './comparison.js';

/**
 * Payouts of one seller after the other. The cursor is a seller who is done, or a seller and the last of his that was read.
 *
 * What Stripe has and the ledger does not is taken in, as its event would have been, and told as repaired: nothing moves by it, and a failure
 * asks a person.
 */
export async function payoutsPage(
  { runId, cursor, since }: Place,
  calls: StripeCalls,
  sides: ComparisonDependencies,
): Promise<Page> {
  const { ledger } = sides;
  const [place, after] = cursor?.split(' ') ?? [];
  const account = after === undefined ? await ledger.sellerPaidOut(since, place ?? null) : place;
  if (account === undefined) return page({ cursor: null, last: true });
  const answer = await calls.payoutsSince(account, { createdSince: new Date(since), startingAfter: after ?? null });
  // Who does not let us in has none that could be compared, and nobody takes what we know of him for missing.
  if (answer.kind === 'missing' || (answer.kind === 'misdirected' && answer.scope === 'seller'))
    return page({ cursor: account, named: await ledger.payoutNamesOf(account, since) });
  if (answer.kind !== 'found') return unread(answer, `the payouts of ${account} are not listed`);
  const { items, next, unreadable } = answer.value;
  return page({
    cursor: next === null ? account : `${account} ${next}`,
    named: [...items.map(({ externalPayoutId }) => externalPayoutId), ...unreadable],
    lookedAt: items.length,
    suspicions: await takeIn(items, runId, sides),
    uncompared: unreadable.map((name) => `payouts: ${name}`),
  });
}

const page = (of: Partial<Extract<Page, { kind: 'page' }>> & { readonly cursor: string | null }): Page => ({
  kind: 'page',
  named: [],
  lookedAt: 0,
  suspicions: [],
  last: false,
  ...of,
});

async function takeIn(
  facts: readonly PayoutFacts[],
  runId: Place['runId'],
  sides: ComparisonDependencies,
): Promise<readonly Suspicion[]> {
  const { ledger } = sides;
  const rowOf = await rowsOf(facts, sides);
  const suspicions: Suspicion[] = [];
  for (const held of facts) {
    const known = rowOf(held);
    if (!known && isYoung(held.madeAt, youngSince(sides))) continue;
    const seen = known ? judgePayout(held, known) : unknownPayout(held);
    if (!seen) continue;
    if (known && stateOfPayout(held, known) === 'differs') {
      suspicions.push(seen);
      continue;
    }
    await ledger.savePayout(held);
    const now = (await rowsOf([held], sides))(held);
    // One that went back at Stripe changes nothing here.
    if (now && now.status === held.status)
      await ledger.driftRepaired(runId, seen, 'it was taken in as Stripe shows it');
    else suspicions.push(seen);
  }
  return suspicions;
}

async function rowsOf(facts: readonly PayoutFacts[], { ledger }: ComparisonDependencies) {
  const rows = await ledger.heldPayouts(facts.map(({ externalPayoutId }) => externalPayoutId));
  return ({ externalPayoutId }: PayoutFacts) => rows.find((row) => row.externalPayoutId === externalPayoutId);
}

/** At the second look nothing is taken in. */
export async function suspectPayouts(
  facts: readonly PayoutFacts[],
  sides: ComparisonDependencies,
): Promise<readonly Suspicion[]> {
  const rowOf = await rowsOf(facts, sides);
  return facts
    .map((held) => {
      const known = rowOf(held);
      return known && judgePayout(held, known);
    })
    .filter(isFound);
}
