import type { NamedDispute, StripeDispute } from '../../domain/calls/provider-answers.js';
import type { DisputeId, PaymentId } from '../../domain/ids.js';
import {
  type DisputeFunds,
  type DisputeRules,
  type DisputeStatus,
  fundsOf,
  holdsUnsent,
  isOfPayment,
  isOpenDispute,
  movedIn,
  readAgainAfterMs,
  statusAtStripe,
  UNNAMED_AGAIN_MS,
  unfitRecord,
  withdrawalsOf,
} from '../../domain/marketplace/disputes.js';
import { followReleases } from '../calls/releases.js';
import type { Database } from '../database.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';
import { lockOrderOf } from '../marketplace/seller-shares.js';
import { type Query, recordEvent } from '../transition.js';
import { answered, ask } from './dispute-questions.js';
import { followFunds, recordWithdrawals, withdrawalsNow } from './dispute-shares.js';
import { followHolds } from './held-transfers.js';
import { type LockedDispute, lockDispute } from './locked-dispute.js';
import { lockOrdersOf, nameElsewhere } from './misnamed-disputes.js';

export interface NotedDispute {
  readonly disputeId: DisputeId;
  /** It was not known before. */
  readonly made?: boolean;
  readonly started: readonly MarketplaceItem[];
}

/** The processor's record of a dispute cannot be read here; a person says where its funds are. */
export interface WithoutRecord {
  readonly id: DisputeId;
  /** What Hyperswitch calls it now; null: it does not say. */
  readonly named: NamedDispute | null;
  readonly why: string;
}

/** Longest that a dispute which only the processor tells of is waited for. */
const NAMED_WITHIN_MS = 60 * 60_000;
/** Its own workflow reads first; the sweep finds what that missed. */
const SWEEP_AFTER_MS = 10 * 60_000;

/** What is read of disputes becomes what we know of them, and what follows for the sellers' shares, in one transaction. */
export function createDisputeReadings(database: Database, rules: DisputeRules) {
  return {
    /** Hyperswitch, which the payment is of, names it: a cause from now on, as its funds go. Once, whoever told of it before. */
    noteDispute: (paymentId: PaymentId, id: DisputeId, named: NamedDispute): Promise<NotedDispute> =>
      database.transaction(async (query) => {
        const { connector, providerDisputeId, hyperswitchDisputeId } = named;
        const payment = await lockOrdersOf(query, paymentId, named);
        const known = await note(query, { ...named, id, paymentId });
        if (known.payment_id !== paymentId) {
          const moved = await nameElsewhere(query, known.id, payment, {
            by: 'hyperswitch',
            hyperswitchDisputeId,
            words: named.providerStatus,
          });
          return { disputeId: known.id, started: moved ? [{ kind: 'dispute', id: known.id }] : [] };
        }
        if (known.named_by !== 'hyperswitch') {
          await query(
            `UPDATE disputes SET named_by = 'hyperswitch', hyperswitch_dispute_id = coalesce(hyperswitch_dispute_id, $2),
               provider_status = coalesce(provider_status, $3), next_check_at = clock_now() WHERE id = $1`,
            [known.id, hyperswitchDisputeId, named.providerStatus],
          );
          const detail = {
            connector,
            provider_dispute_id: providerDisputeId,
            hyperswitch_dispute_id: hyperswitchDisputeId,
          };
          await recordEvent(query, { kind: 'dispute', id: known.id, what: 'named', detail });
        }
        return { disputeId: known.id, started: [{ kind: 'dispute', id: known.id }] };
      }),

    /** Stripe tells of it. */
    seeDispute: (paymentId: PaymentId, id: DisputeId, held: StripeDispute): Promise<NotedDispute> =>
      database.transaction((query) => seeDispute(query, paymentId, id, held)),

    /**
     * The processor's own record: where the funds are, and so what sellers give back.
     * @param after which reading had been followed when this one was asked for. @returns undefined: another one since, which may
     *   be newer than this, so nothing was followed
     */
    applyDispute: (
      id: DisputeId,
      held: StripeDispute,
      after: string | null,
    ): Promise<readonly MarketplaceItem[] | undefined> =>
      database.transaction((query) => followRecord(query, rules, { id, held, after })),

    disputeWithoutRecord: ({ id, named, why }: WithoutRecord): Promise<readonly MarketplaceItem[]> =>
      database.transaction(async (query) => {
        const row = await lockDispute(query, id);
        const status = named?.status ?? row.status;
        return await withoutRecord(query, row, { status, words: named?.providerStatus ?? row.provider_status, why });
      }),

    /** It could not be read now. */
    disputeUnread: async (id: DisputeId, detail: string, afterMs: number): Promise<void> => {
      await database.query(
        `UPDATE disputes SET last_answer = 'unread', detail = $2, next_check_at = clock_now() + $3 * interval '1 millisecond' WHERE id = $1`,
        [id, detail, afterMs + SWEEP_AFTER_MS],
      );
    },

    /** When it is read again; null: it is over. */
    async disputeReadAgainMs(id: DisputeId): Promise<number | null> {
      const [row] = await database.query<{ status: DisputeStatus; since_ms: number }>(
        `SELECT status, (extract(epoch FROM clock_now() - changed_at) * 1000)::float8 AS since_ms FROM disputes WHERE id = $1`,
        [id],
      );
      return row ? readAgainAfterMs(row.status, row.since_ms) : null;
    },
  };
}

/**
 * Where the payment is Stripe's own, Stripe names it: a cause from now on, as its funds go. Of another one nothing follows from that
 * alone, but it is read, and a person is asked where Hyperswitch never names it. The caller holds nothing yet, or the order.
 */
export async function seeDispute(
  query: Query,
  paymentId: PaymentId,
  id: DisputeId,
  held: StripeDispute,
): Promise<NotedDispute> {
  const { stripeDisputeId: providerDisputeId } = held;
  const payment = await lockOrdersOf(query, paymentId, { connector: 'stripe', providerDisputeId });
  const known = await note(query, { ...held, id, paymentId, connector: 'stripe', providerDisputeId });
  if (known.payment_id !== paymentId && payment.provider === 'stripe') {
    const moved = await nameElsewhere(query, known.id, payment, { by: 'stripe', words: held.status });
    return { disputeId: known.id, started: moved ? [{ kind: 'dispute', id: known.id }] : [] };
  }
  // What it is called now may be news: whoever follows it reads it.
  const isNews = known.provider_status !== held.status || known.made;
  if (isNews) await query('UPDATE disputes SET next_check_at = clock_now() WHERE id = $1', [known.id]);
  return { disputeId: known.id, made: known.made, started: isNews ? [{ kind: 'dispute', id: known.id }] : [] };
}

/**
 * What the processor's own record says of it is followed. @param after which reading had been followed when this one was asked for; left
 * out: none can have been. @returns undefined: another one since
 */
export async function followRecord(
  query: Query,
  rules: DisputeRules,
  { id, held, after }: { readonly id: DisputeId; readonly held: StripeDispute; readonly after: string | null },
): Promise<readonly MarketplaceItem[] | undefined> {
  const row = await lockDispute(query, id);
  if (row.last_reading !== after) return undefined;
  const about = { payment: row.connector_transaction_id, currency: row.order_currency };
  const unfit = unfitRecord(about, held) ?? (await paysAnother(query, row, held));
  await query('UPDATE disputes SET is_of_payment = $2 WHERE id = $1', [id, isOfPayment(about, held)]);
  const status = statusAtStripe(held.status);
  if (unfit !== undefined) return await withoutRecord(query, row, { status, words: held.status, why: unfit });
  if (row.named_by === null) return await notNamed(query, row, held);
  const movements = movedIn(row.order_currency, held) ?? [];
  const read = withdrawalsOf(movements);
  const recorded = await recordWithdrawals(query, row, { movements, read, status, rules });
  const funds = fundsOf(read);
  const changed = await save(query, row, { status, funds, words: held.status, changed: recorded.length > 0 });
  await answered(query, row);
  const holds = holdsUnsent(rules.policy, { status, funds });
  if (holds !== row.holds) await query('UPDATE disputes SET holds = $2 WHERE id = $1', [row.id, holds]);
  const started = [...(changed ? await followFunds(query, row.order_id, recorded) : [])];
  if (holds !== row.holds) started.push(...(await followHolds(query, row.order_id)));
  return isOpenDispute(status) ? started : [...started, ...(await followReleases(query, row.order_id))];
}

/** Where it is not known what this payment is called at Stripe, the record is none of it once it is another payment's. */
async function paysAnother(query: Query, row: LockedDispute, held: StripeDispute): Promise<string | undefined> {
  const names = held.paymentIntent === null ? [held.charge] : [held.paymentIntent, held.charge];
  const [other] = await query<{ order_id: string }>(
    `SELECT order_id FROM payments WHERE connector = 'stripe' AND connector_transaction_id = ANY ($1) AND id <> $2`,
    [names, row.payment_id],
  );
  return other && `Stripe's record is of payment ${names[0]}, which pays order ${other.order_id}`;
}

interface Noted {
  readonly id: DisputeId;
  readonly paymentId: PaymentId;
  readonly connector: string;
  readonly providerDisputeId: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly reason: string | null;
}

interface KnownRow {
  [column: string]: unknown;
  id: DisputeId;
  payment_id: PaymentId;
  named_by: string | null;
  provider_status: string | null;
  made: boolean;
}

/** The one row of it, found or made. */
async function note(query: Query, told: Noted): Promise<KnownRow> {
  const order = await lockOrderOf(query, 'payments', told.paymentId);
  if (!order) throw new Error(`payment ${told.paymentId} is not in the ledger`);
  const [made] = await query<KnownRow>(
    `INSERT INTO disputes (id, order_id, payment_id, psp_account, provider_dispute_id, amount, currency, reason, next_check_at, workflow_id, named_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_now(), 'dispute/' || $1::uuid,
       (SELECT 'stripe' FROM payments WHERE id = $3 AND provider = 'stripe' AND $4 = 'stripe'))
     ON CONFLICT (psp_account, provider_dispute_id) DO NOTHING RETURNING id, payment_id, named_by, provider_status, true AS made`,
    [
      told.id,
      order,
      told.paymentId,
      told.connector,
      told.providerDisputeId,
      told.amount.toString(),
      told.currency,
      told.reason,
    ],
  );
  if (made) {
    const detail = {
      provider_dispute_id: told.providerDisputeId,
      amount: told.amount.toString(),
      currency: told.currency,
    };
    await recordEvent(query, { kind: 'dispute', id: made.id, what: 'found', detail });
    return made;
  }
  const [known] = await query<KnownRow>(
    `SELECT id, payment_id, named_by, provider_status, false AS made FROM disputes WHERE psp_account = $1 AND provider_dispute_id = $2 FOR UPDATE`,
    [told.connector, told.providerDisputeId],
  );
  if (!known) throw new Error(`dispute ${told.providerDisputeId} is neither there nor could it be made`);
  return known;
}

interface Save {
  readonly status: DisputeStatus;
  readonly funds: DisputeFunds;
  readonly words: string | null;
  /** Withdrawals were recorded, ended, or became the sellers'. */
  readonly changed: boolean;
}

/** @returns whether anything is not as it was */
async function save(query: Query, row: LockedDispute, { status, funds, words, changed }: Save): Promise<boolean> {
  const isNew = changed || status !== row.status || funds !== row.funds;
  const againMs = readAgainAfterMs(status, isNew ? 0 : row.since_ms);
  await query(
    `UPDATE disputes SET status = $2, funds = $3, provider_status = $4, read_at = clock_now(), last_answer = 'read', detail = NULL,
       changed_at = CASE WHEN $5 THEN clock_now() ELSE changed_at END, next_check_at = clock_now() + $6 * interval '1 millisecond'
     WHERE id = $1`,
    [row.id, status, funds, words, isNew, againMs === null ? null : againMs + SWEEP_AFTER_MS],
  );
  if (isNew) {
    const detail = { status, funds, called: words };
    await recordEvent(query, {
      kind: 'dispute',
      id: row.id,
      what: funds === row.funds ? status : `funds_${funds}`,
      detail,
    });
  }
  return isNew;
}

/** Where its funds are is said by persons alone; what they have said stands. */
async function withoutRecord(
  query: Query,
  row: LockedDispute,
  { status: said, words, why }: { status: DisputeStatus; words: string | null; why: string },
): Promise<readonly MarketplaceItem[]> {
  const known = await withdrawalsNow(query, row.id);
  const funds = fundsOf(known);
  // What was read of it before stands: Hyperswitch's words for withdrawn funds are those for a lost dispute.
  const status = known.some(({ source }) => !source.startsWith('decision/')) ? row.status : said;
  await save(query, row, { status, funds, words, changed: false });
  // An inquiry takes nothing.
  if (status === 'inquiry' && funds === 'none') return [];
  const called = `${row.provider_dispute_id} of ${row.amount} ${row.currency} at ${row.psp_account} is called ${words ?? 'nothing yet'}`;
  await ask(query, row, {
    reason: 'dispute',
    detail: `${called}; where its funds are cannot be read here: ${why}; find out there, then resolve with funds_out, funds_back or write_off`,
  });
  return isOpenDispute(status) ? [] : await followReleases(query, row.order_id);
}

async function notNamed(query: Query, row: LockedDispute, held: StripeDispute): Promise<readonly MarketplaceItem[]> {
  const status = statusAtStripe(held.status);
  await save(query, row, { status, funds: 'none', words: held.status, changed: false });
  await query(`UPDATE disputes SET next_check_at = clock_now() + $2 * interval '1 millisecond' WHERE id = $1`, [
    row.id,
    UNNAMED_AGAIN_MS,
  ]);
  if (row.age_ms < NAMED_WITHIN_MS || withdrawalsOf(held.movements).length === 0)
    return isOpenDispute(status) ? [] : await followReleases(query, row.order_id);
  await ask(query, row, {
    reason: 'dispute',
    detail: `Stripe moved money because of ${held.stripeDisputeId} (${held.amount} ${held.currency}), and Hyperswitch has not named it for an hour: see that Hyperswitch gets Stripe's events, then retry; adopt follows Stripe's record without it; write_off leaves the sellers' shares alone`,
  });
  return [];
}
