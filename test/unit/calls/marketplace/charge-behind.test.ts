import { describe, expect, it } from 'vitest';
import { chargeBehind } from '../../../../src/calls/marketplace/charge-behind.js';
import type { BalanceMovement, ChargeFacts, ReadAnswer } from '../../../../src/domain/calls/provider-answers.js';

const CHARGE: ChargeFacts = {
  chargeId: 'ch_1',
  captured: true,
  method: 'card',
  isSplit: false,
  livemode: false,
  amountCaptured: 1_000n,
  currency: 'USD',
  balanceTransactionId: 'txn_1',
};
const movement = (currency: string, change: Partial<BalanceMovement> = {}): BalanceMovement => ({
  amount: 1_000n,
  currency,
  exchangeRate: null,
  ...change,
});
const found = <Value>(value: Value): ReadAnswer<Value> => ({ kind: 'found', value });
const missing = { kind: 'missing', detail: 'no such payment_intent' } as const;
const unclear = { kind: 'unclear', detail: '500' } as const;
const misdirected = { kind: 'misdirected', scope: 'provider', detail: '403' } as const;

interface Given {
  readonly intent?: ReadAnswer<{ readonly chargeId: string | null }>;
  readonly charge?: ReadAnswer<ChargeFacts>;
  readonly balance?: ReadAnswer<BalanceMovement>;
}
const behind = ({
  intent = found({ chargeId: 'ch_1' }),
  charge = found(CHARGE),
  balance = found(movement('USD')),
}: Given) =>
  chargeBehind(
    {
      readLatestCharge: () => Promise.resolve(intent),
      readCharge: () => Promise.resolve(charge),
      readBalanceMovement: () => Promise.resolve(balance),
    },
    'pi_1',
  );
const charged = (change: Partial<ChargeFacts>) => ({ charge: found({ ...CHARGE, ...change }) });

describe('the charge behind a payment', () => {
  it('is drawn from in the currency of its balance', async () => {
    expect(await behind({})).toEqual({
      kind: 'charge',
      chargeId: 'ch_1',
      currency: 'USD',
      rate: null,
      livemode: false,
    });
  });

  it('says what it became where its balance has another currency than the buyer paid in', async () => {
    const balance = found(movement('EUR', { amount: 920n, exchangeRate: '0.92' }));
    expect(await behind({ balance })).toMatchObject({
      currency: 'EUR',
      rate: { paidIn: 'USD', captured: 1_000n, became: 920n, exchangeRate: '0.92' },
    });
    expect(await behind({ balance: found(movement('EUR', { amount: 0n })) })).toMatchObject({ kind: 'unfit' });
  });

  it.each<[Given, RegExp]>([
    [{ intent: missing }, /^not at this Stripe account: no such payment_intent$/],
    [{ intent: found({ chargeId: null }) }, /^pi_1 was paid by no charge$/],
    [charged({ captured: false }), /^ch_1 is not captured$/],
    [charged({ method: 'sepa_debit' }), /by sepa_debit, not by card$/],
    [charged({ method: null }), /not by card$/],
    [charged({ isSplit: true }), /split at Stripe already$/],
  ])('is never drawn from otherwise (%#)', async (given, why) => {
    expect(await behind(given)).toEqual({ kind: 'unfit', why: expect.stringMatching(why) });
  });

  it.each<[Given, boolean]>([
    [{ intent: unclear }, true],
    [{ charge: unclear }, true],
    [{ balance: unclear }, true],
    [charged({ balanceTransactionId: null }), true],
    [{ intent: misdirected }, false],
  ])('is not known (%#)', async (given, mayPass) => {
    expect(await behind(given)).toMatchObject({ kind: 'unread', mayPass });
  });
});
