import type { WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Resolution, resolveSignal, resolveUpdate, stateQuery } from '../../../workflows/messages.js';
import { CALL_KINDS, type CallUnderTest } from '../../support/marketplace/stripe-call-kinds.js';
import { type MarketplaceTest, openMarketplaceTest } from '../../support/marketplace/time-skipping.js';

/** What operators say to the workflow of a stuck transfer or reversal, by signal and by update. */

let market: MarketplaceTest;

beforeAll(async () => {
  market = await openMarketplaceTest({
    settings: { TRANSFER_RETRY_MAX: '0', REVERSAL_MAX_RETRIES: '0' },
    approvalThreshold: 1_000n,
  });
});
afterAll(() => market.dispose());
afterEach(() => market.stripe.setFaults([]));

describe.each(CALL_KINDS)('a $kind that needs a person', ({ kind, endpoint, evidence: named, begin }) => {
  /** Refused once: nothing has moved, and that is certain. */
  async function stuck(): Promise<CallUnderTest> {
    market.stripe.setFaults([{ kinds: ['refused'], on: [endpoint], times: 1 }]);
    const call = await begin(market);
    await market.untilIn('needs_attention', kind, call.id);
    expect(await call.read()).toMatchObject({ certainty: 'absent', status: 'permanently_failed' });
    return call;
  }
  const handleOf = ({ id }: CallUnderTest) => market.handle(kind, id);
  const said = (changes: Partial<Resolution> | Record<string, unknown>) =>
    ({ action: 'retry', by: 'ann', note: 'by hand', ...changes }) as Resolution;
  const update = (call: CallUnderTest, changes: Partial<Resolution> | Record<string, unknown>) =>
    handleOf(call).executeUpdate(resolveUpdate, { args: [said(changes)] });
  const signal = (call: CallUnderTest, changes: Partial<Resolution> | Record<string, unknown>) =>
    handleOf(call).signal(resolveSignal, said(changes));
  const decisionsOn = ({ id }: CallUnderTest) =>
    market.test.database.query(
      'SELECT action, state, by, authenticated FROM decisions WHERE item_id = $1 ORDER BY requested_at',
      [id],
    );
  const untilEnded = (call: CallUnderTest) =>
    market.until('its workflow ends', async () => (await handleOf(call).describe()).status.name === 'COMPLETED');

  it('is tried again by a signal, with every retry and under a new key, and who said so is on record', async () => {
    const call = await stuck();
    await signal(call, {});
    await call.untilDone();
    expect(call.posts().map(({ idempotencyKey }) => idempotencyKey)).toEqual([call.id, `${call.id}:g2`]);
    expect(await decisionsOn(call)).toEqual([{ action: 'retry', state: 'applied', by: 'ann', authenticated: false }]);
    expect(call.moved()).toBe(1);
    await untilEnded(call);
  });

  it('is adopted by an update that names what Stripe holds, and is never sent again', async () => {
    const call = await stuck();
    const there = await call.byHand(1_000, call.id);
    const answer = await update(call, { action: 'adopt', evidence: { [named]: there } });
    expect(answer).toMatchObject({ outcome: 'applied' });
    await untilEnded(call);
    expect(await call.read()).toMatchObject({ stripeId: there, certainty: 'done', attention: null });
    expect(call.posts().filter(({ idempotencyKey }) => idempotencyKey !== null)).toHaveLength(1);
    expect(call.moved()).toBe(1);
  });

  it.each([
    ['nothing', () => Promise.resolve(undefined), /holds nothing of ours/],
    ['what is not there', () => Promise.resolve('tr_nowhere'), /is not at Stripe/],
    ['another amount', (call: CallUnderTest) => call.byHand(400), /is 400 USD/],
    ['what is marked as another’s', (call: CallUnderTest) => call.byHand(1_000, 'another'), /1000 USD/],
  ])('is not adopted when the evidence names %s', async (_what, there, why) => {
    const call = await stuck();
    const id = await there(call);
    const answer = await update(call, { action: 'adopt', ...(id === undefined ? {} : { evidence: { [named]: id } }) });
    expect(answer).toMatchObject({ outcome: 'refused', detail: expect.stringMatching(why) as string });
    expect(await call.read()).toMatchObject({ stripeId: null, status: 'permanently_failed' });
    expect(await decisionsOn(call)).toEqual([]);
    expect(await handleOf(call).query(stateQuery)).toMatchObject({ phase: 'needs_attention' });
  });

  it('is given up on a bare word from the threshold on only when two persons agree, who are asked for by its workflow', async () => {
    const call = await stuck();
    const asked = await update(call, { action: 'write_off' });
    expect(asked).toMatchObject({ outcome: 'pending_approval' });
    await market.until('it says what it waits for', async () => {
      return (await handleOf(call).query(stateQuery)).reason === 'approval_pending';
    });
    const approval = { decisionId: asked.decision_id as never, note: 'seen' };
    // The name in an update counts for nobody: it takes two whom we know, and Ann may be one of them.
    expect(await market.world.resolution.approve({ ...approval, by: 'ann' })).toMatchObject({
      kind: 'pending_approval',
    });
    expect(await market.world.resolution.approve({ ...approval, by: 'ann' })).toMatchObject({ kind: 'self_approval' });
    expect(await market.world.resolution.approve({ ...approval, by: 'berta' })).toMatchObject({ kind: 'applied' });
    market.world.wake([{ kind, id: call.id }]);
    await untilEnded(call);
    expect(call.moved()).toBe(0);
  });

  it('is decided once: the first of many wins, the others are recorded as ignored', async () => {
    const call = await stuck();
    await signal(call, { by: 'first' });
    await signal(call, { action: 'write_off', by: 'second' });
    await signal(call, { action: 'adopt', by: 'third', evidence: { [named]: 'tr_1' } });
    await call.untilDone();
    await untilEnded(call);
    expect(await decisionsOn(call)).toEqual([
      { action: 'retry', state: 'applied', by: 'first', authenticated: false },
      { action: 'write_off', state: 'ignored', by: 'second', authenticated: false },
      { action: 'adopt', state: 'ignored', by: 'third', authenticated: false },
    ]);
    expect(call.moved()).toBe(1);
  });

  it('takes a signal that came while its call was still tried, as soon as it needs one', async () => {
    market.stripe.setFaults([
      { kinds: ['rate_limited'], on: [endpoint], times: 1, retryAfterSeconds: 30 },
      { kinds: ['refused'], on: [endpoint], times: 1 },
    ]);
    const call = await begin(market);
    await market.untilIn('waiting_to_retry', kind, call.id);
    await signal(call, { by: 'early' });
    await call.untilDone();
    expect(await decisionsOn(call)).toMatchObject([{ action: 'retry', state: 'applied', by: 'early' }]);
    expect(call.moved()).toBe(1);
  });

  it.each([
    ['an action that is none of its own', { action: 'compensate' }, /action is one of retry, adopt, .*write_off/],
    ['nobody’s name', { by: ' ' }, /by names who decides/],
    ['a note that is no text', { note: 7 }, /note is a text/],
    ['evidence that is no object', { evidence: ['trr_1'] }, /evidence is an object/],
  ])('refuses %s, and records nothing', async (_what, changes, why) => {
    const call = await stuck();
    const failure = await update(call, changes).catch((error: WorkflowUpdateFailedError) => error);
    expect(failure).toMatchObject({
      cause: { type: 'InvalidResolution', message: expect.stringMatching(why) as string },
    });
    await signal(call, changes);
    await market.until('the signal is answered', async () => {
      return (await handleOf(call).query(stateQuery)).ignored.some((each) => why.test(each.why));
    });
    expect(await decisionsOn(call)).toEqual([]);
    expect(await call.read()).toMatchObject({ status: 'permanently_failed' });
  });

  it.each([
    ['a NUL in the note', { note: 'a\0b' }, /^note holds a NUL character$/],
    ['half a surrogate pair in the name', { by: 'ann\ud800' }, /^by holds half of a surrogate pair$/],
    ['a NUL in the evidence', { evidence: { reference: 'x\0' } }, /^evidence: reference holds a NUL character$/],
    ['evidence of nothing', { evidence: { proof: { of: 'x' } } }, /^evidence about a \w+ is /],
    ['evidence too long for an index', { evidence: { reference: 'x'.repeat(501) } }, /reference is a text of 1 to 500/],
  ])('answers %s, which the ledger cannot keep, and takes the next decision', async (_what, changes, why) => {
    const call = await stuck();
    expect(await update(call, changes)).toMatchObject({
      outcome: 'refused',
      detail: expect.stringMatching(why) as string,
    });
    await signal(call, changes);
    await market.until('the signal is answered', async () => {
      return (await handleOf(call).query(stateQuery)).ignored.length === 2;
    });
    const { phase, ignored } = await handleOf(call).query(stateQuery);
    expect(phase).toBe('needs_attention');
    for (const each of ignored) {
      expect(each.why).toMatch(why);
      expect(each.by).toMatch(/^ann\ufffd?$/);
    }
    expect(await decisionsOn(call)).toEqual([]);
    await signal(call, { by: 'berta' });
    await call.untilDone();
    expect(await decisionsOn(call)).toMatchObject([{ action: 'retry', state: 'applied', by: 'berta' }]);
    await untilEnded(call);
  });
});

describe('a payment', () => {
  it('takes no decision while it waits for its buyer, and ends when it is paid whatever was said to it', async () => {
    market.hyperswitch.setAuto({});
    const order = await market.pay({ acct_1Undecided: 1_000n });
    const { id = '', hyperswitchPaymentId } = order.payment ?? {};
    const handle = market.handle('payment', id);
    await market.untilIn('waiting', 'payment', id);
    await handle.signal(resolveSignal, { action: 'retry', by: 'ann', note: 'please' });
    await market.hyperswitch.movePayment(hyperswitchPaymentId ?? '', { to: 'succeeded' });
    await market.until('it ends', async () => (await handle.describe()).status.name === 'COMPLETED');
    expect(await handle.query(stateQuery)).toMatchObject({
      phase: 'finished',
      ignored: [{ by: 'ann', action: 'retry', why: 'not waiting, it is succeeded' }],
    });
    expect((await market.order(order)).status).toBe('paid');
  });
});
