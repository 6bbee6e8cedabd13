import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../../../sandbox/stack/project-root.js';
import { CERTAINTIES } from '../../../../src/domain/calls/certainty.js';
import { ATTENTION_REASONS, type AttentionReason } from '../../../../src/domain/decisions/attention.js';
import {
  actionsOf,
  DECIDABLE_KINDS,
  DECISIONS,
  type DecidableKind,
} from '../../../../src/domain/decisions/decisions.js';
import { runbookOf, whyAsked } from '../../../../src/domain/explanations/attention-reasons.js';
import { type Explainable, explain, explanationLines } from '../../../../src/domain/explanations/explain.js';
import { effectOf } from '../../../../src/domain/explanations/what-an-action-does.js';
import { type MoneyFacts, PLACES, whereMoneyIs } from '../../../../src/domain/explanations/where-money-is.js';
import { whyItStands } from '../../../../src/domain/explanations/why-it-stands.js';
import { DISPUTE_STATUSES } from '../../../../src/domain/marketplace/disputes.js';
import {
  ORDER_STATUSES,
  PAYMENT_STATUSES,
  REFUND_STATUSES,
  REVERSAL_STATUSES,
  TRANSFER_STATUSES,
} from '../../../../src/domain/marketplace/marketplace-status.js';
import { SETTLEMENT_STATUSES } from '../../../../src/domain/settlements/settlement-status.js';

const SINCE = '2026-11-21T09:55:00.000Z';
const CAPTURED = [
  { surely: 0n, known: true },
  { surely: 400n, known: true },
  { surely: 0n, known: false },
];

/** Every fact that can stand beside a status: each certainty, each amount captured, each place of funds. */
const FACTS: readonly MoneyFacts[] = [
  ...SETTLEMENT_STATUSES.flatMap((status) =>
    CERTAINTIES.flatMap((certainty) =>
      (['auth-server:x402', 'tempo'] as const).map((provider) => ({
        kind: 'settlement' as const,
        status,
        certainty,
        provider,
      })),
    ),
  ),
  ...PAYMENT_STATUSES.flatMap((status) => CAPTURED.map((captured) => ({ kind: 'payment' as const, status, captured }))),
  ...REFUND_STATUSES.flatMap((status) =>
    CERTAINTIES.map((certainty) => ({ kind: 'refund' as const, status, certainty })),
  ),
  ...TRANSFER_STATUSES.flatMap((status) =>
    CERTAINTIES.map((certainty) => ({
      kind: 'transfer' as const,
      status,
      certainty,
      amount: 600n,
      amountReversed: 100n,
    })),
  ),
  ...REVERSAL_STATUSES.flatMap((status) =>
    CERTAINTIES.map((certainty) => ({ kind: 'reversal' as const, status, certainty, counted: 0n })),
  ),
  ...DISPUTE_STATUSES.flatMap((status) =>
    (['none', 'out', 'back'] as const).map((funds) => ({ kind: 'dispute' as const, status, funds, out: 5n })),
  ),
];

const item = (money: MoneyFacts, change: Partial<Explainable> = {}): Explainable => ({
  id: 'x',
  money,
  certainty: 'certainty' in money ? money.certainty : 'done',
  amount: '600 USD',
  attention: null,
  decision: null,
  next: 'it is sent',
  nextAt: null,
  notTaken: [],
  ...change,
});
const asked = (reason: AttentionReason) => ({ reason, since: SINCE, detail: 'its own words' });
const REVERSAL = { kind: 'reversal', status: 'permanently_failed', certainty: 'absent', counted: 0n } as const;

describe('money in another currency than its order', () => {
  it('says what it is at Stripe, at which rate, and what a reversal was for its seller', () => {
    const conversion = { currency: 'EUR', amount: 920n, exchangeRate: '0.92' };
    const transfer = {
      kind: 'transfer',
      status: 'completed',
      certainty: 'done',
      amount: 1_000n,
      amountReversed: 0n,
    } as const;
    expect(whereMoneyIs({ ...transfer, conversion }).words).toBe(
      'with the seller; at Stripe it is 920 EUR (minor units), at a rate of 0.92',
    );
    const seller = { currency: 'GBP', got: 391n, gave: 414n };
    const reversal = { kind: 'reversal', status: 'reversed', certainty: 'done', counted: 0n } as const;
    expect(whereMoneyIs({ ...reversal, conversion: { currency: 'EUR', amount: 460n }, seller }).words).toBe(
      "back in our Stripe balance; at Stripe it is 460 EUR (minor units); of the seller's own balance 414 GBP were taken, where this part had brought him 391",
    );
  });
});

describe('an explanation', () => {
  it('says of every status, with every certainty and every reason, where the money is, why, and what can be decided', () => {
    const reasons = [null, ...ATTENTION_REASONS];
    const untold = FACTS.flatMap((money) =>
      reasons
        .filter((reason) => {
          const explained = explain(item(money, { attention: reason && asked(reason) }));
          const { with: places, words } = explained.money;
          return !(
            words.length > 10 &&
            places.length > 0 &&
            places.every((place) => PLACES.includes(place)) &&
            explained.why.startsWith(whyItStands(money.kind, money.status)) &&
            (reason === null || explained.why.includes(`(${reason}): its own words`)) &&
            (reason === null || reason === 'approval_pending' || explained.decisions.length > 0) &&
            (explained.runbook === null) === (reason === null)
          );
        })
        .map((reason) => [money.kind, money.status, reason]),
    );
    expect(untold).toEqual([]);
    expect(FACTS.length * reasons.length).toBeGreaterThan(3_000);
  });

  it('knows every status of an order', () => {
    for (const status of ORDER_STATUSES) expect(whyItStands('order', status)).toMatch(/\w/);
    expect(() => whyItStands('order', 'settled')).toThrow('order has no status settled');
  });

  it.each<[MoneyFacts, readonly string[]]>([
    [{ kind: 'settlement', status: 'open', certainty: 'not_sent', provider: 'auth-server:atxp' }, ['nobody']],
    [{ kind: 'settlement', status: 'pending', certainty: 'absent', provider: 'auth-server:atxp' }, ['buyer']],
    [
      { kind: 'settlement', status: 'pending', certainty: 'unknown', provider: 'auth-server:x402' },
      ['buyer', 'auth_server'],
    ],
    [{ kind: 'settlement', status: 'settled', certainty: 'done', provider: 'tempo' }, ['chain']],
    [{ kind: 'settlement', status: 'written_off', certainty: 'done', provider: 'auth-server:x402' }, ['auth_server']],
    [{ kind: 'payment', status: 'succeeded', captured: { surely: 9n, known: true } }, ['platform']],
    [{ kind: 'payment', status: 'cancelled', captured: { surely: 0n, known: true } }, ['buyer']],
    [{ kind: 'refund', status: 'pending', certainty: 'absent' }, ['platform']],
    [{ kind: 'refund', status: 'succeeded', certainty: 'done' }, ['buyer']],
    [
      { kind: 'transfer', status: 'failed', certainty: 'unknown', amount: 9n, amountReversed: 0n },
      ['platform', 'seller'],
    ],
    [{ kind: 'transfer', status: 'held', certainty: 'not_sent', amount: 9n, amountReversed: 0n }, ['platform']],
    [{ kind: 'reversal', status: 'waiting_balance', certainty: 'absent', counted: 0n }, ['seller']],
    [{ kind: 'reversal', status: 'reversed', certainty: 'done', counted: 0n }, ['platform']],
    [{ kind: 'dispute', status: 'won', funds: 'out', out: 9n }, ['buyer']],
  ])('has the money where it is, case %#', (money, places) => {
    expect(whereMoneyIs(money).with, `${money.kind} ${money.status}`).toEqual(places);
  });

  it('names what each decision would do, whose word it takes and what to type', () => {
    const { decisions } = explain(item(REVERSAL, { attention: asked('retries_exhausted') }));
    expect(decisions.map(({ action }) => action)).toEqual(['retry', 'adopt', 'write_off']);
    expect(decisions[0]).toEqual({
      action: 'retry',
      does: "looks at Stripe's records, and takes back what is not taken yet",
      persons: 'one person, whoever it is',
      command: 'makegood resolve x retry --note "…"',
    });
    const foreign = explain(item(REVERSAL, { attention: asked('exceeds_remainder') })).decisions;
    expect(foreign.map(({ action }) => action)).toContain('take_missing');
  });

  it('asks for two persons where nobody knows whether what is given up has moved', () => {
    const unknown = { kind: 'settlement', status: 'needs_attention', certainty: 'unknown', provider: 'tempo' } as const;
    const { decisions } = explain(item(unknown, { attention: asked('conflict') }));
    expect(decisions.find(({ action }) => action === 'write_off')?.persons).toMatch(/^two persons/);
  });

  it('offers only to acknowledge what nothing can change any more', () => {
    const late = { kind: 'settlement', status: 'written_off', certainty: 'done', provider: 'tempo' } as const;
    expect(explain(item(late, { attention: asked('late_success') })).decisions).toMatchObject([
      { action: 'settled', does: expect.stringMatching(/^acknowledges/) },
    ]);
    const taken = { ...REVERSAL, certainty: 'done' } as const;
    expect(explain(item(taken, { attention: asked('late_success') })).decisions).toMatchObject([{ action: 'adopt' }]);
  });

  it('names the decision that waits for its second person, and who asked', () => {
    const decision = {
      id: 'd',
      action: 'write_off',
      by: 'ann',
      authenticated: true,
      firstApprover: null,
      note: 'gone',
      requestedAt: SINCE,
    };
    const waits = item(REVERSAL, { attention: asked('approval_pending'), decision });
    expect(explain(waits).decisions).toMatchObject([
      { action: 'approve', persons: 'one more person', command: 'makegood approve d --note "…"' },
    ]);
    expect(explain(waits).decisions[0]?.does).toMatch(/^confirms what ann asked for, write_off \("gone"\): gives/);
    const claimed = explain({ ...waits, decision: { ...decision, authenticated: false } });
    expect(claimed.decisions[0]?.persons).toMatch(/^two more persons/);
  });

  it('lets a person decide about a transfer that waits, and about nothing else that nobody asks', () => {
    const waits = { kind: 'transfer', status: 'waiting_seller', certainty: 'not_sent', amount: 9n, amountReversed: 0n };
    expect(explain(item(waits as MoneyFacts)).decisions.map(({ action }) => action)).toEqual([
      'retry',
      'adopt',
      'write_off',
    ]);
    expect(explain(item({ ...REVERSAL, status: 'pending' })).decisions).toEqual([]);
  });

  it.each([
    ['settled', 'makegood resolve x settled --tx-hash 0x… --note "…"'],
    ['write_off', 'makegood resolve x write_off --note "…"'],
  ])('of a charge, %s, is typed with what it may be shown', (action, command) => {
    const charge: MoneyFacts = {
      kind: 'settlement',
      status: 'needs_attention',
      certainty: 'unknown',
      provider: 'tempo',
    };
    const { decisions } = explain(item(charge, { attention: asked('conflict') }));
    expect(decisions.find((one) => one.action === action)?.command).toBe(command);
  });

  it('is told in lines', () => {
    expect(explanationLines(explain(item(REVERSAL, { attention: asked('balance_horizon') }))).join('\n')).toBe(
      `reversal x: 600 USD, permanently_failed (money: absent)
where the money is: with the seller: it has not been taken back
why: it could not be taken back. A person is asked since ${SINCE}, because the seller's balance at Stripe has been too low for longer than we wait (balance_horizon): its own words
what happens next: it is sent
what you can do:
  retry: looks at Stripe's records, and takes back what is not taken yet
    takes one person, whoever it is: makegood resolve x retry --note "…"
  adopt: says that a reversal at Stripe is this one (--evidence stripe_reversal_id): nothing is taken
    takes one person where the provider confirms it; else one below APPROVAL_THRESHOLD, and two from it on: makegood resolve x adopt --evidence '{"stripe_reversal_id":"…"}' --note "…"
  take_available: takes what the seller has there now, or so much of it as is named as evidence (amount); the rest goes on waiting, as a reversal of its own
    takes one person below APPROVAL_THRESHOLD, two from it on: makegood resolve x take_available --note "…"
  offset: takes nothing at Stripe: the seller owes it, and it is kept of his next transfers in this currency, at most OFFSET_LIMIT of each
    takes one person below APPROVAL_THRESHOLD, two from it on: makegood resolve x offset --note "…"
  write_off: gives the share up: the seller keeps it and the platform bears it, and Stripe is asked first that it was not taken
    takes one person below APPROVAL_THRESHOLD, two from it on: makegood resolve x write_off --note "…"
runbook: docs/runbooks/insufficient-balance.md`,
    );
  });
});

describe('a reason', () => {
  it.each(ATTENTION_REASONS.flatMap((reason) => DECIDABLE_KINDS.map((kind) => [kind, reason] as const)))(
    'of a %s, %s, is told in words and has a runbook',
    (kind, reason) => {
      expect(whyAsked(kind, reason)).toMatch(/^[A-Za-z].{15}/);
      expect(existsSync(join(projectRoot(), runbookOf(kind, reason)))).toBe(true);
    },
  );
});

describe('a decision', () => {
  it.each(DECIDABLE_KINDS)('of a %s says what it would do, whichever it is', (kind: DecidableKind) => {
    for (const action of Object.keys(DECISIONS[kind])) expect(effectOf(kind, action)).toMatch(/^[a-z].{15}/);
    expect(new Set(actionsOf(kind).map((action) => effectOf(kind, action))).size).toBe(actionsOf(kind).length);
    expect(() => effectOf(kind, 'guess')).toThrow('has no action guess');
  });
});
