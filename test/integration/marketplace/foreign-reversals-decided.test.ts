import { beforeEach, describe, expect, it } from 'vitest';
import type { StripeReader } from '../../../src/calls/decisions/ask-stripe.js';
import { createResolution } from '../../../src/calls/decisions/decide.js';
import { lookForReversal } from '../../../src/calls/marketplace/reversal-look.js';
import type { ReversalFacts } from '../../../src/domain/calls/provider-answers.js';
import { newDecisionId, type ReversalId } from '../../../src/domain/ids.js';
import { MINUTE_MS } from '../../support/durations.js';
import { unique } from '../../support/marketplace/fixtures.js';
import { marketplaceLedgerForFile, REFUSED, UNKNOWN } from '../../support/marketplace/steps.js';

/** What others reversed of a transfer is decided about one by one, by its id at Stripe, and by whoever gives that much up. */

const { test, steps } = await marketplaceLedgerForFile({ approvalThreshold: 1_000n });
beforeEach(() => steps.pass(25 * 60 * MINUTE_MS));

/** A transfer that was sent, and refunds of so much of it whose shares are due. */
async function sentOf(amount: number, refunds: readonly number[]) {
  const seller = unique('acct');
  const order = await steps.paid({ [seller]: amount });
  const transferId = order.transfers[seller];
  if (!transferId) throw new Error('nothing was promised');
  await steps.send(transferId);
  const { stripeTransferId } = await steps.transfer(transferId);
  const made = { order, seller, amount, transferId, stripeTransferId: stripeTransferId ?? '' };
  const ids: ReversalId[] = [];
  for (const refund of refunds) ids.push(await dueOf(made, refund));
  return { ...made, ids };
}
type Sent = Omit<Awaited<ReturnType<typeof sentOf>>, 'ids'>;

/** @returns the share that a refund of so much makes due */
async function dueOf({ order }: Pick<Sent, 'order'>, amount: number): Promise<ReversalId> {
  const before = (await steps.find(order.id)).reversals.map(({ id }) => id);
  await steps.refunded(order.id, amount);
  const due = (await steps.find(order.id)).reversals.find(({ id }) => !before.includes(id));
  if (!due) throw new Error('no share is due');
  return due.id;
}

type Shown = Pick<ReversalFacts, 'stripeReversalId' | 'amount'> & Partial<ReversalFacts>;
const taken = (stripeReversalId: string, amount: number, more: Partial<ReversalFacts> = {}): Shown => ({
  stripeReversalId: `${stripeReversalId}_${unique('x')}`,
  amount: BigInt(amount),
  ...more,
});

/** A Stripe that shows these reversals of it. */
function shows({ stripeTransferId, amount, seller, order }: Sent, reversals: readonly Shown[]): StripeReader {
  const common = { currency: 'USD', createdAt: '2026-11-28T00:00:00.000Z', metadata: {} };
  const all = reversals.map((one) => ({ ...common, stripeTransferId, state: 'done' as const, ...one }));
  const transfer = {
    ...common,
    stripeTransferId,
    amount: BigInt(amount),
    amountReversed: all.reduce((sum, one) => sum + (one.state === 'done' ? one.amount : 0n), 0n),
    destination: seller,
    transferGroup: order.id,
    livemode: false,
  };
  return {
    inLane: () => ({
      readTransfer: () => Promise.resolve({ kind: 'found', value: { transfer, reversals: all } }),
      readDispute: () => Promise.resolve({ kind: 'missing' as const, detail: 'none' }),
      transfersTo: () => Promise.resolve({ kind: 'missing', detail: 'none' }),
    }),
  };
}

const looked = async (stripe: StripeReader, id: ReversalId) =>
  await lookForReversal(stripe, await steps.holdReversal(id));

/** The worker looks, and asks a person about what it is shown. */
async function asks(stripe: StripeReader, id: ReversalId): Promise<void> {
  const claim = await steps.holdReversal(id);
  const seen = await lookForReversal(stripe, claim);
  if (seen.kind !== 'hopeless') throw new Error(`it asks nobody: ${seen.kind}`);
  await test.ledger.recordReversal({
    id,
    runner: claim.runner,
    decision: { do: 'ask', certainty: claim.certainty, reason: 'partly_foreign_reversal' },
    detail: seen.detail,
    requestId: null,
    stripeId: null,
    source: 'lookup',
    parks: null,
    ...(seen.others && { others: seen.others }),
  });
}

const OLGA = { by: 'olga', authenticated: true };
const NOBODY = { by: 'anyone', authenticated: false };
const say = (
  stripe: StripeReader,
  itemId: ReversalId,
  said: { action: string; by: string; authenticated: boolean; evidence?: Record<string, string> },
) =>
  createResolution({ ledger: test.ledger, stripe, chain: undefined }).decide({
    id: newDecisionId(test.clock.nowMs()),
    kind: 'reversal',
    itemId,
    note: 'asked the seller',
    evidence: null,
    ...said,
  });

/** Others took much more than the share is that asks about it. */
async function muchTakenForLittle() {
  const sent = await sentOf(200_000, [100]);
  const [small] = sent.ids as [ReversalId];
  const stripe = shows(sent, [taken('trr_big', 50_000)]);
  await asks(stripe, small);
  return { sent, small, stripe };
}

/** What others took was counted as the first share; the second one, of as much, is still due. */
async function countedOnce() {
  const sent = await sentOf(1_200, [300, 300]);
  const [first, second] = sent.ids as [ReversalId, ReversalId];
  const once = taken('trr_once', 300);
  const stripe = shows(sent, [once]);
  await asks(stripe, first);
  expect(await say(stripe, first, { action: 'count_as_share', ...OLGA })).toMatchObject({ kind: 'applied' });
  return { sent, second, once, stripe };
}

describe('counting what others took as a share', () => {
  it('decides about so much and no more: the next share asks about the rest, and counts it', async () => {
    const { sent, small, stripe } = await muchTakenForLittle();
    expect(await say(stripe, small, { action: 'count_as_share', ...OLGA })).toMatchObject({ kind: 'applied' });
    const large = await dueOf(sent, 49_900);
    await asks(stripe, large);
    expect(await say(stripe, large, { action: 'count_as_share', ...OLGA })).toMatchObject({ kind: 'pending_approval' });
  });

  it('once keeps it from being adopted for another share', async () => {
    const { sent, second, once, stripe } = await countedOnce();
    await steps.reverse(second, REFUSED, { provedAbsent: true });
    const evidence = { stripe_reversal_id: once.stripeReversalId };
    expect(await say(stripe, second, { action: 'adopt', evidence, ...OLGA })).toMatchObject({
      kind: 'refused',
      detail: expect.stringContaining('has been decided about'),
    });
    expect((await steps.transfer(sent.transferId)).amountReversed).toBe(300n);
  });
});

describe('adopting what bears no mark of ours', () => {
  it('takes as many persons as counting it does', async () => {
    const sent = await sentOf(20_000, [5_000]);
    const [id] = sent.ids as [ReversalId];
    const foreign = taken('trr_dashboard', 5_000);
    const stripe = shows(sent, [foreign]);
    await asks(stripe, id);
    const adopt = { action: 'adopt', evidence: { stripe_reversal_id: foreign.stripeReversalId } };
    expect(await say(stripe, id, { ...adopt, ...NOBODY })).toMatchObject({ kind: 'pending_approval' });
    expect(await say(stripe, id, { ...adopt, ...OLGA })).toMatchObject({ kind: 'pending_approval' });
  });
});

describe('taking all beside what others took', () => {
  it('says of all of that what it was for: by two persons from the threshold on, however small the share', async () => {
    const { small, stripe } = await muchTakenForLittle();
    expect(await say(stripe, small, { action: 'take_all', ...OLGA })).toMatchObject({ kind: 'pending_approval' });
  });

  it('is refused when others have taken more than the person was told of', async () => {
    const sent = await sentOf(1_200, [300]);
    const [id] = sent.ids as [ReversalId];
    const told = taken('trr_told', 300);
    await asks(shows(sent, [told]), id);
    const now = shows(sent, [told, taken('trr_a_minute_ago', 300)]);
    expect(await say(now, id, { action: 'take_all', ...OLGA })).toMatchObject({
      kind: 'refused',
      detail: expect.stringContaining('trr_a_minute_ago'),
    });
    expect(await say(shows(sent, [told]), id, { action: 'take_all', ...OLGA })).toMatchObject({ kind: 'applied' });
  });

  it('leaves no room for another of theirs where the one that was decided about comes to nothing', async () => {
    const sent = await sentOf(1_200, [300]);
    const [first] = sent.ids as [ReversalId];
    const pending = taken('trr_pending', 300, { state: 'pending' });
    await asks(shows(sent, [pending]), first);
    expect(await say(shows(sent, [pending]), first, { action: 'take_all', ...OLGA })).toMatchObject({
      kind: 'applied',
    });
    expect(await looked(shows(sent, [pending]), first)).toEqual({ kind: 'absent' });
    steps.pass(2 * MINUTE_MS);
    await steps.reverse(first);
    const second = await dueOf(sent, 300);
    const ours = taken('trr_ours', 300, { metadata: { operation_id: first } });
    const after = shows(sent, [{ ...pending, state: 'canceled' }, taken('trr_new', 300), ours]);
    expect(await looked(after, second)).toMatchObject({ kind: 'hopeless', why: 'partly_foreign' });
  });
});

describe('a share of which others took a part, and whose refund fails before the rest is taken', () => {
  it('leaves that part with somebody: the transfer tells of it, and the next share asks about it', async () => {
    const sent = await sentOf(1_200, []);
    const refund = await steps.refunded(sent.order.id, 300);
    const [due] = (await steps.find(sent.order.id)).reversals;
    if (!due) throw new Error('no share is due');
    const stripe = shows(sent, [taken('trr_part', 120)]);
    await asks(stripe, due.id);
    expect(await say(stripe, due.id, { action: 'take_missing', ...OLGA })).toMatchObject({ kind: 'applied' });
    await steps.refundSays(refund, 'failed');
    expect(await steps.reversal(due.id)).toMatchObject({ status: 'written_off', counted: 0n });
    expect((await steps.transfer(sent.transferId)).attention).toMatchObject({
      reason: 'partly_foreign_reversal',
      detail: expect.stringContaining('120 USD'),
    });
    expect(await looked(stripe, await dueOf(sent, 200))).toMatchObject({ kind: 'hopeless', why: 'partly_foreign' });
  });
});

describe('while nobody knows what became of our own call', () => {
  it('no answer changes its amount or its key, or counts what it may yet take; once it is known all are open again', async () => {
    const sent = await sentOf(1_000, [300]);
    const [id] = sent.ids as [ReversalId];
    const first = taken('trr_first', 120);
    const beside = taken('trr_beside', 200);
    await asks(shows(sent, [first]), id);
    expect(await say(shows(sent, [first]), id, { action: 'take_missing', ...OLGA })).toMatchObject({ kind: 'applied' });
    await steps.reverse(id, UNKNOWN);
    steps.pass(MINUTE_MS);
    const both = shows(sent, [first, beside]);
    await asks(both, id);
    const frozen = () =>
      test.database.query('SELECT params, idempotency_key, counted FROM reversals WHERE id = $1', [id]);
    const before = await frozen();
    for (const action of ['take_missing', 'take_all', 'count_as_share'])
      expect(await say(both, id, { action, ...OLGA })).toMatchObject({
        kind: 'refused',
        detail: expect.stringContaining('an earlier call may still be carried out'),
      });
    expect(await frozen()).toEqual(before);
    await steps.longAbsent({ kind: 'reversal', id });
    expect(await say(both, id, { action: 'take_all', ...OLGA })).toMatchObject({ kind: 'applied' });
    expect(await steps.reversal(id)).toMatchObject({ status: 'pending', counted: 0n, certainty: 'not_sent' });
    expect(await frozen()).not.toEqual(before);
  });

  it('nothing that bears no mark of ours is adopted for it, until its own absence is proved', async () => {
    const sent = await sentOf(1_000, [300]);
    const [id] = sent.ids as [ReversalId];
    await steps.reverse(id, UNKNOWN);
    steps.pass(MINUTE_MS);
    const foreign = taken('trr_dashboard', 300);
    const stripe = shows(sent, [foreign]);
    await asks(stripe, id);
    const adopt = { action: 'adopt', evidence: { stripe_reversal_id: foreign.stripeReversalId }, ...OLGA };
    expect(await say(stripe, id, adopt)).toMatchObject({
      kind: 'refused',
      detail: expect.stringContaining('nobody knows yet'),
    });
    expect(await steps.reversal(id)).toMatchObject({ status: 'permanently_failed', certainty: 'unknown' });
    await steps.longAbsent({ kind: 'reversal', id });
    expect(await say(stripe, id, adopt)).toMatchObject({ kind: 'applied', status: 'reversed' });
  });

  it('take_all repeats the very call where nothing is counted', async () => {
    const sent = await sentOf(1_000, [300]);
    const [id] = sent.ids as [ReversalId];
    await steps.reverse(id, UNKNOWN);
    steps.pass(MINUTE_MS);
    const stripe = shows(sent, [taken('trr_other', 300)]);
    await asks(stripe, id);
    expect(await say(stripe, id, { action: 'count_as_share', ...OLGA })).toMatchObject({ kind: 'refused' });
    const key = async () =>
      (await test.database.query('SELECT idempotency_key, params FROM reversals WHERE id = $1', [id]))[0];
    const before = await key();
    expect(await say(stripe, id, { action: 'take_all', ...OLGA })).toMatchObject({ kind: 'applied' });
    expect(await key()).toEqual(before);
    expect(await steps.reversal(id)).toMatchObject({ status: 'pending', certainty: 'unknown' });
  });
});

it('what was counted before ids were kept is not adopted once more for another share', async () => {
  const { sent, second, once, stripe } = await countedOnce();
  // As it was kept: one sum, and no ids.
  await test.database.query('UPDATE seller_transfers SET foreign_decided = 300 WHERE id = $1', [sent.transferId]);
  await test.database.query('DELETE FROM foreign_decisions WHERE transfer_id = $1', [sent.transferId]);
  await asks(stripe, second);
  const evidence = { stripe_reversal_id: once.stripeReversalId };
  expect(await say(stripe, second, { action: 'adopt', evidence, ...OLGA })).toMatchObject({
    kind: 'refused',
    detail: expect.stringContaining('before ids were kept'),
  });
  expect((await steps.transfer(sent.transferId)).amountReversed).toBe(300n);
});
