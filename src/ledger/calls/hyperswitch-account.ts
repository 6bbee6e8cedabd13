import type { HyperswitchOwner } from '../../domain/calls/provider-answers.js';
import type { PaymentId } from '../../domain/ids.js';
import type { Database } from '../database.js';

/** Whose Hyperswitch this ledger belongs to, and what it is known to hold. */
export function createHyperswitchAccount(database: Database) {
  return {
    /** The first use pins. @returns the pinned one, this or another */
    async pinHyperswitch({ merchantId, profileId }: HyperswitchOwner): Promise<HyperswitchOwner> {
      await database.query(
        'INSERT INTO hyperswitch_account (merchant_id, profile_id) VALUES ($1, $2) ON CONFLICT DO NOTHING',
        [merchantId, profileId],
      );
      const [pinned] = await database.query<{ merchantId: string; profileId: string | null }>(
        'SELECT merchant_id AS "merchantId", profile_id AS "profileId" FROM hyperswitch_account',
      );
      if (!pinned) throw new Error('the pinned account of Hyperswitch is gone from the ledger');
      return pinned;
    },

    /** The newest payment that Hyperswitch is known to hold, beside this one; undefined: there is none yet. */
    async knownPayment(except: PaymentId | null): Promise<{ id: PaymentId; hyperswitchPaymentId: string } | undefined> {
      const [row] = await database.query<{ id: PaymentId; hyperswitchPaymentId: string }>(
        `SELECT id, hyperswitch_payment_id AS "hyperswitchPaymentId" FROM payments
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
