import type { SettlementId } from '../../domain/ids.js';
import type { Order } from '../../domain/marketplace/marketplace.js';
import type { FoundItem } from '../../ledger/find-items.js';
import type { ReadingDependencies } from './reading-dependencies.js';
import { amountInWords } from './second-person.js';

export interface Related {
  readonly kind: string;
  readonly id: string;
  readonly relation: string;
  readonly status: string;
  readonly amount: string;
  readonly currency: string | null;
}

type RelatingLedger = ReadingDependencies['ledger'];

/** What an item came of, and what came of it: for a picture of its order. */
export async function relatedOf(item: FoundItem, ledger: RelatingLedger): Promise<readonly Related[]> {
  if (item.kind === 'settlement') return await ofSettlement(item.id as SettlementId, ledger);
  const order = await ledger.findOrder(item.orderId);
  return order ? familyOf(order).filter(({ kind, id }) => kind !== item.kind || id !== item.id) : [];
}

function familyOf(order: Order): readonly Related[] {
  const { payment, transfers, refunds, reversals, disputes } = order;
  const inWords = ({ amount, currency }: { readonly amount: bigint; readonly currency: string }) => ({
    amount: amount.toString(),
    currency,
  });
  const money = { ...inWords(order), kind: 'order', id: order.id, relation: 'order', status: order.status };
  return [
    money,
    ...(payment
      ? [{ kind: 'payment', id: payment.id, relation: 'pays the order', status: payment.status, ...inWords(payment) }]
      : []),
    ...transfers.map((one) => ({
      kind: 'transfer',
      id: one.id,
      relation: `share of ${one.sellerAccount}`,
      status: one.status,
      ...inWords(one),
    })),
    ...refunds.map((one) => ({
      kind: 'refund',
      id: one.id,
      relation: 'gives back to the buyer',
      status: one.status,
      ...inWords(one),
    })),
    ...disputes.map((one) => ({
      kind: 'dispute',
      id: one.id,
      relation: 'disputed by the buyer',
      status: one.status,
      ...inWords(one),
    })),
    ...reversals.map((one) => ({
      kind: 'reversal',
      id: one.id,
      relation: `takes back of transfer ${one.transferId} for ${one.refundId ? `refund ${one.refundId}` : `dispute ${one.disputeId}`}`,
      status: one.status,
      ...inWords(one),
    })),
  ];
}

async function ofSettlement(id: SettlementId, ledger: RelatingLedger): Promise<readonly Related[]> {
  const { channel, behind } = await ledger.settlementLinks(id);
  const found = channel === null ? undefined : await ledger.explainedChannel(channel);
  const before = behind === null ? [] : await ledger.itemSummaries([behind]);
  return [
    ...(found
      ? [
          {
            kind: 'channel',
            id: found.id,
            relation: 'paid from this channel',
            status: found.finalized ? 'closed' : 'open',
            amount: found.deposit.toString(),
            currency: null,
          },
        ]
      : []),
    ...before.map((one) => ({
      kind: one.kind,
      id: one.id,
      relation: 'goes first: of the same payer',
      status: one.status,
      amount: amountInWords(one),
      currency: null,
    })),
  ];
}

/** Its captures. */
export async function relatedOfChannel(id: string, ledger: RelatingLedger): Promise<readonly Related[]> {
  const captures = (await ledger.findItems(id)).filter(({ kind }) => kind === 'settlement');
  return (await ledger.itemSummaries(captures.map((one) => one.id))).map((one) => ({
    kind: one.kind,
    id: one.id,
    relation: 'captures what was earned',
    status: one.status,
    amount: amountInWords(one),
    currency: null,
  }));
}
