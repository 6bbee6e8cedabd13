import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/domain/json.js';
import { type AtomicAmount, toAtomic } from '../../../src/domain/money.js';
import type { SettlementContext } from '../../../src/protocols/credential.js';
import { settleBody, verifyBody } from '../../../src/protocols/settle-body.js';
import {
  ATXP_TOKEN,
  atxp,
  base64,
  decoded,
  mppCharge,
  mppSession,
  requirements,
  x402upto,
  x402v1,
  x402v2,
} from '../../support/sessions/credentials.js';

const context: SettlementContext = {
  paymentRequestId: 'req_1',
  sourceAccountId: 'atxp:buyer',
  destinationAccountId: 'atxp:seller',
};
const option = { network: 'base', currency: 'USDC', address: '0xpayee', amount: '0.01' };
const amount = (atomic: number | bigint): AtomicAmount => toAtomic(BigInt(atomic));

const samples = {
  atxp: {
    credential: decoded('atxp', JSON.stringify(atxp()), context),
    context: { ...context, options: [option, { ...option, network: 'solana' }] },
  },
  exactV1: {
    credential: decoded('x402', base64(x402v1())),
    context: { ...context, paymentRequirements: requirements() },
  },
  exactV2: {
    credential: decoded('x402', base64(x402v2())),
    context: { ...context, paymentRequirements: requirements() },
  },
  upto: {
    credential: decoded('x402', base64(x402upto())),
    context: { ...context, paymentRequirements: requirements({ scheme: 'upto' }) },
  },
  charge: { credential: decoded('mpp', base64(mppCharge())), context },
  session: { credential: decoded('mpp', base64(mppSession())), context },
} as const;
const settle = (sample: keyof typeof samples, spent: AtomicAmount, decimals = 6) =>
  JSON.parse(settleBody({ ...samples[sample], spent, decimals }));

const pick = (credential: JsonObject, list: readonly JsonValue[]) => {
  const whole = { paymentRequirements: { x402Version: 2, accepts: list } };
  return JSON.parse(verifyBody({ credential: decoded('x402', base64(credential), whole), context: whole }))
    .paymentRequirements;
};

describe('settleBody', () => {
  it('ATXP: three charges of 0.001 arrive as 0.003 in every option', () => {
    expect(settle('atxp', amount(3000))).toEqual({
      sourceAccountId: 'atxp:acct_buyer',
      destinationAccountId: 'atxp:seller',
      sourceAccountToken: ATXP_TOKEN,
      options: [
        { ...option, amount: '0.003' },
        { ...option, network: 'solana', amount: '0.003' },
      ],
      paymentRequestId: 'req_1',
    });
  });

  it("ATXP: our offer's options win over the client's, which only serve where there is no offer", () => {
    const { credential } = samples.atxp;
    const body = JSON.parse(
      settleBody({ credential, context: { sourceAccountId: 'ctx' }, spent: amount(1), decimals: 6 }),
    );
    expect(body).toMatchObject({
      sourceAccountId: 'atxp:acct_buyer',
      options: [{ network: 'base', amount: '0.000001' }],
    });
    const bare = decoded('atxp', ATXP_TOKEN);
    expect(
      JSON.parse(settleBody({ credential: bare, context: { sourceAccountId: 'ctx' }, spent: amount(1), decimals: 6 })),
    ).toEqual({
      sourceAccountId: 'ctx',
      sourceAccountToken: ATXP_TOKEN,
      options: [],
    });
  });

  it('x402 upto: the override is atomic digits, and never more than was offered or signed', () => {
    expect(settle('upto', amount(3000))).toEqual({
      payload: x402upto(),
      paymentRequirements: requirements({ scheme: 'upto' }),
      settlementOverrides: { amount: '3000' },
      ...context,
    });
    expect(settle('upto', amount(10_001)).settlementOverrides).toEqual({ amount: '10000' });
    const smallOffer = {
      ...samples.upto,
      context: { paymentRequirements: requirements({ scheme: 'upto', amount: '500' }) },
    };
    expect(JSON.parse(settleBody({ ...smallOffer, spent: amount(3000), decimals: 6 })).settlementOverrides).toEqual({
      amount: '500',
    });
  });

  it('x402 exact and MPP charge: never an override', () => {
    expect(settle('exactV1', amount(3000))).toEqual({
      payload: x402v1(),
      paymentRequirements: requirements(),
      ...context,
    });
    expect(settle('exactV2', amount(3000))).toEqual({
      payload: x402v2(),
      paymentRequirements: requirements(),
      ...context,
    });
    expect(settle('charge', amount(3000))).toEqual({ credential: mppCharge(), ...context });
  });

  it('MPP session: an override always, also of zero', () => {
    expect(settle('session', amount(0))).toEqual({
      credential: mppSession(),
      settlementOverrides: { amount: '0' },
      ...context,
    });
    expect(settle('session', amount(3000)).settlementOverrides).toEqual({ amount: '3000' });
  });

  it('x402: picks the accept that the credential answers out of a whole 402 body', () => {
    const accepts = [
      requirements({ network: 'solana:x' }),
      requirements({ scheme: 'upto' }),
      requirements(),
      requirements({ network: 'eip155:1' }),
    ];
    expect(pick(x402v2(), accepts)).toEqual(requirements());
    expect(pick(x402v1(), accepts)).toEqual(requirements());
    expect(pick(x402upto(), accepts)).toEqual(requirements({ scheme: 'upto' }));
    expect(pick({ ...x402v1(), network: 'base' }, [accepts[0]!, accepts[3]!])).toEqual(
      requirements({ network: 'eip155:1' }),
    );
    expect(pick({ ...x402v1(), network: 'base' }, [accepts[0]!])).toEqual(requirements({ network: 'solana:x' }));
  });

  it('is the same bytes for the same settlement, whatever order its members came in, and writes no amount as a number', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<keyof typeof samples>('atxp', 'exactV1', 'exactV2', 'upto', 'charge', 'session'),
        fc.bigInt({ min: 0n, max: 10n ** 39n - 1n }),
        fc.nat(78),
        (name, spent, decimals) => {
          const input = { ...samples[name], spent: amount(spent), decimals };
          const body = settleBody(input);
          const shuffled = { ...input, context: Object.fromEntries(Object.entries(input.context).reverse()) };
          expect(settleBody(shuffled)).toBe(body);
          for (const stated of amountsIn(JSON.parse(body))) expect(stated).toMatch(/^[0-9]+(\.[0-9]*[1-9])?$/);
        },
      ),
    );
  });
});

it('loses no digit of an ATXP amount, whatever its size and decimals', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 39n - 1n }), fc.nat(78), (spent, decimals) => {
      const body = JSON.parse(settleBody({ ...samples.atxp, spent: amount(spent), decimals }));
      expect(rescaled(body.options[0].amount, decimals)).toBe(spent);
    }),
  );
});

describe('verifyBody', () => {
  it('is the settle body without an amount of ours', () => {
    for (const sample of Object.values(samples)) expect(verifyBody(sample)).not.toContain('settlementOverrides');
    expect(JSON.parse(verifyBody(samples.atxp)).options[0]).toEqual(option);
    expect(verifyBody(samples.exactV2)).toBe(settleBody({ ...samples.exactV2, spent: amount(1), decimals: 6 }));
  });
});

function amountsIn(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === 'amount' ? [inner] : amountsIn(inner)));
}

function rescaled(decimal: string, decimals: number): bigint {
  const [whole = '', fraction = ''] = decimal.split('.');
  return BigInt(whole + fraction.padEnd(decimals, '0'));
}
