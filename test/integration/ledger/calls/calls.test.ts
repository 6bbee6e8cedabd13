import { describe, expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../support/durations.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import {
  DONE,
  LOCKED_OUT,
  marketplaceLedgerForFile,
  REFUSED,
  THROTTLED,
  UNKNOWN,
} from '../../../support/marketplace/steps.js';
import { callsToStripe } from '../../../support/marketplace/stripe-calls.js';

const { test, steps } = await marketplaceLedgerForFile();
const callOf = callsToStripe(test, steps);

const inMs = (iso: string | null) => (iso === null ? null : new Date(iso).getTime() - test.clock.nowMs());

describe.each(['transfer', 'reversal'] as const)('the call of a %s', (kind) => {
  const { table, make, hold, claim, find, release, adopt, dueIds } = callOf[kind];

  it('is due at once, and again only when its next attempt is', async () => {
    const id = await make();
    expect(await dueIds()).toContain(id);
    await steps.attempt(await hold(id), UNKNOWN);
    const { nextRetryAt } = await find(id);
    expect(inMs(nextRetryAt)).toBeGreaterThan(0);
    expect(await dueIds()).not.toContain(id);
    expect(await claim(id)).toMatchObject({ kind: 'later', why: 'its next attempt is not due' });
    steps.pass(30 * SECOND_MS);
    expect(await dueIds()).toContain(id);
    expect(await claim(id)).toMatchObject({ kind: 'claimed' });
  });

  it('waits longer after each failure, 10 s at most and not 16, and then asks a person with its certainty kept', async () => {
    const id = await make();
    const waits: number[] = [];
    for (let failure = 0; failure < 5; failure += 1) {
      const { decision } = await steps.attempt(await hold(id), UNKNOWN);
      if (decision.do === 'retry') waits.push(decision.afterMs);
      expect(inMs((await find(id)).nextRetryAt)! / 1_000).toBeCloseTo(waits.at(-1)! / 1_000, 0);
      expect(await find(id)).toMatchObject({ retryCount: failure + 1, certainty: 'unknown' });
      steps.pass(11 * SECOND_MS);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 10_000]);
    await steps.attempt(await hold(id), UNKNOWN);
    expect(await find(id)).toMatchObject({
      certainty: 'unknown',
      retryCount: 5,
      nextRetryAt: null,
      attention: { reason: 'retries_exhausted' },
    });
    expect(await find(id)).toMatchObject({ status: kind === 'reversal' ? 'permanently_failed' : 'pending' });
    expect(await steps.row(table, id)).toMatchObject({ attempts: 6, next_check_at: expect.any(Date), runner: null });
    expect(await claim(id)).toMatchObject({ kind: 'attention', reason: 'retries_exhausted', unknown: true });
  });

  it('is looked for while nobody knows, and not before its next look', async () => {
    const id = await make();
    for (let failure = 0; failure < 6; failure += 1) {
      await steps.attempt(await hold(id), UNKNOWN);
      steps.pass(11 * SECOND_MS);
    }
    steps.pass(2 * HOUR_MS);
    expect(await dueIds()).toContain(id);
    await test.ledger.nextProbe({ kind, id }, undefined, HOUR_MS);
    expect(await dueIds()).not.toContain(id);
    steps.pass(HOUR_MS);
    expect(await dueIds()).toContain(id);
    await claim(id);
    expect(await dueIds()).not.toContain(id);
  });

  it('burns no retry by being turned away, and goes on with the same key and the same bytes', async () => {
    const id = await make();
    const sent: unknown[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      const held = await hold(id);
      expect(held).toMatchObject({ looksFirst: kind === 'reversal', certainty: 'not_sent' });
      sent.push(await steps.leave(held));
      await steps.answered(held, THROTTLED);
      steps.pass(MINUTE_MS);
    }
    expect(new Set(sent.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(sent[0]).toMatchObject({ key: id, generation: 1 });
    expect(await find(id)).toMatchObject({ retryCount: 0, certainty: 'not_sent' });
  });

  it('sends byte-identical parameters with every attempt of one key', async () => {
    const id = await make();
    const sent: string[] = [];
    for (let failure = 0; failure < 4; failure += 1) {
      const held = await hold(id);
      sent.push(JSON.stringify(await steps.leave(held)));
      await steps.answered(held, UNKNOWN);
      steps.pass(MINUTE_MS);
      const { params } = await steps.row<{ params: string }>(table, id);
      expect(JSON.stringify({ ...JSON.parse(sent[0]!), params: JSON.parse(params) })).toBe(sent[0]);
    }
    expect(new Set(sent).size).toBe(1);
  });

  it('takes a new key after a no that Stripe would repeat for a day', async () => {
    const id = await make();
    await steps.attempt(await hold(id), REFUSED, { provedAbsent: true });
    if (kind === 'reversal') await steps.decide({ kind, itemId: id, action: 'retry' });
    steps.pass(MINUTE_MS);
    const held = await hold(id);
    expect(held).toMatchObject({ certainty: 'absent', looksFirst: true, generation: 1 });
    await steps.noteAbsent(held);
    expect(await steps.leave(held)).toMatchObject({
      key: `${id}:g2`,
      generation: 2,
      params: { metadata: { generation: '2' } },
    });
    expect(await steps.row(table, id)).toMatchObject({ certainty: 'in_flight', absences: 0, attempts: 2 });
    expect(await steps.events(id)).toContain('new_generation');
  });

  it('never calls an unknown outcome absent because a later attempt was refused, without looking', async () => {
    const id = await make();
    await steps.attempt(await hold(id), UNKNOWN);
    steps.pass(MINUTE_MS);
    const held = await hold(id);
    await steps.noteAbsent(held);
    await steps.leave(held);
    const { decision } = await steps.answered(held, REFUSED);
    expect(decision.certainty).toBe('unknown');
    expect(await find(id)).toMatchObject({ certainty: 'unknown' });
  });

  it('parks without counting, and is due again when Stripe lets us in', async () => {
    const id = await make();
    const parks = `stripe:${(await find(id)).sellerAccount}`;
    await steps.attempt(await hold(id), LOCKED_OUT, { parks: 'seller', detail: 'revoked' });
    expect(await find(id)).toMatchObject({ retryCount: 0, certainty: 'not_sent' });
    expect(await claim(id)).toMatchObject({ kind: 'parked', why: `${parks} is parked` });
    await test.ledger.unparkProvider(parks);
    expect(await dueIds()).toContain(id);
    expect(await claim(id)).toMatchObject({ kind: 'claimed' });
  });

  describe('by the age of its key', () => {
    /** First sent now, without an answer; then so long ago. */
    async function sentAgo(ageMs: number) {
      const id = await make();
      await steps.attempt(await hold(id), UNKNOWN);
      steps.pass(ageMs);
      return id;
    }
    /** One look that finds nothing, and what may be sent then. */
    async function lookAndAsk(id: string) {
      const held = await hold(id);
      expect(held.looksFirst).toBe(true);
      await steps.noteAbsent(held);
      return await steps.permit(held);
    }

    it('is sent again with the same key at 22:59', async () => {
      const id = await sentAgo(23 * HOUR_MS - MINUTE_MS);
      expect(await lookAndAsk(id)).toMatchObject({ kind: 'send', key: id, generation: 1 });
    });

    it('is only looked for at 23:01, until 25 hours have passed', async () => {
      const id = await sentAgo(23 * HOUR_MS + MINUTE_MS);
      const permit = await lookAndAsk(id);
      expect(permit.kind).toBe('read_only');
      if (permit.kind === 'read_only') expect(permit.afterMs / HOUR_MS).toBeCloseTo(2 - 1 / 60, 1);
      expect(await claim(id)).toMatchObject({ kind: 'later' });
      expect(await find(id)).toMatchObject({ certainty: 'unknown', retryCount: 1 });
      expect(await steps.row(table, id)).toMatchObject({ attempts: 1, runner: null });
    });

    it('is not sent at 25:01 on one proof of absence, nor on a second look after 59 s', async () => {
      const id = await sentAgo(25 * HOUR_MS + MINUTE_MS);
      expect(await lookAndAsk(id)).toEqual({ kind: 'read_only', afterMs: MINUTE_MS });
      steps.pass(59 * SECOND_MS);
      expect(await claim(id)).toMatchObject({ kind: 'later' });
      // Also when somebody made it due before its time.
      await test.database.query(`UPDATE ${table} SET next_retry_at = NULL WHERE id = $1`, [id]);
      expect(await lookAndAsk(id)).toMatchObject({ kind: 'read_only' });
      expect(await steps.row(table, id)).toMatchObject({ absences: 1, generation: 1, attempts: 1 });
    });

    it('is sent at 25:01 with a new key on two proofs that are 61 s apart', async () => {
      const id = await sentAgo(25 * HOUR_MS + MINUTE_MS);
      await lookAndAsk(id);
      steps.pass(61 * SECOND_MS);
      expect(await lookAndAsk(id)).toMatchObject({ kind: 'send', key: `${id}:g2`, generation: 2 });
    });

    it('counts no proof from before the last send', async () => {
      const id = await sentAgo(HOUR_MS);
      for (let look = 0; look < 3; look += 1) {
        const held = await hold(id);
        await steps.noteAbsent(held);
        await release(id, held.runner);
        steps.pass(2 * MINUTE_MS);
      }
      const again = await hold(id);
      await steps.leave(again);
      await steps.answered(again, UNKNOWN);
      steps.pass(25 * HOUR_MS);
      expect(await lookAndAsk(id)).toEqual({ kind: 'read_only', afterMs: MINUTE_MS });
    });

    it('is not proved absent by looks right after its last send, however long ago it was first turned away', async () => {
      const id = await make();
      await steps.attempt(await hold(id), THROTTLED);
      steps.pass(25 * HOUR_MS);
      const late = await hold(id);
      await steps.noteAbsent(late);
      const sent = await steps.leave(late);
      await steps.answered(late, UNKNOWN);
      for (let look = 0; look < 2; look += 1) {
        steps.pass(2 * MINUTE_MS);
        const held = await hold(id);
        await steps.noteAbsent(held);
        await release(id, held.runner);
      }
      steps.pass(2 * MINUTE_MS);
      expect(await lookAndAsk(id)).toEqual(sent);
    });

    it('is looked for before its first send when its row is older than a key lives: a backup may know less than Stripe', async () => {
      const [young, old] = [await make(), await make()];
      steps.pass(22 * HOUR_MS);
      expect(await hold(young)).toMatchObject({ looksFirst: kind === 'reversal', certainty: 'not_sent' });
      steps.pass(HOUR_MS);
      expect(await hold(old)).toMatchObject({ looksFirst: true, certainty: 'not_sent' });
    });
  });

  it('never gets the id at Stripe that belongs to another one: a person is asked, and nobody crashes', async () => {
    const [first, second] = [await make(), await make()];
    const stripeId = unique('stripe');
    await steps.attempt(await hold(first), DONE, { stripeId });
    await steps.attempt(await hold(second), DONE, { stripeId });
    expect(await find(second)).toMatchObject({ certainty: 'unknown', attention: { reason: 'conflict' } });
    const { status } = await adopt(second, stripeId);
    expect(status).toBe((await find(second)).status);
    expect(
      await steps.decide({ kind, itemId: second, action: 'adopt', verified: { kind: 'found', providerId: stripeId } }),
    ).toMatchObject({ kind: 'refused', detail: expect.stringContaining('already belongs') });
    expect(await find(second)).toMatchObject({ certainty: 'unknown' });
  });

  it('that is done twice at Stripe is put before a person, and stays what it is', async () => {
    const id = await make();
    await steps.attempt(await hold(id), DONE, { stripeId: 'first_of_' + id });
    await adopt(id, 'first_of_' + id);
    expect(await find(id)).toMatchObject({ attention: null });
    await adopt(id, 'second_of_' + id);
    expect(await find(id)).toMatchObject({
      certainty: 'done',
      attention: { reason: 'conflict', detail: expect.stringContaining('second_of_') },
    });
    expect(await steps.decide({ kind, itemId: id, action: 'write_off', verified: { kind: 'absent' } })).toMatchObject({
      kind: 'refused',
    });
    expect(await steps.decide({ kind, itemId: id, action: 'adopt' })).toMatchObject({ kind: 'applied' });
    expect(await find(id)).toMatchObject({ certainty: 'done', attention: null });
  });
});
