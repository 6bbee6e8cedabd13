import type { StripeRate, StripeRateSet } from '../../domain/stripe-rate.js';
import type { Database } from '../database.js';
import { recordEvent } from '../transition.js';

export interface StripeRateRequest {
  readonly by: string;
  /** False: a name that anybody may type. */
  readonly authenticated: boolean;
  /** Why, for whoever reads it later; may be empty. */
  readonly note: string;
}

interface Row {
  [column: string]: unknown;
  per_second: number;
  set_by: string;
  authenticated: boolean;
  note: string;
  set_at: Date;
}

const SET = 'SELECT per_second, set_by, authenticated, note, set_at FROM stripe_rate';

/** How fast Stripe is called, by a person's word: kept here, so that it holds for every process and outlives them all. */
export function createStripeRate(database: Database) {
  return {
    async stripeRate(): Promise<StripeRate> {
      const [[row], paces] = await Promise.all([
        database.query<Row>(SET),
        database.query<{ endpoint: string; pace: number }>(
          `SELECT endpoint, count(*)::int AS pace FROM stripe_tokens WHERE free_at > clock_timestamp() GROUP BY endpoint ORDER BY endpoint`,
        ),
      ]);
      return {
        set: row ? toSet(row) : null,
        pace: paces.find(({ endpoint }) => endpoint === '*')?.pace ?? 0,
        endpoints: paces.filter(({ endpoint }) => endpoint !== '*').map(({ endpoint, pace }) => ({ endpoint, pace })),
      };
    },

    /** From its commit on no token is given above it. */
    setStripeRate: ({ by, authenticated, note }: StripeRateRequest, perSecond: number): Promise<StripeRateSet> =>
      database.transaction(async (query) => {
        const [before] = await query<Row>(`${SET} FOR UPDATE`);
        const [row] = await query<Row>(
          `INSERT INTO stripe_rate (per_second, set_by, authenticated, note) VALUES ($1, $2, $3, $4)
           ON CONFLICT (only_one) DO UPDATE SET per_second = EXCLUDED.per_second, set_by = EXCLUDED.set_by,
             authenticated = EXCLUDED.authenticated, note = EXCLUDED.note, set_at = clock_now()
           RETURNING per_second, set_by, authenticated, note, set_at`,
          [perSecond, by, authenticated, note],
        );
        if (!row) throw new Error('the rate was not kept');
        await recordEvent(query, {
          kind: 'provider',
          id: 'stripe',
          what: 'rate_set',
          detail: { by, authenticated, note, per_second: perSecond, before: before?.per_second ?? null },
        });
        return toSet(row);
      }),

    /** The settings alone hold again. @returns false: nobody had set one */
    resetStripeRate: ({ by, authenticated, note }: StripeRateRequest): Promise<boolean> =>
      database.transaction(async (query) => {
        const [before] = await query<{ per_second: number }>('DELETE FROM stripe_rate RETURNING per_second');
        if (!before) return false;
        await recordEvent(query, {
          kind: 'provider',
          id: 'stripe',
          what: 'rate_reset',
          detail: { by, authenticated, note, before: before.per_second },
        });
        return true;
      }),
  };
}

const toSet = (row: Row): StripeRateSet => ({
  perSecond: row.per_second,
  by: row.set_by,
  authenticated: row.authenticated,
  note: row.note,
  at: row.set_at.toISOString(),
});
