import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openingDeposit, type SigningPlan, type Situation, signingPlan } from '../../../src/client/signing-plan.js';
import { createCaseCounts } from '../../support/case-counts.js';

const MOST = 2n ** 96n - 1n;
const PLAIN: Situation = {
  base: 50n,
  amount: 10n,
  hints: {},
  chain: { deposit: 100n, settled: 0n },
  maxDeposit: 1000n,
  alreadyRefusedOnce: false,
};
const planned = (change: Partial<Situation>) => signingPlan({ ...PLAIN, ...change });
const sign = (cumulative: bigint): SigningPlan => ({ kind: 'sign', cumulative });

describe('which amount is signed', () => {
  it.each<[string, Partial<Situation>, SigningPlan]>([
    ['one price above the base where the server asks for nothing', {}, sign(60n)],
    ['exactly what is required, where it is one price above', { hints: { required: 60n } }, sign(60n)],
    ['exactly what is required, where it is less than a price above', { hints: { required: 53n } }, sign(53n)],
    ['one price above the base where more is required', { hints: { required: 61n } }, sign(60n)],
    ['one price above the base where all of it is required', { hints: { required: MOST } }, sign(60n)],
    ['one price above the base where no more than the base is required', { hints: { required: 50n } }, sign(60n)],
    [
      'one price above what is settled on chain, if that is higher',
      { chain: { deposit: 100n, settled: 80n } },
      sign(90n),
    ],
    ['up to the deposit', { base: 90n }, sign(100n)],
    [
      'nothing after a refusal that no signature explains',
      { alreadyRefusedOnce: true, hints: { required: 60n } },
      { kind: 'refuse', reason: 'hint_unprovable', cumulative: 60n },
    ],
    [
      'nothing above maxDeposit, whatever the deposit is',
      { maxDeposit: 59n },
      { kind: 'refuse', reason: 'over_max_deposit', cumulative: 60n },
    ],
    ['after a top-up by what is missing', { base: 95n }, { kind: 'topUp', cumulative: 105n, additional: 5n }],
    [
      'after a top-up by what the server suggests',
      { base: 95n, hints: { suggestedDeposit: 100n } },
      { kind: 'topUp', cumulative: 105n, additional: 100n },
    ],
    [
      'after a top-up that keeps the deposit within maxDeposit',
      { base: 95n, maxDeposit: 120n, hints: { suggestedDeposit: 100n } },
      { kind: 'topUp', cumulative: 105n, additional: 20n },
    ],
  ])('%s', (_promise, change, plan) => {
    expect(planned(change)).toEqual(plan);
  });
});

const amount = fc.bigInt({ min: 0n, max: MOST });
const price = fc.bigInt({ min: 1n, max: MOST });
/** Numbers near each other, so that the borders of the rule are met, and numbers from everywhere. */
const near = fc.bigInt({ min: 0n, max: 40n });
const situations = (amounts: fc.Arbitrary<bigint>, prices: fc.Arbitrary<bigint>): fc.Arbitrary<Situation> =>
  fc.record({
    base: amounts,
    amount: prices,
    hints: fc.record(
      { required: fc.option(amounts, { nil: undefined }), suggestedDeposit: fc.option(amounts, { nil: undefined }) },
      { requiredKeys: [] },
    ),
    chain: fc.record({ deposit: amounts, settled: amounts }),
    maxDeposit: prices,
    alreadyRefusedOnce: fc.boolean(),
  });
const anySituation = fc.oneof(situations(near, fc.bigInt({ min: 1n, max: 40n })), situations(amount, price));

type Rule = (situation: Situation) => SigningPlan;

/** What must hold of a rule whatever the server says. */
const neverGivesAwayMoreThanOnePrice = (rule: Rule) =>
  fc.property(anySituation, (situation) => {
    const { base, chain, maxDeposit } = situation;
    const provable = base > chain.settled ? base : chain.settled;
    const plan = rule(situation);
    if (plan.kind === 'refuse') return true;
    if (plan.kind === 'topUp') return plan.additional > 0n && chain.deposit + plan.additional <= maxDeposit;
    const { cumulative } = plan;
    return cumulative <= provable + situation.amount && cumulative <= chain.deposit && cumulative <= maxDeposit;
  });

const signsWhateverIsAsked: Rule = ({ base, amount: one, hints }) => sign(hints.required ?? base + one);

describe('whatever a server says', () => {
  it('at most one price above the provable base is signed, within the deposit on chain and maxDeposit', () => {
    const cases = createCaseCounts();
    const counted: Rule = (situation) => {
      const plan = signingPlan(situation);
      cases.count(plan.kind);
      return plan;
    };
    fc.assert(neverGivesAwayMoreThanOnePrice(counted), { numRuns: 5000 });
    cases.expectAtLeast({ sign: 50, topUp: 50, refuse: 500 });
  });

  it('the literal rule, to sign what is asked, gives more away', () => {
    expect(fc.check(neverGivesAwayMoreThanOnePrice(signsWhateverIsAsked), { numRuns: 5000 }).failed).toBe(true);
  });

  it('a signed amount is above what was signed before: each voucher pays for something', () => {
    const cases = createCaseCounts();
    fc.assert(
      fc.property(anySituation, (situation) => {
        const plan = signingPlan(situation);
        cases.count(plan.kind);
        return plan.kind !== 'sign' || plan.cumulative > situation.base;
      }),
      { numRuns: 1_000 },
    );
    cases.expectAtLeast({ sign: 10 });
  });

  it('a top-up is enough for the voucher that it is made for', () => {
    const cases = createCaseCounts();
    fc.assert(
      fc.property(anySituation, (situation) => {
        const plan = signingPlan(situation);
        cases.count(plan.kind);
        if (plan.kind !== 'topUp') return true;
        const deposit = situation.chain.deposit + plan.additional;
        const after = signingPlan({ ...situation, chain: { ...situation.chain, deposit } });
        return after.kind === 'sign' && after.cumulative === plan.cumulative;
      }),
      { numRuns: 1_000 },
    );
    cases.expectAtLeast({ topUp: 10 });
  });

  it('an honest server that lost no request is paid exactly what it asks', () => {
    fc.assert(
      fc.property(near, fc.bigInt({ min: 1n, max: 40n }), (base, one) => {
        const plan = planned({ base, amount: one, hints: { required: base + one } });
        expect(plan).toEqual(sign(base + one));
      }),
    );
  });
});

describe('the deposit of a new channel', () => {
  it.each([
    ['what is suggested', { amount: 10n, suggestedDeposit: 500n, maxDeposit: 1000n }, 500n],
    ['at most maxDeposit', { amount: 10n, suggestedDeposit: MOST, maxDeposit: 1000n }, 1000n],
    ['at least one price', { amount: 10n, suggestedDeposit: 0n, maxDeposit: 1000n }, 10n],
    ['one price where nothing is suggested', { amount: 10n, maxDeposit: 1000n }, 10n],
    ['none where one price is over maxDeposit', { amount: 10n, suggestedDeposit: 500n, maxDeposit: 9n }, undefined],
  ])('is %s', (_promise, terms, deposit) => {
    expect(openingDeposit(terms)).toBe(deposit);
  });
});
