import type { StripeSandbox } from '../../../../sandbox/stripe/start.js';
import { smaller } from '../../../../src/domain/money.js';
import { CAPTURED, PROMISED, type Stage } from './events.js';

type StripeLedger = ReturnType<StripeSandbox['ledger']>;

/** What left us of one charge, and where it is now, by the stand-ins' own books. */
export interface AtProviders {
  /** Of refunds that have succeeded and not failed, each. */
  readonly refunds: readonly { readonly id: string; readonly amount: bigint; readonly ofItem: boolean }[];
  /** Of each dispute, what is out now. */
  readonly out: readonly bigint[];
  /** Every time that a dispute took money, by the id of the movement. */
  readonly withdrawn: readonly string[];
  /** Of unheard disputes that ever moved something; of refunds that Hyperswitch did not make and that stand. */
  readonly unnamed: { readonly disputes: number; readonly refunds: number };
}

export function atProviders({
  atStripe,
  charge,
  ofItems,
  unheard,
}: Pick<Stage, 'charge' | 'ofItems' | 'unheard'> & { readonly atStripe: StripeLedger }): AtProviders {
  const refunds = atStripe.refunds.filter((one) => one.charge === charge && one.status === 'succeeded');
  const disputes = atStripe.disputes.filter((one) => one.charge === charge);
  const movements = disputes.flatMap((one) => one.balance_transactions);
  return {
    refunds: refunds.map(({ id, amount, metadata }) => ({
      id,
      amount: BigInt(amount),
      ofItem: ofItems.has(String(metadata['order_id'])),
    })),
    out: disputes.map((one) => one.balance_transactions.reduce((sum, { amount }) => sum - BigInt(amount), 0n)),
    withdrawn: movements.filter(({ amount }) => amount < 0).map(({ id, amount }) => `${id} ${-amount}`),
    unnamed: {
      disputes: disputes.filter(({ id, balance_transactions: all }) => unheard.has(id) && all.length > 0).length,
      refunds: refunds.filter(({ metadata }) => metadata['order_id'] === undefined).length,
    },
  };
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((all, amount) => all + amount, 0n);

export const leftOf = ({ refunds, out }: AtProviders): bigint =>
  CAPTURED - sum(refunds.map(({ amount }) => amount)) - sum(out);

interface Shares {
  readonly ada: bigint;
  readonly bob: bigint;
}

/**
 * What the sellers are entitled to, in every order in which the causes may have come to stand: without a refund of an item it is one (decision
 * 0016); with one the others are spread over what each line has left then (decision 0057).
 */
export function entitlements(there: AtProviders): readonly Shares[] {
  const { refunds, out } = there;
  const items = refunds.filter(({ ofItem }) => ofItem).map(({ amount }) => ({ amount, ofItem: true }));
  const others = [...refunds.filter(({ ofItem }) => !ofItem).map(({ amount }) => amount), ...out]
    .filter((amount) => amount > 0n)
    .map((amount) => ({ amount, ofItem: false }));
  if (items.length === 0) {
    const back = smaller(CAPTURED, sum(others.map(({ amount }) => amount)));
    const of = (promised: bigint) => promised - (promised * back) / CAPTURED;
    return [{ ada: of(PROMISED.ada), bob: of(PROMISED.bob) }];
  }
  return orders([...items, ...others]).map((causes) => causes.reduce(without, PROMISED));
}

function without(
  { ada, bob }: Shares,
  { amount, ofItem }: { readonly amount: bigint; readonly ofItem: boolean },
): Shares {
  if (ofItem) return { ada: ada - smaller(ada, amount), bob };
  const left = ada + bob;
  const back = smaller(left, amount);
  // The largest remainder has the cent that is left.
  const [rest, of] = left === 0n ? [0n, 0n] : [(back * ada) % left, (back * ada) / left];
  const ofAda = of + (rest * 2n > left ? 1n : 0n);
  return { ada: ada - ofAda, bob: bob - (back - ofAda) };
}

const orders = <One>(all: readonly One[]): readonly (readonly One[])[] =>
  all.length < 2
    ? [all]
    : all.flatMap((one, place) => orders(all.filter((_, other) => other !== place)).map((rest) => [one, ...rest]));
