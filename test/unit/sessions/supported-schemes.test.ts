import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { routeOffers, type SupportedSchemes } from '../../../src/sessions/offers/offers.js';
import { createSupportedSchemes } from '../../../src/sessions/offers/supported-schemes.js';
import { FACILITATOR, FIXED, METERED } from './support/world.js';

const BOUNDS = { credentialValidityMs: 3_600_000, minRetryWindowMs: 120_000 };
const metered = routeOffers(METERED, BOUNDS).offers;
const fixed = routeOffers(FIXED, BOUNDS).offers;
const HEARD: SupportedSchemes = { x402: { 'eip155:8453': FACILITATOR }, mpp: { tempo: { escrowContract: '0x4d' } } };
const NOTHING: SupportedSchemes = { x402: {}, mpp: {} };

test('a route whose schemes need no facts asks for none', async () => {
  let asked = 0;
  const supportedSchemes = createSupportedSchemes(async () => {
    asked += 1;
    return HEARD;
  });
  await supportedSchemes.knownFor(fixed);
  expect(asked).toBe(0);
});

test('what was heard outlives an outage that comes later', async () => {
  let nowMs = 0;
  let answer: () => Promise<SupportedSchemes> = async () => HEARD;
  const supportedSchemes = createSupportedSchemes(
    () => answer(),
    () => nowMs,
  );
  expect(await supportedSchemes.knownFor(metered)).toEqual(HEARD);
  for (const outage of [async () => NOTHING, () => Promise.reject(new Error('down'))]) {
    answer = outage;
    nowMs += 3_600_000;
    await supportedSchemes.knownFor(metered);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await supportedSchemes.knownFor(metered)).toEqual(HEARD);
  }
});

test('once heard, no request waits while it is asked again', async () => {
  let nowMs = 0;
  let answer: () => Promise<SupportedSchemes> = async () => HEARD;
  const supportedSchemes = createSupportedSchemes(
    () => answer(),
    () => nowMs,
  );
  await supportedSchemes.knownFor(metered);
  answer = () => new Promise(() => {});
  nowMs += 3_600_000;
  expect(await supportedSchemes.knownFor(metered)).toEqual(HEARD);
});

test('an outage at the beginning is not asked about by every request', async () => {
  let nowMs = 0;
  let asked = 0;
  const supportedSchemes = createSupportedSchemes(
    async () => {
      asked += 1;
      return NOTHING;
    },
    () => nowMs,
  );
  for (let i = 0; i < 10; i += 1) await supportedSchemes.knownFor(metered);
  expect(asked).toBe(1);
  nowMs += 5_000;
  await supportedSchemes.knownFor(metered);
  expect(asked).toBe(2);
});

test('no request waits for what the auth server has left out of its answer', async () => {
  let nowMs = 0;
  let answer: () => Promise<SupportedSchemes> = async () => HEARD;
  const supportedSchemes = createSupportedSchemes(
    () => answer(),
    () => nowMs,
  );
  const entry = { protocol: 'x402', network: 'polygon', asset: '0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359' } as const;
  const { offers } = routeOffers({ ...METERED, protocols: ['x402', entry] }, BOUNDS);
  await supportedSchemes.knownFor(offers);
  answer = () => new Promise(() => {});
  nowMs += 3_600_000;
  expect(await supportedSchemes.knownFor(offers)).toEqual(HEARD);
});

describe('while the auth server has not answered for the first time', () => {
  const unanswered = () => {
    let answer: (heard: SupportedSchemes) => void = () => {};
    const held = new Promise<SupportedSchemes>((resolve) => (answer = resolve));
    return { schemes: createSupportedSchemes(() => held), answer: () => answer(HEARD) };
  };
  const onlyMetered = metered.filter(({ protocol }) => protocol !== 'atxp');
  const isWaiting = async (promise: Promise<unknown>) => {
    let waits = true;
    void promise.then(() => (waits = false));
    await vi.advanceTimersByTimeAsync(0);
    return waits;
  };
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('a route that sells by something else too waits 40 ms for it, once', async () => {
    for (const [offers, asked] of [
      [metered, {}],
      [onlyMetered, { sellsOtherwise: true }],
      // Its own offer needs nothing of the auth server's.
      [metered, { paidBy: 'atxp' }],
    ] as const) {
      const { schemes } = unanswered();
      const first = schemes.knownFor(offers, asked);
      await vi.advanceTimersByTimeAsync(39);
      expect(await isWaiting(first)).toBe(true);
      await vi.advanceTimersByTimeAsync(1);
      expect(await first).toEqual(NOTHING);
      expect(await isWaiting(schemes.knownFor(offers, asked))).toBe(false);
    }
  });

  test('a route that could offer nothing else waits for it, and so does a credential that is not decided without it', async () => {
    for (const [offers, asked] of [
      [onlyMetered, {}],
      [metered, { paidBy: 'x402' }],
      [metered, { paidBy: 'mpp', sellsOtherwise: true }],
    ] as const) {
      const { schemes, answer } = unanswered();
      const asking = schemes.knownFor(offers, asked);
      await vi.advanceTimersByTimeAsync(4_000);
      expect(await isWaiting(asking)).toBe(true);
      answer();
      expect(await asking).toEqual(HEARD);
    }
  });
});
