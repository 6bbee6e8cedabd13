import type { OrderId, ReversalId, TransferId } from '../../../src/domain/ids.js';
import type { Reversal, SellerTransfer } from '../../../src/domain/marketplace/marketplace.js';
import type { OffsetRules } from '../../../src/domain/marketplace/offsets.js';
import { ledgerForTest } from '../ledger-fixtures.js';
import { type ModelCurrency } from './model-stripe.js';
import { marketplaceModelWorld } from './model-world.js';

const ADA = 'acct_ada';

/** One seller who has spent what she was paid, between the models of both providers. */
export async function debtWorld({
  offsets = { on: true, limitPercent: 100 },
  approvalThreshold = 1_000_000n,
  currency = 'USD',
}: {
  readonly offsets?: OffsetRules;
  readonly approvalThreshold?: bigint;
  readonly currency?: ModelCurrency;
} = {}) {
  const test = await ledgerForTest({ approvalThreshold, offsets });
  const world = marketplaceModelWorld(test, currency);

  async function sweep(rounds = 3): Promise<void> {
    for (let round = 0; round < rounds; round += 1) for (const item of await world.due()) await world.advance(item);
  }

  const only = async (order: OrderId): Promise<SellerTransfer> => (await world.find(order)).transfers[0]!;
  const reversals = async (order: OrderId): Promise<readonly Reversal[]> => (await world.find(order)).reversals;
  const decide = (reversal: Pick<Reversal, 'id'>, action: string, evidence: Record<string, string> | null = null) =>
    world.say({ kind: 'reversal', id: reversal.id }, action, evidence);

  return {
    ...world,
    url: test.url,
    sweep,
    only,
    reversals,
    decide,
    /** An order of one seller, paid; `later`: sent when it is released. */
    order: (amount: bigint, later = false): Promise<OrderId> =>
      world.paidOrder([
        {
          sellerAccount: ADA,
          amount,
          fee: 0n,
          description: 'goods',
          ...(later ? { release: { kind: 'on_request' as const } } : {}),
        },
      ]),
    /** Refunded, in full or in part, and the refund has succeeded. */
    async refund(order: OrderId, amount: bigint | null): Promise<void> {
      await world.askRefund(order, amount);
      for (const facts of world.hyperswitch.refunds().filter(({ status }) => status === 'pending')) {
        world.hyperswitch.turn(facts, 'succeeded');
        await world.tell(facts);
      }
    },
    /** Sent, spent and refunded: so much is still to be taken of her. */
    async short(amount: bigint, refunded: bigint): Promise<{ readonly order: OrderId; readonly reversal: Reversal }> {
      const order = await this.order(amount);
      await sweep();
      world.stripe.spend(ADA, 1);
      await this.refund(order, refunded);
      await sweep();
      const [reversal] = await reversals(order);
      return { order, reversal: reversal! };
    },
    earn: (amount: bigint) => world.stripe.credit(ADA, amount),
    async release(order: OrderId): Promise<TransferId> {
      const { id } = await only(order);
      await world.ledger.releaseHeld(id, 'shop');
      return id;
    },
    sent: () => world.stripe.transfers().map(({ amount }) => amount),
    taken: () => world.stripe.reversals().map(({ amount }) => amount),
    reversal: async (id: ReversalId) => (await world.ledger.findReversal(id))!,
    balances: () => world.ledger.sellerBalances(ADA),
  };
}
