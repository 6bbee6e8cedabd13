import type { AtStake } from '../../domain/decisions/approval-threshold.js';
import type { DisputeId, OrderId } from '../../domain/ids.js';
import type { DisputeStatus } from '../../domain/marketplace/disputes.js';
import { larger, smaller } from '../../domain/money.js';
import { followReleases } from '../calls/releases.js';
import { lockOrderOf } from '../marketplace/seller-shares.js';
import { settleShares } from '../marketplace/share-out.js';
import { AT_STAKE } from '../money-that-leaves/dispute-rows.js';
import { endWithdrawals, followFunds, insertWithdrawal } from '../money-that-leaves/dispute-shares.js';
import { stopHolding } from '../money-that-leaves/held-transfers.js';
import type { Query } from '../transition.js';
import { type Decidable, type DecidableRow, needsAttention, type Said } from './decidable.js';
import { NO_ATTENTION } from './decision-rows.js';

interface Row extends DecidableRow {
  readonly id: DisputeId;
  readonly order_id: OrderId;
  readonly status: DisputeStatus;
  readonly amount: string;
  readonly currency: string;
  readonly order_currency: string;
  /** The most that can move, in the currency of the order. */
  readonly at_stake: string;
  /** What the buyer had surely paid of the order: no more can leave because of it. */
  readonly captured: string;
  readonly named_by: string | null;
  /** Out now, whoever has said so. */
  readonly out: string;
}

/** A dispute of which nobody here can read where its funds are, or of which only the processor has told. */
export const DISPUTE: Decidable<'dispute', Row> = {
  table: 'disputes',
  async lock(query, id) {
    await lockOrderOf(query, 'disputes', id);
    const [row] = await query<Row & { [column: string]: unknown }>(
      `SELECT d.id, d.order_id, d.status, d.amount, d.currency, ${AT_STAKE.currency} AS order_currency, p.captured, d.named_by,
         ${AT_STAKE.amount} AS at_stake,         d.attention_reason, d.attention_detail, coalesce((SELECT sum(amount) FROM dispute_withdrawals
           WHERE dispute_id = d.id AND back_at IS NULL), 0) AS out
       FROM disputes d JOIN orders o ON o.id = d.order_id JOIN payments p ON p.id = d.payment_id WHERE d.id = $1 FOR UPDATE OF d`,
      [id],
    );
    return row;
  },
  // What is out can come back whether or not anybody is asked.
  waits: (row, action) => needsAttention(row) || (action === 'funds_back' && isOut(row)),
  atStake,
  actions: {
    /** The sellers' shares are settled once more and it is read again; what still needs a person comes back. */
    retry: {
      async apply({ query }, row) {
        await settleShares(query, row.order_id);
        return await readAgain(query, row);
      },
    },
    adopt: {
      missing: ({ named_by }) => (named_by === null ? undefined : 'Hyperswitch has named it: it is followed already'),
      async apply({ query }, row) {
        await query(`UPDATE disputes SET named_by = 'decision' WHERE id = $1`, [row.id]);
        return await readAgain(query, row);
      },
    },
    funds_out: {
      missing: (row, said) => unknowable(said) ?? outMissing(row, said),
      atStake: outAtStake,
      async apply({ query, disputeRules, decisionId }, row, said) {
        if (row.named_by === null) await query(`UPDATE disputes SET named_by = 'decision' WHERE id = $1`, [row.id]);
        const id = await insertWithdrawal(query, row, {
          source: `decision/${decisionId}`,
          amount: outAmount(row, said),
          fee: disputeRules.fees.get(row.order_currency) ?? 0n,
          outAt: null,
          platformBears: false,
        });
        await putAside(query, row, 'out');
        await followFunds(query, row.order_id, [{ id, what: 'out' }]);
        return row.status;
      },
    },
    funds_back: {
      missing: (row, said) => unknowable(said) ?? (isOut(row) ? undefined : 'its funds are not out'),
      async apply({ query }, row) {
        const recorded = await endWithdrawals(query, row.id);
        await putAside(query, row, 'back');
        await followFunds(query, row.order_id, recorded);
        return row.status;
      },
    },
    /** Nothing is taken of anybody for what is asked now; what is taken stays taken until its funds are back. */
    write_off: {
      async apply({ query }, row) {
        await query(`UPDATE disputes SET ${NO_ATTENTION} WHERE id = $1`, [row.id]);
        if (row.attention_reason !== 'conflict') await stopHolding(query, row.id);
        await followReleases(query, row.order_id);
        return row.status;
      },
    },
  },
};

const isOut = ({ out }: Row): boolean => BigInt(out) > 0n;

/** The processor's record says where the funds are: no word of a person stands beside it. */
const unknowable = ({ verified }: Said): string | undefined =>
  verified.kind === 'refuted' || verified.kind === 'unanswered' ? verified.detail : undefined;

const saidAmount = ({ evidence }: Said): bigint | undefined => {
  const amount = evidence?.['amount'];
  return typeof amount === 'string' && /^[1-9][0-9]{0,17}$/.test(amount) ? BigInt(amount) : undefined;
};
const outAmount = (row: Row, said: Said): bigint =>
  saidAmount(said) ?? smaller(BigInt(row.amount), BigInt(row.captured));

function atStake({ at_stake: amount, order_currency: currency }: Row): AtStake {
  return { amount: BigInt(amount), currency: currency.toLowerCase() };
}

/** What is not said to be out is given up as well, so no word about a part makes it less. */
function outAtStake(row: Row, said: Said): AtStake {
  const whole = atStake(row);
  return { ...whole, amount: larger(outAmount(row, said), whole.amount) };
}

function outMissing(row: Row, said: Said): string | undefined {
  if (isOut(row)) return 'its funds are out already: funds_back ends that';
  if (row.currency !== row.order_currency && saidAmount(said) === undefined)
    return `it is about ${row.currency} and the order is in ${row.order_currency}: say how much of the order is out, evidence {"amount": "…"}`;
  return outAmount(row, said) > BigInt(row.captured)
    ? `no more than the ${row.captured} ${row.order_currency} that were captured can be out`
    : undefined;
}

async function readAgain(query: Query, row: Row): Promise<string> {
  await query(`UPDATE disputes SET ${NO_ATTENTION}, next_check_at = clock_now() WHERE id = $1`, [row.id]);
  return row.status;
}

async function putAside(query: Query, row: Row, funds: 'out' | 'back'): Promise<void> {
  await query(
    `UPDATE disputes SET ${NO_ATTENTION}, funds = $2, changed_at = clock_now(), next_check_at = clock_now() + interval '1 hour' WHERE id = $1`,
    [row.id, funds],
  );
  await stopHolding(query, row.id);
  await followReleases(query, row.order_id);
}
