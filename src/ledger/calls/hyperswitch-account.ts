import type { HyperswitchOwner } from '../../domain/calls/provider-answers.js';
import type { PaymentId } from '../../domain/ids.js';
import type { Database } from '../database.js';

export interface KnownPayment {
  readonly id: PaymentId;
  readonly hyperswitchPaymentId: string;
  readonly profileId: string | null;
}

/** Whose Hyperswitch this ledger belongs to, and what it is known to hold. */
export function createHyperswitchAccount(database: Database) {
  return {
    /**
     * The first use pins: the merchant whatever profile the payment names, and his own profile where it names none.
     * @param named the profile that the order of the payment named @returns what is pinned, this or another
     */
    async pinHyperswitch(
      { merchantId, profileId }: HyperswitchOwner,
      named: string | null = null,
    ): Promise<HyperswitchOwner> {
      await database.query('INSERT INTO hyperswitch_merchant (merchant_id) VALUES ($1) ON CONFLICT DO NOTHING', [
        merchantId,
      ]);
      if (named === null)
        await database.query(
          `INSERT INTO hyperswitch_account (merchant_id, profile_id)
           SELECT $1, $2 FROM hyperswitch_merchant WHERE merchant_id = $1 ON CONFLICT DO NOTHING`,
          [merchantId, profileId],
        );
      const [pinned] = await database.query<{ merchantId: string; profileId: string | null }>(
        `SELECT m.merchant_id AS "merchantId", a.profile_id AS "profileId"
         FROM hyperswitch_merchant m LEFT JOIN hyperswitch_account a ON true`,
      );
      if (!pinned) throw new Error('the pinned account of Hyperswitch is gone from the ledger');
      return pinned;
    },

    /** Beside the merchant's own: those that orders have named. */
    async profilesOfOrders(): Promise<readonly string[]> {
      const rows = await database.query<{ profile_id: string }>(
        'SELECT DISTINCT profile_id FROM payments WHERE profile_id IS NOT NULL',
      );
      return rows.map(({ profile_id }) => profile_id);
    },

    /** The newest payment that Hyperswitch is known to hold, beside this one; undefined: there is none yet. */
    async knownPayment(except: PaymentId | null): Promise<KnownPayment | undefined> {
      const [row] = await database.query<KnownPayment & { [column: string]: unknown }>(
        `SELECT id, hyperswitch_payment_id AS "hyperswitchPaymentId", profile_id AS "profileId" FROM payments
         WHERE certainty = 'done' AND hyperswitch_payment_id <> '' AND id IS DISTINCT FROM $1 ORDER BY id DESC LIMIT 1`,
        [except],
      );
      return row;
    },

    /** Whoever could not be asked because the key was another merchant's is asked at once. */
    async hyperswitchIsOurs(): Promise<void> {
      for (const table of ['payments', 'refunds'])
        await database.query(
          `UPDATE ${table} SET next_check_at = clock_now() WHERE id IN (
             SELECT id FROM ${table} WHERE attention_reason = 'provider_mismatch' AND next_check_at > clock_now()
             ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED)`,
        );
    },
  };
}
