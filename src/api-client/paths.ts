// Made by `npm run api-types` from docs/openapi.json; changed there, never here.

export interface components {
  schemas: {
    Settlement: {
      id: string;
      key: string;
      status: 'open' | 'pending' | 'needs_attention' | 'written_off' | 'settled' | 'released';
      certainty: 'not_sent' | 'in_flight' | 'done' | 'absent' | 'unknown';
      protocol: 'atxp' | 'x402' | 'mpp';
      spent: { amount: string; asset: string; decimals: number };
      /** What the credential authorises at most, in atomic units; null: it does not say. */
      cap: string | null;
      attempts: number;
      next_retry_at: string | null;
      delivery: 'delivered' | 'aborted' | 'unknown' | null;
      /** Of a response that is held back until it is settled: owed to its payer, being given, or had; null: none was. */
      answer: 'due' | 'serving' | 'given' | null;
      attention: {
        reason:
          | 'credential_undecodable'
          | 'credential_refused'
          | 'credential_expired'
          | 'uncollectable'
          | 'settled_elsewhere_suspected'
          | 'retries_exhausted'
          | 'resource_missing'
          | 'missing_transfer_id'
          | 'foreign_reversal'
          | 'exceeds_remainder'
          | 'conflict'
          | 'provider_config'
          | 'balance_horizon'
          | 'refund_failed_after_reversal'
          | 'unknown_refund'
          | 'drift'
          | 'late_success'
          | 'approval_pending'
          | 'payment_amount_differs'
          | 'unknown_status'
          | 'provider_mismatch'
          | 'partly_foreign_reversal'
          | 'cause_no_longer_holds'
          | 'unreadable_session'
          | 'seller_gone'
          | 'dispute'
          | 'release_overdue'
          | 'payout_failed'
          | 'retired_currency'
          | 'capture_overdue'
          | 'seller_owes';
        since: string;
        detail: string;
      } | null;
      workflow_id: string | null;
      tx_hash: string | null;
      already_settled: boolean;
      created_at: string;
      settled_at: string | null;
    };
    Order: {
      id: string;
      status: 'pending' | 'payment_failed' | 'paid' | 'partially_refunded' | 'refunded';
      currency: string;
      amount: number;
      /** What it came to before only a part of it was captured; null: as ordered. */
      ordered: number | null;
      items: {
        id: string;
        kind: 'item' | 'shipping' | 'tax';
        /** Null: the platform's own. */
        seller_account: string | null;
        amount: number;
        /** What it came to before only a part of the order was captured; null: as ordered. */
        ordered: number | null;
        /** Of the amount, what the platform keeps. */
        fee: number;
        /** When its seller's share may be sent. */
        release: 'immediately' | 'on_request' | { after: string };
        description: string;
      }[];
      /** What is not the sellers'. */
      platform: {
        /** Its own lines, and what an imported order was paid for none. */ amount: number;
        fees: number;
        /** Of what is captured now; below 0 where refunds and disputes left it more to bear than it got. */
        kept: number;
      };
      payment: {
        id: string;
        order_id: string;
        status: 'pending' | 'processing' | 'failed' | 'cancelled' | 'succeeded';
        amount: number;
        currency: string;
        attention: {
          reason:
            | 'credential_undecodable'
            | 'credential_refused'
            | 'credential_expired'
            | 'uncollectable'
            | 'settled_elsewhere_suspected'
            | 'retries_exhausted'
            | 'resource_missing'
            | 'missing_transfer_id'
            | 'foreign_reversal'
            | 'exceeds_remainder'
            | 'conflict'
            | 'provider_config'
            | 'balance_horizon'
            | 'refund_failed_after_reversal'
            | 'unknown_refund'
            | 'drift'
            | 'late_success'
            | 'approval_pending'
            | 'payment_amount_differs'
            | 'unknown_status'
            | 'provider_mismatch'
            | 'partly_foreign_reversal'
            | 'cause_no_longer_holds'
            | 'unreadable_session'
            | 'seller_gone'
            | 'dispute'
            | 'release_overdue'
            | 'payout_failed'
            | 'retired_currency'
            | 'capture_overdue'
            | 'seller_owes';
          since: string;
          detail: string;
        } | null;
      } | null;
      transfers: components['schemas']['Transfer'][];
      refunds: components['schemas']['Refund'][];
      reversals: components['schemas']['Reversal'][];
      disputes: components['schemas']['Dispute'][];
      /** What an imported order was called before; null: one of ours. */
      reference: string | null;
      created_at: string;
    };
    Transfer: {
      id: string;
      order_id: string;
      seller_account: string;
      /** What is sent: less what refunds withheld before it was, and less `offset`. */
      amount: number;
      /** What of it is kept because its seller owed it: for him it is paid. */
      offset: number;
      amount_reversed: number;
      currency: string;
      status:
        | 'pending'
        | 'held'
        | 'waiting_platform_balance'
        | 'waiting_seller'
        | 'failed'
        | 'cancelled'
        | 'completed'
        | 'reversal_pending'
        | 'partially_reversed'
        | 'reversed'
        | 'permanently_failed';
      certainty: 'not_sent' | 'in_flight' | 'done' | 'absent' | 'unknown';
      stripe_transfer_id: string | null;
      /** What is sent at Stripe, and Stripe's rate, where the platform's balance has another currency than the order; null: the amount itself. */
      conversion: { currency: string; amount: number; exchange_rate: string | null } | null;
      retry_count: number;
      next_retry_at: string | null;
      /** Why it is not sent yet, where nobody is asked about that: it goes on by itself. */
      waiting: {
        for: 'platform_balance' | 'seller';
        since: string;
        detail: string;
        /** What the platform's balance was short of for it when Stripe was read last; null: not read yet, in another currency, or it waits for its seller. */
        missing: number | null;
      } | null;
      /** When it may be sent. */
      release: {
        kind: 'immediately' | 'on_request' | 'after';
        /** When it is released by itself; null: at no date. */
        at: string | null;
        /** When it was, by its date or by somebody; null: not yet, or it never had to be. */
        released_at: string | null;
      };
      /** What it waits for while it is held; null: it is not held, or is about to be let go. */
      held: {
        for: 'release' | 'date' | 'dispute' | 'refund';
        /** Of the dispute or refund whose end it waits for. */
        id: string | null;
        until: string | null;
        detail: string;
      } | null;
      /** The payout that took it to the seller's bank, or is to; null: Stripe has not said. */
      payout: {
        id: string;
        status: 'pending' | 'in_transit' | 'paid' | 'canceled' | 'failed';
        arrival_at: string | null;
      } | null;
      reversals: components['schemas']['Reversal'][];
      attention: {
        reason:
          | 'credential_undecodable'
          | 'credential_refused'
          | 'credential_expired'
          | 'uncollectable'
          | 'settled_elsewhere_suspected'
          | 'retries_exhausted'
          | 'resource_missing'
          | 'missing_transfer_id'
          | 'foreign_reversal'
          | 'exceeds_remainder'
          | 'conflict'
          | 'provider_config'
          | 'balance_horizon'
          | 'refund_failed_after_reversal'
          | 'unknown_refund'
          | 'drift'
          | 'late_success'
          | 'approval_pending'
          | 'payment_amount_differs'
          | 'unknown_status'
          | 'provider_mismatch'
          | 'partly_foreign_reversal'
          | 'cause_no_longer_holds'
          | 'unreadable_session'
          | 'seller_gone'
          | 'dispute'
          | 'release_overdue'
          | 'payout_failed'
          | 'retired_currency'
          | 'capture_overdue'
          | 'seller_owes';
        since: string;
        detail: string;
      } | null;
      workflow_id: string | null;
      created_at: string;
    };
    Reversal: {
      /** Derived from its cause and the transfer. */ id: string;
      /** What it is taken back for; null: a dispute. */
      refund_id: string | null;
      dispute_id: string | null;
      transfer_id: string;
      order_id: string;
      seller_account: string;
      /** The share that is taken back. */
      amount: number;
      /** Of the amount, what somebody else's reversal at Stripe stands for, by a person's decision; ours takes the rest. */
      counted: number;
      currency: string;
      status: 'pending' | 'waiting_balance' | 'permanently_failed' | 'written_off' | 'reversed';
      certainty: 'not_sent' | 'in_flight' | 'done' | 'absent' | 'unknown';
      retry_count: number;
      next_retry_at: string | null;
      stripe_transfer_id: string | null;
      stripe_reversal_id: string | null;
      /** The seller owes it, and it is kept of his next transfers instead of being asked of Stripe; null: it is asked of Stripe. */
      debt: {
        since: string;
        /** `on_its_way`: kept of a transfer that is being sent; `taken`: that transfer is with the seller. */
        state: 'open' | 'on_its_way' | 'taken';
        /** That it is, or was, kept of. */
        transfer_id: string | null;
      } | null;
      /** What it takes at Stripe, where its transfer was sent in another currency; null: the amount itself. */
      conversion: { currency: string; amount: number } | null;
      /** What it was for its seller, where his balance has another currency than the transfer: what this part had brought him, what was taken, and the second less the first. Null: it has not, or that was not read yet. */
      seller: { currency: string; got: number; gave: number; difference: number } | null;
      attention: {
        reason:
          | 'credential_undecodable'
          | 'credential_refused'
          | 'credential_expired'
          | 'uncollectable'
          | 'settled_elsewhere_suspected'
          | 'retries_exhausted'
          | 'resource_missing'
          | 'missing_transfer_id'
          | 'foreign_reversal'
          | 'exceeds_remainder'
          | 'conflict'
          | 'provider_config'
          | 'balance_horizon'
          | 'refund_failed_after_reversal'
          | 'unknown_refund'
          | 'drift'
          | 'late_success'
          | 'approval_pending'
          | 'payment_amount_differs'
          | 'unknown_status'
          | 'provider_mismatch'
          | 'partly_foreign_reversal'
          | 'cause_no_longer_holds'
          | 'unreadable_session'
          | 'seller_gone'
          | 'dispute'
          | 'release_overdue'
          | 'payout_failed'
          | 'retired_currency'
          | 'capture_overdue'
          | 'seller_owes';
        since: string;
        detail: string;
      } | null;
      workflow_id: string | null;
      created_at: string;
    };
    Refund: {
      id: string;
      order_id: string;
      amount: number;
      currency: string;
      status: 'pending' | 'review' | 'succeeded' | 'failed';
      /** `provider`: made in the dashboard of the payment provider; with neither `hyperswitch_refund_id` nor `stripe_refund_id`: given back outside any refund, as two persons said. */
      origin: 'api' | 'provider';
      /** What it gives back of which items; null: of every line the same part. */
      items: { item_id: string; amount: number }[] | null;
      /** Who bears the fee of it. */
      fee: 'keep' | 'return_proportionally';
      hyperswitch_refund_id: string | null;
      /** What Stripe calls it, as far as that is known: `re_…`. */
      stripe_refund_id: string | null;
      /** Why it is not sent yet, where nobody is asked about that: it goes on by itself. */
      waiting: {
        for: 'platform_balance' | 'seller';
        since: string;
        detail: string;
        /** What the platform's balance was short of for it when Stripe was read last; null: not read yet, in another currency, or it waits for its seller. */
        missing: number | null;
      } | null;
      reversals: components['schemas']['Reversal'][];
      reason: string;
      certainty: 'not_sent' | 'in_flight' | 'done' | 'absent' | 'unknown';
      attention: {
        reason:
          | 'credential_undecodable'
          | 'credential_refused'
          | 'credential_expired'
          | 'uncollectable'
          | 'settled_elsewhere_suspected'
          | 'retries_exhausted'
          | 'resource_missing'
          | 'missing_transfer_id'
          | 'foreign_reversal'
          | 'exceeds_remainder'
          | 'conflict'
          | 'provider_config'
          | 'balance_horizon'
          | 'refund_failed_after_reversal'
          | 'unknown_refund'
          | 'drift'
          | 'late_success'
          | 'approval_pending'
          | 'payment_amount_differs'
          | 'unknown_status'
          | 'provider_mismatch'
          | 'partly_foreign_reversal'
          | 'cause_no_longer_holds'
          | 'unreadable_session'
          | 'seller_gone'
          | 'dispute'
          | 'release_overdue'
          | 'payout_failed'
          | 'retired_currency'
          | 'capture_overdue'
          | 'seller_owes';
        since: string;
        detail: string;
      } | null;
      workflow_id: string | null;
      created_at: string;
    };
    Dispute: {
      id: string;
      order_id: string;
      /** What the dispute is about, in its own currency. */
      amount: number;
      currency: string;
      /** `cancelled`: it ended without a judgement, as a closed inquiry does. */
      status: 'inquiry' | 'open' | 'won' | 'lost' | 'cancelled';
      /** Where its funds are, by the processor's own record of what it moved; sellers' shares follow that alone. */
      funds: 'none' | 'out' | 'back';
      /** Out now because of it, in the order's currency. */
      out: number;
      /** Of that, what DISPUTE_POLICY leaves with the platform so far. */
      borne_by_platform: number;
      /** The processor that holds it. */
      connector: string;
      /** What it is called there. */
      provider_dispute_id: string;
      hyperswitch_dispute_id: string | null;
      /** The words of whoever was read last. */
      provider_status: string | null;
      reason: string | null;
      reversals: components['schemas']['Reversal'][];
      attention: {
        reason:
          | 'credential_undecodable'
          | 'credential_refused'
          | 'credential_expired'
          | 'uncollectable'
          | 'settled_elsewhere_suspected'
          | 'retries_exhausted'
          | 'resource_missing'
          | 'missing_transfer_id'
          | 'foreign_reversal'
          | 'exceeds_remainder'
          | 'conflict'
          | 'provider_config'
          | 'balance_horizon'
          | 'refund_failed_after_reversal'
          | 'unknown_refund'
          | 'drift'
          | 'late_success'
          | 'approval_pending'
          | 'payment_amount_differs'
          | 'unknown_status'
          | 'provider_mismatch'
          | 'partly_foreign_reversal'
          | 'cause_no_longer_holds'
          | 'unreadable_session'
          | 'seller_gone'
          | 'dispute'
          | 'release_overdue'
          | 'payout_failed'
          | 'retired_currency'
          | 'capture_overdue'
          | 'seller_owes';
        since: string;
        detail: string;
      } | null;
      workflow_id: string | null;
      created_at: string;
    };
    Payment: {
      id: string;
      order_id: string;
      status: 'pending' | 'processing' | 'failed' | 'cancelled' | 'succeeded';
      amount: number;
      currency: string;
      /** For the buyer's browser; null once the payment is final. No other answer holds it. */
      client_secret: string | null;
    };
    PaymentDetails: {
      id: string;
      order_id: string;
      status: 'pending' | 'processing' | 'failed' | 'cancelled' | 'succeeded';
      amount: number;
      currency: string;
      capture: 'automatic' | 'manual' | 'manual_multiple';
      /** Parts that were asked for here, the oldest first. */
      captures: {
        id: string;
        amount: number;
        final: boolean;
        /** `open`: nobody knows yet; `refused`: surely not captured, and not asked for again. */
        status: 'open' | 'done' | 'refused';
        certainty: 'not_sent' | 'in_flight' | 'done' | 'absent' | 'unknown';
        detail: string | null;
        created_at: string;
      }[];
      /** Since when the buyer's money has been held to be captured; null: it is not. */
      held_since: string | null;
      /** When it was asked that it, or what is left of it, be called off; null: nobody has, or that has ended. */
      cancel_asked_at: string | null;
      /** That its order has named. */
      profile_id: string | null;
      customer_id: string | null;
      return_url: string | null;
      metadata: { [name: string]: string };
      /** What the buyer has surely paid, whatever the status; as much can be refunded. */
      captured: number;
      /** False: more may have been captured than that, or in another currency; Hyperswitch does not say. */
      captured_known: boolean;
      certainty: 'not_sent' | 'in_flight' | 'done' | 'absent' | 'unknown';
      /** Who took the money. `stripe`: another checkout did, by Stripe, and POST /api/v1/external-payments told of it. */
      provider: 'hyperswitch' | 'stripe';
      /** The provider's own word. */
      provider_status: string | null;
      hyperswitch_payment_id: string | null;
      /** What Stripe calls it, where Stripe carried it out: `pi_…`, or `ch_…`. */
      stripe_payment_id: string | null;
      attention: {
        reason:
          | 'credential_undecodable'
          | 'credential_refused'
          | 'credential_expired'
          | 'uncollectable'
          | 'settled_elsewhere_suspected'
          | 'retries_exhausted'
          | 'resource_missing'
          | 'missing_transfer_id'
          | 'foreign_reversal'
          | 'exceeds_remainder'
          | 'conflict'
          | 'provider_config'
          | 'balance_horizon'
          | 'refund_failed_after_reversal'
          | 'unknown_refund'
          | 'drift'
          | 'late_success'
          | 'approval_pending'
          | 'payment_amount_differs'
          | 'unknown_status'
          | 'provider_mismatch'
          | 'partly_foreign_reversal'
          | 'cause_no_longer_holds'
          | 'unreadable_session'
          | 'seller_gone'
          | 'dispute'
          | 'release_overdue'
          | 'payout_failed'
          | 'retired_currency'
          | 'capture_overdue'
          | 'seller_owes';
        since: string;
        detail: string;
      } | null;
      workflow_id: string | null;
      created_at: string;
    };
    Seller: {
      account: string;
      /** What is known. `waiting`: cannot receive yet. `gone`: deauthorised or rejected; a person is asked about each share. */
      state: 'able' | 'waiting' | 'gone';
      /** A word of Stripe's or ours; `parked`: Stripe does not let us in to the account now. Null: able. */
      reason: string | null;
      /** Null: it was never in doubt. */
      since: string | null;
      /** What waits or is with a person, newest first; 200 at most. */
      transfers: components['schemas']['Transfer'][];
      sums: { currency: string; waiting: number; with_person: number }[];
      /** What was taken back of him, and what he owes, by currency. */
      balances: {
        currency: string;
        /** Still to be taken back of him, in whatever way. */
        owed: number;
        /** Of that, kept of his next transfers (`offset`). */
        to_offset: number;
        /** Of that, kept of transfers that are being sent to him. */
        on_its_way: number;
        /** Kept of transfers that he has. */
        offset: number;
        /** Taken back at Stripe. */
        taken: number;
        /** Given up by persons. */
        given_up: number;
      }[];
      /** How it came about, newest first; 200 lines at most. */
      story: {
        at: string;
        /** As in the story of the reversal. */
        what: string;
        amount: number;
        currency: string;
        reversal_id: string;
        order_id: string;
        /** That it takes back. */
        transfer_id: string;
        /** That it is kept of; null: of none. */
        offset_transfer_id: string | null;
      }[];
    };
    Payout: {
      /** What Stripe calls it. */ id: string;
      seller_account: string;
      /** Below 0: Stripe took it from the seller's bank. */
      amount: number;
      currency: string;
      /** As Stripe said last. One that was `paid` may still fail, within five business days. */
      status: 'pending' | 'in_transit' | 'paid' | 'canceled' | 'failed';
      /** When it arrives, or should have. */
      arrival_at: string | null;
      failure_code: string | null;
      /** Stripe made it by itself; only of those it says what they contain. Null: not read yet. */
      automatic: boolean | null;
      /** What is known of what it contains. */
      contents: {
        /** `unread`: not known yet. `listed`: `transfers` is all of ours. `not_told`: Stripe does not say. `unreadable`: Stripe does not let us in to this account. */
        state: 'unread' | 'listed' | 'not_told' | 'unreadable';
        detail: string;
        /** How many payments to the seller in it are no transfers of this platform. */
        others: number;
      };
      transfers: {
        /** Null: a transfer that is not in the ledger. */ id: string | null;
        stripe_transfer_id: string;
        /** As the seller got it, in his balance's currency. */
        amount: number;
        currency: string;
      }[];
      /** When Stripe is read about it again; null: nothing is left to read. */
      next_check_at: string | null;
      attention: {
        reason:
          | 'credential_undecodable'
          | 'credential_refused'
          | 'credential_expired'
          | 'uncollectable'
          | 'settled_elsewhere_suspected'
          | 'retries_exhausted'
          | 'resource_missing'
          | 'missing_transfer_id'
          | 'foreign_reversal'
          | 'exceeds_remainder'
          | 'conflict'
          | 'provider_config'
          | 'balance_horizon'
          | 'refund_failed_after_reversal'
          | 'unknown_refund'
          | 'drift'
          | 'late_success'
          | 'approval_pending'
          | 'payment_amount_differs'
          | 'unknown_status'
          | 'provider_mismatch'
          | 'partly_foreign_reversal'
          | 'cause_no_longer_holds'
          | 'unreadable_session'
          | 'seller_gone'
          | 'dispute'
          | 'release_overdue'
          | 'payout_failed'
          | 'retired_currency'
          | 'capture_overdue'
          | 'seller_owes';
        since: string;
        detail: string;
      } | null;
      /** How the question about its failure ended: by a later payout, or by the word of a person. */
      failure_ended: 'paid_later' | 'dismissed' | null;
      created_at: string;
    };
    Decision: {
      /** The item that was decided about. */ id: string;
      status:
        | 'open'
        | 'pending'
        | 'needs_attention'
        | 'written_off'
        | 'settled'
        | 'released'
        | 'held'
        | 'waiting_platform_balance'
        | 'waiting_seller'
        | 'failed'
        | 'cancelled'
        | 'completed'
        | 'reversal_pending'
        | 'partially_reversed'
        | 'reversed'
        | 'permanently_failed'
        | 'waiting_balance'
        | 'review'
        | 'succeeded'
        | 'processing'
        | 'inquiry'
        | 'won'
        | 'lost'
        | 'pending_approval';
      decision_id: string;
    };
    Channel: {
      id: string;
      /** `closing`: its payer has asked for the close. `closed`: on the chain. */
      status: 'open' | 'closing' | 'closed';
      payer: string;
      payee: string;
      token: string;
      chain_id: number;
      deposit: string;
      /** What the payer has signed for. */
      accepted: string;
      spent: string;
      /** Of what is spent, by responses that were given. */
      earned: string;
      /** Captured on the chain. */
      settled: string;
      close_requested_at: string | null;
      next_check_at: string | null;
      created_at: string;
    };
    InboxEvent: {
      /** `<provider>:<event_id>`. */ id: string;
      provider: 'stripe' | 'hyperswitch';
      event_id: string;
      type: string;
      status: 'waiting' | 'processed';
      object_id: string | null;
      parent_id: string | null;
      account: string | null;
      received_at: string;
      processed_at: string | null;
      /** When it is acted on at the latest; null: it was. */
      next_check_at: string | null;
      /** How often the provider has sent it. */
      deliveries: number;
      /** What came of it; null: nothing yet. */
      outcome: string | null;
    };
    DecisionRecord: {
      id: string;
      kind: 'settlement' | 'transfer' | 'reversal' | 'payment' | 'refund' | 'dispute';
      item_id: string;
      action: string;
      state: 'applied' | 'pending_approval' | 'ignored';
      by: string;
      /** False: the name is only claimed, so it counts for nobody. */
      authenticated: boolean;
      note: string;
      evidence: { [name: string]: unknown } | null;
      reason:
        | 'credential_undecodable'
        | 'credential_refused'
        | 'credential_expired'
        | 'uncollectable'
        | 'settled_elsewhere_suspected'
        | 'retries_exhausted'
        | 'resource_missing'
        | 'missing_transfer_id'
        | 'foreign_reversal'
        | 'exceeds_remainder'
        | 'conflict'
        | 'provider_config'
        | 'balance_horizon'
        | 'refund_failed_after_reversal'
        | 'unknown_refund'
        | 'drift'
        | 'late_success'
        | 'approval_pending'
        | 'payment_amount_differs'
        | 'unknown_status'
        | 'provider_mismatch'
        | 'partly_foreign_reversal'
        | 'cause_no_longer_holds'
        | 'unreadable_session'
        | 'seller_gone'
        | 'dispute'
        | 'release_overdue'
        | 'payout_failed'
        | 'retired_currency'
        | 'capture_overdue'
        | 'seller_owes'
        | null;
      rests_on: 'nobody' | 'one' | 'two' | null;
      /** What it gives up or pays again, in minor units. */
      amount: string | null;
      currency: string | null;
      first_approver: string | null;
      approved_by: string | null;
      approval_note: string | null;
      requested_at: string;
      approved_at: string | null;
    };
    Overview: {
      at: string;
      needs_a_person: {
        kind: string;
        reason:
          | 'credential_undecodable'
          | 'credential_refused'
          | 'credential_expired'
          | 'uncollectable'
          | 'settled_elsewhere_suspected'
          | 'retries_exhausted'
          | 'resource_missing'
          | 'missing_transfer_id'
          | 'foreign_reversal'
          | 'exceeds_remainder'
          | 'conflict'
          | 'provider_config'
          | 'balance_horizon'
          | 'refund_failed_after_reversal'
          | 'unknown_refund'
          | 'drift'
          | 'late_success'
          | 'approval_pending'
          | 'payment_amount_differs'
          | 'unknown_status'
          | 'provider_mismatch'
          | 'partly_foreign_reversal'
          | 'cause_no_longer_holds'
          | 'unreadable_session'
          | 'seller_gone'
          | 'dispute'
          | 'release_overdue'
          | 'payout_failed'
          | 'retired_currency'
          | 'capture_overdue'
          | 'seller_owes';
        count: number;
        oldest_at: string;
        amounts: {
          /** Currency, or asset of a settlement. */ unit: string;
          /** Of an asset; null: minor units of a currency. */
          decimals: number | null;
          amount: string;
        }[];
        runbook: string;
      }[];
      unsettled: {
        protocol: string;
        asset: string;
        decimals: number;
        amount: string;
        count: number;
        oldest_at: string;
      }[];
      marketplace: {
        kind: string;
        status: string;
        currency: string;
        amount: string;
        count: number;
        oldest_at: string;
      }[];
      providers: {
        /** `stripe`, `stripe:<account>`, `hyperswitch`, `auth-server:<protocol>`, `tempo`. */ provider: string;
        /** What pauses it: POST /api/v1/providers/{provider}/pause. */
        pausable: string | null;
        state: 'closed' | 'open' | 'half_open';
        reason: string | null;
        detail: string | null;
        since: string | null;
        paused_by: string | null;
        paused_note: string | null;
        next_probe_at: string | null;
        /** Requests of the last second; null: not counted for this one. */
        pace_per_second: number | null;
        /** In force now: the lower of the settings and of what a person has set. */
        limit_per_second: number | null;
        /** Of `stripe`: by whose word, and what is used of it. */
        rate: components['schemas']['StripeRate'] | null;
        last_success_at: string | null;
      }[];
      inbox: { provider: string; count: number; oldest_at: string }[];
      sweeps: { name: string; last_success_at: string | null }[];
      /** Decisions that the settings of this deployment leave to nobody. */
      decisions_not_taken: string[];
      /** What is compared with providers. */
      compared: {
        part:
          | 'stripe-transfers'
          | 'stripe-reversals'
          | 'stripe-disputes'
          | 'stripe-payments'
          | 'stripe-refunds'
          | 'stripe-payouts'
          | 'hyperswitch-payments'
          | 'hyperswitch-refunds'
          | 'chain-nonces'
          | 'workflows'
          | 'second-look';
        /** When the run began that last compared all of it; of one that never was, since when it is to be. */
        last_success_at: string;
        /** Not for more than two intervals. */
        late: boolean;
      }[];
      counts: {
        unknown: number;
        expiring: number;
        suspected_elsewhere: number;
        delivery_unknown: number;
        answers_due: number;
        drift: number;
        payouts_failed: number;
      };
      series: {
        step_seconds: number;
        from: string;
        points: { at: string; done: number; failed: number; backlog: number; needs_attention: number }[];
      };
    };
    StripeRate: {
      /** Requests a second over all endpoints; null: Stripe is not set on this server. */ of_settings: number | null;
      /** What a person has set for every process; null: nobody has. */
      set: {
        per_second: number;
        by: string;
        /** False: a name that anybody may type. */
        authenticated: boolean;
        note: string;
        at: string;
      } | null;
      /** The lower of the two. */
      in_force: number | null;
      /** The same for each endpoint, of which Stripe takes no more than 25. */
      per_endpoint: number;
      /** What may be set. */
      most: number;
      /** Requests of the last second, and those that are not answered yet, over all endpoints. */
      pace: number;
      endpoints: { endpoint: string; pace: number }[];
    };
    Search: {
      results: { kind: string; id: string; matched: string; label: string; status: string; needs_attention: boolean }[];
      /** There are more than these: name one of them more closely. */
      more: boolean;
    };
    Explanation: {
      kind: 'settlement' | 'order' | 'payment' | 'refund' | 'transfer' | 'reversal' | 'dispute' | 'channel';
      id: string;
      status: string;
      why: string;
      related: {
        kind: string;
        id: string;
        relation: string;
        status: string;
        amount: string;
        currency: string | null;
      }[];
      temporal_url: string | null;
      /** Null: of an order and of a channel, which have none of their own. */
      certainty: 'not_sent' | 'in_flight' | 'done' | 'absent' | 'unknown' | null;
      amount: string;
      money: { with: ('buyer' | 'platform' | 'seller' | 'auth_server' | 'chain' | 'nobody')[]; words: string };
      next: string;
      next_at: string | null;
      attention: {
        reason:
          | 'credential_undecodable'
          | 'credential_refused'
          | 'credential_expired'
          | 'uncollectable'
          | 'settled_elsewhere_suspected'
          | 'retries_exhausted'
          | 'resource_missing'
          | 'missing_transfer_id'
          | 'foreign_reversal'
          | 'exceeds_remainder'
          | 'conflict'
          | 'provider_config'
          | 'balance_horizon'
          | 'refund_failed_after_reversal'
          | 'unknown_refund'
          | 'drift'
          | 'late_success'
          | 'approval_pending'
          | 'payment_amount_differs'
          | 'unknown_status'
          | 'provider_mismatch'
          | 'partly_foreign_reversal'
          | 'cause_no_longer_holds'
          | 'unreadable_session'
          | 'seller_gone'
          | 'dispute'
          | 'release_overdue'
          | 'payout_failed'
          | 'retired_currency'
          | 'capture_overdue'
          | 'seller_owes';
        since: string;
        detail: string;
      } | null;
      /** What a person can decide about it now. */
      actions: {
        action: string;
        effect: string;
        persons: string;
        /** What is known now; that the provider confirms it, or what a person gave up today, may change it. */
        needs_second_person: boolean;
        fields: { name: string; required: boolean; evidence: boolean }[];
        /** The same by the CLI. */
        command: string;
      }[];
      /** What somebody asked for and another person has not confirmed. */
      waiting_decision: { id: string; action: string; by: string; note: string; requested_at: string } | null;
      runbook: string | null;
      evidence: {
        ours: { [name: string]: unknown };
        /** What the provider was last seen to say; null: never asked. */
        provider: { [name: string]: unknown } | null;
        looked_at: string | null;
      };
      /** Of an order: what each party has. */
      shares?: { [name: string]: unknown }[];
      /** Of an order: how each part of it stands. */
      parts?: { [name: string]: unknown }[];
    };
    Live: {
      kind: 'settlement' | 'order' | 'payment' | 'refund' | 'transfer' | 'reversal' | 'dispute' | 'channel';
      id: string;
      /** When the provider was asked; within five seconds the same reading is told again. */
      read_at: string;
      provider: 'stripe' | 'hyperswitch' | 'chain' | 'tempo' | 'auth-server';
      /** `absent`: it has answered, and does not have it. `away`: it did not answer, or refuses us, so nothing is known. `not_asked`: nobody can be asked, or nothing is set to ask with. */
      answer: 'shown' | 'absent' | 'away' | 'not_asked';
      words: string;
      shows: { [name: string]: unknown } | null;
      /** The same of the ledger, at that moment. */
      ours: { [name: string]: unknown };
      decisions: {
        action: string;
        /** What it would meet at the provider now. `not_in_the_way`: the provider is not asked, or says nothing against it. */
        verdict: 'borne_out' | 'refused' | 'not_in_the_way';
        words: string;
        /** What it does; null: of what waits for a second person. */
        effect: string | null;
      }[];
    };
    Story: {
      events: {
        /** `reversal/<id>`. */ item: string;
        at: string;
        kind: string;
        certainty: string | null;
        answer: string | null;
        key: string | null;
        request_id: string | null;
        /** HTTP, of an attempt that was answered. */
        status: number | null;
        replayed: boolean | null;
        detail: { [name: string]: unknown };
      }[];
      /** Of a settlement: public facts by which the payment can be looked up. */
      lookup: { [name: string]: unknown } | null;
    };
    Pause: {
      provider: 'auth-server' | 'stripe' | 'hyperswitch' | 'chain';
      /** False: it was so before, and nothing was done. */
      changed: boolean;
      /** How it stands now; null: nobody has paused it. */
      paused: {
        provider: 'auth-server' | 'stripe' | 'hyperswitch' | 'chain';
        by: string;
        at: string;
        note: string;
      } | null;
    };
    Replay: { id: string; status: 'waiting' };
    BulkDecision: {
      dry_run: boolean;
      /** What the decision does with each of them. */
      effect: string;
      items: {
        id: string;
        /** `skipped`: it does not wait for this reason now, or whoever asked is not let in any more, or has gone, or Postgres did not answer before. `refused`: the ledger or the provider said no. `unanswered`: the provider did not say what is true, or Postgres did not confirm the decision. */
        outcome: 'would_decide' | 'decided' | 'pending_approval' | 'skipped' | 'refused' | 'unanswered';
        status: string | null;
        amount: string | null;
        needs_second_person: boolean | null;
        decision_id: string | null;
        detail: string | null;
      }[];
      /** Of those that are or would be decided. */
      amounts: { unit: string; amount: string }[];
      /** More wait for the reason than are listed. */
      more: boolean;
    };
    Session: {
      name: string;
      role: 'service' | 'viewer' | 'operator' | 'approver';
      /** To be sent as X-CSRF-Token with whatever changes something. */
      csrf: string;
    };
    Drift: {
      id: string;
      kind:
        | 'transfer_unknown'
        | 'transfer_missing'
        | 'transfer_differs'
        | 'reversal_unknown'
        | 'reversal_missing'
        | 'reversal_differs'
        | 'dispute_unknown'
        | 'dispute_missing'
        | 'dispute_differs'
        | 'payment_unknown'
        | 'payment_missing'
        | 'payment_differs'
        | 'refund_unknown'
        | 'refund_missing'
        | 'refund_differs'
        | 'payout_unknown'
        | 'payout_missing'
        | 'payout_differs'
        | 'settlement_unknown'
        | 'settlement_missing'
        | 'workflow_gone';
      state: 'open' | 'closed';
      /** What it means, in a sentence. */
      words: string;
      provider: 'stripe' | 'hyperswitch' | 'chain' | 'temporal';
      /** What it is called there. */
      provider_id: string;
      /** What of ours it is about; null: nothing. */
      item: { kind: 'settlement' | 'payment' | 'refund' | 'transfer' | 'reversal' | 'dispute'; id: string } | null;
      /** Minor units of the currency, or atomic units of the asset. */
      amount: string | null;
      currency: string | null;
      ledger_says: string;
      provider_says: string;
      opened_at: string;
      /** When both were last looked at. */
      last_seen_at: string;
      closed_at: string | null;
      closed_why: 'agrees' | 'accepted' | 'repaired' | null;
      closed_by: string | null;
      note: string | null;
      /** Of what both sides say; one more each time that one tells something else. Whoever accepts names it. */
      version: number;
      /** Who asked that it be accepted, where a second person has to confirm it. */
      waiting_acceptance: { by: string; note: string; at: string } | null;
      runbook: string;
    };
    Reconciliation: {
      id: string;
      requested_by: string;
      /** From when on was asked for; null: where the last finished run ended. */
      since: string | null;
      state: 'running' | 'finished';
      started_at: string;
      finished_at: string | null;
      parts: {
        part:
          | 'stripe-transfers'
          | 'stripe-reversals'
          | 'stripe-disputes'
          | 'stripe-payments'
          | 'stripe-refunds'
          | 'stripe-payouts'
          | 'hyperswitch-payments'
          | 'hyperswitch-refunds'
          | 'chain-nonces'
          | 'workflows'
          | 'second-look';
        since: string;
        pages: number;
        looked_at: number;
        suspected: number;
        finished: boolean;
        /** Why it could not be compared in this run: nothing was concluded. */
        left_because: string | null;
        /** What of it could not be read, by name, while the rest was compared; the next run begins where this one did. */
        uncompared: string[];
      }[];
    };
    Problem: {
      type: string;
      title: string;
      status: number;
      detail: string;
      code: string;
      errors?: { pointer: string; message: string }[];
      request_id: string;
      [name: string]: unknown;
    };
  };
}

interface ProblemAnswer {
  headers: Record<string, unknown>;
  content: { 'application/problem+json': components['schemas']['Problem'] };
}

export interface paths {
  '/api/v1/settlements': {
    /** Settlements, newest first. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: {
          status?: 'open' | 'pending' | 'needs_attention' | 'written_off' | 'settled' | 'released';
          protocol?: 'atxp' | 'x402' | 'mpp';
          asset?: string;
          payer?: string;
          order_id?: string;
          needs_attention?: 'true' | 'false';
          reason?:
            | 'credential_undecodable'
            | 'credential_refused'
            | 'credential_expired'
            | 'uncollectable'
            | 'settled_elsewhere_suspected'
            | 'retries_exhausted'
            | 'resource_missing'
            | 'missing_transfer_id'
            | 'foreign_reversal'
            | 'exceeds_remainder'
            | 'conflict'
            | 'provider_config'
            | 'balance_horizon'
            | 'refund_failed_after_reversal'
            | 'unknown_refund'
            | 'drift'
            | 'late_success'
            | 'approval_pending'
            | 'payment_amount_differs'
            | 'unknown_status'
            | 'provider_mismatch'
            | 'partly_foreign_reversal'
            | 'cause_no_longer_holds'
            | 'unreadable_session'
            | 'seller_gone'
            | 'dispute'
            | 'release_overdue'
            | 'payout_failed'
            | 'retired_currency'
            | 'capture_overdue'
            | 'seller_owes';
          key?: string;
          archived?: 'true' | 'false';
          since?: string;
          until?: string;
          limit?: string;
          cursor?: string;
        };
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** A page of settlements. */
        200: {
          headers: Record<string, unknown>;
          content: {
            'application/json': { items: components['schemas']['Settlement'][]; next_cursor: string | null };
            'text/csv': string;
          };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    /** Take over the charge of a served response; it is collected exactly once, however long the auth server is down. Roles: service. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** Names the request: the same key and content is answered with what became of it. Default: context.paymentRequestId, else the identity of the credential. */
            key?: string;
            protocol: 'atxp' | 'x402' | 'mpp';
            /** As it came in the header, or decoded. Stored encrypted, erased once the money has moved. */
            credential: string | { [name: string]: unknown };
            /** What the payment was asked for with; no secrets. */
            context: {
              /** x402: the accept that the credential answers. */ paymentRequirements?: { [name: string]: unknown };
              /** ATXP: the options that were offered; amounts are decimal. */
              options?: { [name: string]: unknown }[];
              paymentRequestId?: string;
              sourceAccountId?: string;
              destinationAccountId?: string;
            };
            spent: {
              /** What to collect, in atomic units; "0" only closes an MPP session. A credential that can only be charged whole (x402 exact, MPP charge) is charged whole. */
              amount: string;
              asset: string;
              decimals: number;
            };
          };
        };
      };
      responses: {
        /** The settlement, durable. Sent again with the same key and content: its present state. A credential that cannot be decoded waits for an operator. */
        202: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Settlement'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/settlements/{id}': {
    /** One settlement. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The settlement. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Settlement'] } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/orders': {
    /** Orders, newest first. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: {
          status?: 'pending' | 'payment_failed' | 'paid' | 'partially_refunded' | 'refunded';
          order_id?: string;
          currency?: string;
          seller?: string;
          needs_attention?: 'true' | 'false';
          reason?:
            | 'credential_undecodable'
            | 'credential_refused'
            | 'credential_expired'
            | 'uncollectable'
            | 'settled_elsewhere_suspected'
            | 'retries_exhausted'
            | 'resource_missing'
            | 'missing_transfer_id'
            | 'foreign_reversal'
            | 'exceeds_remainder'
            | 'conflict'
            | 'provider_config'
            | 'balance_horizon'
            | 'refund_failed_after_reversal'
            | 'unknown_refund'
            | 'drift'
            | 'late_success'
            | 'approval_pending'
            | 'payment_amount_differs'
            | 'unknown_status'
            | 'provider_mismatch'
            | 'partly_foreign_reversal'
            | 'cause_no_longer_holds'
            | 'unreadable_session'
            | 'seller_gone'
            | 'dispute'
            | 'release_overdue'
            | 'payout_failed'
            | 'retired_currency'
            | 'capture_overdue'
            | 'seller_owes';
          key?: string;
          archived?: 'true' | 'false';
          since?: string;
          until?: string;
          limit?: string;
          cursor?: string;
        };
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** A page of orders. */
        200: {
          headers: Record<string, unknown>;
          content: {
            'application/json': { items: components['schemas']['Order'][]; next_cursor: string | null };
            'text/csv': string;
          };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    /** What a buyer is to pay, and which sellers share it. Roles: service. */
    post: {
      parameters: {
        query?: never;
        header: {
          /** Names this request among those of this token: the same key and body is answered with the first answer, however often it is sent. Two equal refunds are two keys. */
          'Idempotency-Key': string;
          /** Of the session; needed only by requests that come by its cookie. */
          'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** ISO 4217, in any case; answers hold upper case. */ currency: string;
            items: {
              /** What the line is for; it changes nothing about who gets what. */ kind?: 'item' | 'shipping' | 'tax';
              /** The connected Stripe account that gets this amount, less the fee; left out: the platform's own line. */
              seller_account?: string;
              /** Minor units of the currency, as a JSON integer. */
              amount: number;
              /** Of the amount, what the platform keeps: minor units, or basis points of the amount, rounded down to what the currency moves in. */
              fee?: number | { basis_points: number };
              /** When a seller's share may be sent: `immediately` (default), `on_request` (POST /api/v1/transfers/{id}/release), or so long after the order was paid. Instead of that of the order. */
              release?:
                | 'immediately'
                | 'on_request'
                | {
                    /** A whole number and one of ms, s, m, h, d; at most 365d. */ after: string;
                  };
              description: string;
            }[];
            /** When a seller's share may be sent: `immediately` (default), `on_request` (POST /api/v1/transfers/{id}/release), or so long after the order was paid. Of all items that say nothing themselves. */
            release?:
              | 'immediately'
              | 'on_request'
              | {
                  /** A whole number and one of ms, s, m, h, d; at most 365d. */ after: string;
                };
          };
        };
      };
      responses: {
        /** The order. */
        201: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Order'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/orders/{id}': {
    /** One order, with its payment, transfers, refunds, reversals and disputes. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The order. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Order'] } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/payments': {
    /** Buyers' payments, newest first. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: {
          status?: 'pending' | 'processing' | 'failed' | 'cancelled' | 'succeeded';
          order_id?: string;
          currency?: string;
          seller?: string;
          needs_attention?: 'true' | 'false';
          reason?:
            | 'credential_undecodable'
            | 'credential_refused'
            | 'credential_expired'
            | 'uncollectable'
            | 'settled_elsewhere_suspected'
            | 'retries_exhausted'
            | 'resource_missing'
            | 'missing_transfer_id'
            | 'foreign_reversal'
            | 'exceeds_remainder'
            | 'conflict'
            | 'provider_config'
            | 'balance_horizon'
            | 'refund_failed_after_reversal'
            | 'unknown_refund'
            | 'drift'
            | 'late_success'
            | 'approval_pending'
            | 'payment_amount_differs'
            | 'unknown_status'
            | 'provider_mismatch'
            | 'partly_foreign_reversal'
            | 'cause_no_longer_holds'
            | 'unreadable_session'
            | 'seller_gone'
            | 'dispute'
            | 'release_overdue'
            | 'payout_failed'
            | 'retired_currency'
            | 'capture_overdue'
            | 'seller_owes';
          key?: string;
          archived?: 'true' | 'false';
          since?: string;
          until?: string;
          limit?: string;
          cursor?: string;
        };
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** A page of payments. */
        200: {
          headers: Record<string, unknown>;
          content: {
            'application/json': { items: components['schemas']['PaymentDetails'][]; next_cursor: string | null };
            'text/csv': string;
          };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    /** Let the buyer pay an order. An order has one payment, however often it is asked for. Roles: service. */
    post: {
      parameters: {
        query?: never;
        header: {
          /** Names this request among those of this token: the same key and body is answered with the first answer, however often it is sent. Two equal refunds are two keys. */
          'Idempotency-Key': string;
          /** Of the session; needed only by requests that come by its cookie. */
          'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** Of an order. */ order_id: string;
            /** `automatic` (default); `manual`: the buyer's money is held until POST /api/v1/payments/{id}/capture; `manual_multiple`: captured in several parts, where the processor can; not at Stripe. */
            capture?: 'automatic' | 'manual' | 'manual_multiple';
            /** Who pays, as your shop and Hyperswitch know him. At Stripe one of its customers (`cus_…`), by `id` alone. */
            customer?: { id: string; name?: string; email?: string };
            /** Where the buyer comes back to after he has paid; https. Stripe takes it only where the payment is confirmed, in his browser: there it is kept and answered, for your page to hand it over. */
            return_url?: string;
            /** Kept with the payment at its provider: up to 48 texts of at most 500 characters, under names of at most 40. `order_id` and `payment_id` are written there by Makegood; at Stripe `generation` too, which leaves room for 47, and names have no brackets. */
            metadata?: { [name: string]: string };
            /** The profile of Hyperswitch that the payment is made under; default: HYPERSWITCH_PROFILE_ID, else that of the key. */
            profile_id?: string;
          };
        };
      };
      responses: {
        /** The same payment, asked for under another key. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Payment'] } };
        /** The payment, made at the payment provider. */
        201: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Payment'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/payments/{id}': {
    /** One payment, with what was captured of it. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The payment. */
        200: {
          headers: Record<string, unknown>;
          content: { 'application/json': components['schemas']['PaymentDetails'] };
        };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/payments/{id}/capture': {
    get?: never;
    /** Capture a payment whose money is held, or a part of it. Roles: service, operator, approver. */
    post: {
      parameters: {
        query?: never;
        header: {
          /** Names this request among those of this token: the same key and body is answered with the first answer, however often it is sent. Two equal refunds are two keys. */
          'Idempotency-Key': string;
          /** Of the session; needed only by requests that come by its cookie. */
          'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** Minor units, as a JSON integer: this part of the payment; left out: all that is left. */
            amount?: number;
            /** True: nothing more is captured after it, and the sellers are paid of what was. Always so of a payment that is `manual`, and of the last part; at Stripe, where it cannot be false, the rest goes back to the buyer with it. */
            final?: boolean;
          };
        };
      };
      responses: {
        /** The payment, with what is captured of it now. */
        200: {
          headers: Record<string, unknown>;
          content: { 'application/json': components['schemas']['PaymentDetails'] };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/payments/{id}/cancel': {
    get?: never;
    /** Call off a payment that is not captured, or what is left of it: the buyer keeps what was only held. A success that came before wins. Said again it changes nothing. Roles: service, operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The payment: called off, or paid by what was captured of it. */
        200: {
          headers: Record<string, unknown>;
          content: { 'application/json': components['schemas']['PaymentDetails'] };
        };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/refunds': {
    /** What buyers got back or are to get back, newest first. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: {
          status?: 'pending' | 'review' | 'succeeded' | 'failed';
          order_id?: string;
          currency?: string;
          seller?: string;
          needs_attention?: 'true' | 'false';
          reason?:
            | 'credential_undecodable'
            | 'credential_refused'
            | 'credential_expired'
            | 'uncollectable'
            | 'settled_elsewhere_suspected'
            | 'retries_exhausted'
            | 'resource_missing'
            | 'missing_transfer_id'
            | 'foreign_reversal'
            | 'exceeds_remainder'
            | 'conflict'
            | 'provider_config'
            | 'balance_horizon'
            | 'refund_failed_after_reversal'
            | 'unknown_refund'
            | 'drift'
            | 'late_success'
            | 'approval_pending'
            | 'payment_amount_differs'
            | 'unknown_status'
            | 'provider_mismatch'
            | 'partly_foreign_reversal'
            | 'cause_no_longer_holds'
            | 'unreadable_session'
            | 'seller_gone'
            | 'dispute'
            | 'release_overdue'
            | 'payout_failed'
            | 'retired_currency'
            | 'capture_overdue'
            | 'seller_owes';
          key?: string;
          archived?: 'true' | 'false';
          since?: string;
          until?: string;
          limit?: string;
          cursor?: string;
        };
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** A page of refunds. */
        200: {
          headers: Record<string, unknown>;
          content: {
            'application/json': { items: components['schemas']['Refund'][]; next_cursor: string | null };
            'text/csv': string;
          };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    /** Give the buyer back what was paid, or a part of it; the sellers' shares are taken back afterwards. Roles: service. */
    post: {
      parameters: {
        query?: never;
        header: {
          /** Names this request among those of this token: the same key and body is answered with the first answer, however often it is sent. Two equal refunds are two keys. */
          'Idempotency-Key': string;
          /** Of the session; needed only by requests that come by its cookie. */
          'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** Of an order. */ order_id: string;
            /** Minor units, as a JSON integer; left out: all that is not refunded yet. */
            amount?: number;
            /** What is given back of which items; only their sellers give anything back. Instead of amount and seller_account. */
            items?: {
              item_id: string;
              /** Minor units of the currency, as a JSON integer. */
              amount: number;
            }[];
            /** Only lines of this seller are given back: `amount` of them, or all that is left. */
            seller_account?: string;
            /** Who bears the fee: `return_proportionally`: the platform gives back its part; `keep`: the seller gives back first, as far as what he got reaches. Default: REFUND_FEE. */
            fee?: 'keep' | 'return_proportionally';
            /** Passed on to the payment provider. */
            reason: string;
          };
        };
      };
      responses: {
        /** The refund, durable; its status tells how far the payment provider has come. */
        202: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Refund'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/external-payments': {
    get?: never;
    /** An order was paid by another checkout, at this Stripe account: read there, what was given back of it first, and then the sellers are paid. Roles: service. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** Of an order that says what the buyer was to pay, and who shares it. */ order_id: string;
            /** Whose names these are: of the account of STRIPE_SECRET_KEY. */
            provider: 'stripe';
            payment_intent?: string;
            /** Instead of its PaymentIntent. */
            charge?: string;
          };
        };
      };
      responses: {
        /** It was told of before. */
        200: {
          headers: Record<string, unknown>;
          content: { 'application/json': components['schemas']['PaymentDetails'] };
        };
        /** The payment, as Stripe holds it. */
        201: {
          headers: Record<string, unknown>;
          content: { 'application/json': components['schemas']['PaymentDetails'] };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/external-refunds': {
    get?: never;
    /** A refund of such a payment was made at Stripe: read there, and the sellers' shares are taken back. One that nobody tells of is found later. Roles: service. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** Of an order that says what the buyer was to pay, and who shares it. */ order_id: string;
            /** Whose names these are: of the account of STRIPE_SECRET_KEY. */
            provider: 'stripe';
            refund: string;
          };
        };
      };
      responses: {
        /** The refund, as far as Stripe has come. */
        202: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Refund'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/refunds/{id}': {
    /** One refund, with the reversals that came of it. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The refund. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Refund'] } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/transfers': {
    /** Sellers' shares of orders, newest first. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: {
          status?:
            | 'pending'
            | 'held'
            | 'waiting_platform_balance'
            | 'waiting_seller'
            | 'failed'
            | 'cancelled'
            | 'completed'
            | 'reversal_pending'
            | 'partially_reversed'
            | 'reversed'
            | 'permanently_failed';
          order_id?: string;
          currency?: string;
          seller?: string;
          needs_attention?: 'true' | 'false';
          reason?:
            | 'credential_undecodable'
            | 'credential_refused'
            | 'credential_expired'
            | 'uncollectable'
            | 'settled_elsewhere_suspected'
            | 'retries_exhausted'
            | 'resource_missing'
            | 'missing_transfer_id'
            | 'foreign_reversal'
            | 'exceeds_remainder'
            | 'conflict'
            | 'provider_config'
            | 'balance_horizon'
            | 'refund_failed_after_reversal'
            | 'unknown_refund'
            | 'drift'
            | 'late_success'
            | 'approval_pending'
            | 'payment_amount_differs'
            | 'unknown_status'
            | 'provider_mismatch'
            | 'partly_foreign_reversal'
            | 'cause_no_longer_holds'
            | 'unreadable_session'
            | 'seller_gone'
            | 'dispute'
            | 'release_overdue'
            | 'payout_failed'
            | 'retired_currency'
            | 'capture_overdue'
            | 'seller_owes';
          key?: string;
          archived?: 'true' | 'false';
          since?: string;
          until?: string;
          limit?: string;
          cursor?: string;
        };
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** A page of transfers. */
        200: {
          headers: Record<string, unknown>;
          content: {
            'application/json': { items: components['schemas']['Transfer'][]; next_cursor: string | null };
            'text/csv': string;
          };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/transfers/{id}': {
    /** One seller's share of an order, with what was taken back of it. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The transfer. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Transfer'] } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/transfers/{id}/release': {
    get?: never;
    /** Release a seller's share that waits for it: it is sent once no dispute and no refund of its order is open. Said again it changes nothing. Roles: service, operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The transfer as it is now, also where it was released or sent before. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Transfer'] } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/sellers/{account}': {
    /** Whether a seller can receive, what waits for him or is with a person, and what he owes. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { account: string };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The seller. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Seller'] } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/reversals': {
    /** What refunds take back from sellers, newest first. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: {
          status?: 'pending' | 'waiting_balance' | 'permanently_failed' | 'written_off' | 'reversed';
          order_id?: string;
          currency?: string;
          seller?: string;
          needs_attention?: 'true' | 'false';
          reason?:
            | 'credential_undecodable'
            | 'credential_refused'
            | 'credential_expired'
            | 'uncollectable'
            | 'settled_elsewhere_suspected'
            | 'retries_exhausted'
            | 'resource_missing'
            | 'missing_transfer_id'
            | 'foreign_reversal'
            | 'exceeds_remainder'
            | 'conflict'
            | 'provider_config'
            | 'balance_horizon'
            | 'refund_failed_after_reversal'
            | 'unknown_refund'
            | 'drift'
            | 'late_success'
            | 'approval_pending'
            | 'payment_amount_differs'
            | 'unknown_status'
            | 'provider_mismatch'
            | 'partly_foreign_reversal'
            | 'cause_no_longer_holds'
            | 'unreadable_session'
            | 'seller_gone'
            | 'dispute'
            | 'release_overdue'
            | 'payout_failed'
            | 'retired_currency'
            | 'capture_overdue'
            | 'seller_owes';
          key?: string;
          archived?: 'true' | 'false';
          since?: string;
          until?: string;
          limit?: string;
          cursor?: string;
        };
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** A page of reversals. */
        200: {
          headers: Record<string, unknown>;
          content: {
            'application/json': { items: components['schemas']['Reversal'][]; next_cursor: string | null };
            'text/csv': string;
          };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/reversals/{id}': {
    /** One reversal. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The reversal. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Reversal'] } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/disputes': {
    /** What buyers have disputed at their banks, newest first. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: {
          status?: 'inquiry' | 'open' | 'won' | 'lost' | 'cancelled';
          order_id?: string;
          currency?: string;
          seller?: string;
          needs_attention?: 'true' | 'false';
          reason?:
            | 'credential_undecodable'
            | 'credential_refused'
            | 'credential_expired'
            | 'uncollectable'
            | 'settled_elsewhere_suspected'
            | 'retries_exhausted'
            | 'resource_missing'
            | 'missing_transfer_id'
            | 'foreign_reversal'
            | 'exceeds_remainder'
            | 'conflict'
            | 'provider_config'
            | 'balance_horizon'
            | 'refund_failed_after_reversal'
            | 'unknown_refund'
            | 'drift'
            | 'late_success'
            | 'approval_pending'
            | 'payment_amount_differs'
            | 'unknown_status'
            | 'provider_mismatch'
            | 'partly_foreign_reversal'
            | 'cause_no_longer_holds'
            | 'unreadable_session'
            | 'seller_gone'
            | 'dispute'
            | 'release_overdue'
            | 'payout_failed'
            | 'retired_currency'
            | 'capture_overdue'
            | 'seller_owes';
          key?: string;
          archived?: 'true' | 'false';
          since?: string;
          until?: string;
          limit?: string;
          cursor?: string;
        };
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** A page of disputes. */
        200: {
          headers: Record<string, unknown>;
          content: {
            'application/json': { items: components['schemas']['Dispute'][]; next_cursor: string | null };
            'text/csv': string;
          };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/disputes/{id}': {
    /** One dispute, with where its funds are and the reversals that came of it. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The dispute. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Dispute'] } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/payouts': {
    /** Payouts from sellers' balances to their banks, newest first. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: {
          seller?: string;
          status?: 'pending' | 'in_transit' | 'paid' | 'canceled' | 'failed';
          currency?: string;
          transfer_id?: string;
          needs_attention?: 'true' | 'false';
          limit?: string;
          cursor?: string;
          since?: string;
          until?: string;
        };
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** A page of payouts. */
        200: {
          headers: Record<string, unknown>;
          content: {
            'application/json': { items: components['schemas']['Payout'][]; next_cursor: string | null };
            'text/csv': string;
          };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/payouts/{id}': {
    /** One payout, by its name at Stripe, with the transfers it contains as far as Stripe says so. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The payout. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Payout'] } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/payouts/{id}/dismiss': {
    get?: never;
    /** Say that nothing is left to do about a payout that failed. No money moves; a later payout of the seller that succeeds says it by itself. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: { content: { 'application/json': { note: string } } };
      responses: {
        /** Recorded; nobody is asked any more. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Payout'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/webhooks/hyperswitch': {
    get?: never;
    /** Where Hyperswitch sends its events. */
    post: {
      parameters: {
        query?: never;
        header: {
          /** Over the bytes of the body. */ 'X-Webhook-Signature-512': string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: { content: { 'application/json': { [name: string]: unknown } } };
      responses: {
        /** Stored, now or at an earlier delivery. Types and ids that nobody knows are stored too. */
        200: { headers: Record<string, unknown>; content: { 'application/json': { received: true } } };
        400: ProblemAnswer;
        405: ProblemAnswer;
        413: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/webhooks/stripe': {
    get?: never;
    /** Where Stripe sends its events, of this account and of connected ones. */
    post: {
      parameters: {
        query?: never;
        header: {
          /** Over the bytes of the body. */ 'Stripe-Signature': string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: { content: { 'application/json': { [name: string]: unknown } } };
      responses: {
        /** Stored, now or at an earlier delivery. Types and ids that nobody knows are stored too. */
        200: { headers: Record<string, unknown>; content: { 'application/json': { received: true } } };
        400: ProblemAnswer;
        405: ProblemAnswer;
        413: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/settlements/{id}/resolve': {
    get?: never;
    /** Decide about a settlement that needs attention; the chain is asked where it can know. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** One of retry, settled, write_off; anything else is answered with 422. */ action: string;
            note: string;
            /** What the item was seen to ask: its `attention`. Where it asks something else by then, nothing is decided (`changed_since`); left out: it is decided whatever it asks. */
            seen?: {
              /** null: it was not asked about. */
              reason:
                | 'credential_undecodable'
                | 'credential_refused'
                | 'credential_expired'
                | 'uncollectable'
                | 'settled_elsewhere_suspected'
                | 'retries_exhausted'
                | 'resource_missing'
                | 'missing_transfer_id'
                | 'foreign_reversal'
                | 'exceeds_remainder'
                | 'conflict'
                | 'provider_config'
                | 'balance_horizon'
                | 'refund_failed_after_reversal'
                | 'unknown_refund'
                | 'drift'
                | 'late_success'
                | 'approval_pending'
                | 'payment_amount_differs'
                | 'unknown_status'
                | 'provider_mismatch'
                | 'partly_foreign_reversal'
                | 'cause_no_longer_holds'
                | 'unreadable_session'
                | 'seller_gone'
                | 'dispute'
                | 'release_overdue'
                | 'payout_failed'
                | 'retired_currency'
                | 'capture_overdue'
                | 'seller_owes'
                | null;
              detail?: string;
            };
            evidence?: {
              /** The transaction that moved the money. */ tx_hash?: string;
              /** Where it was seen; kept with the decision. */
              reference?: string;
            };
          };
        };
      };
      responses: {
        /** Decided and recorded. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        /** Recorded as a request; an approver has to confirm it. */
        202: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/transfers/{id}/resolve': {
    get?: never;
    /** Decide about a transfer that needs attention; Stripe is asked before money is believed or given up. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** One of retry, adopt, release, write_off; anything else is answered with 422. */ action: string;
            note: string;
            /** What the item was seen to ask: its `attention`. Where it asks something else by then, nothing is decided (`changed_since`); left out: it is decided whatever it asks. */
            seen?: {
              /** null: it was not asked about. */
              reason:
                | 'credential_undecodable'
                | 'credential_refused'
                | 'credential_expired'
                | 'uncollectable'
                | 'settled_elsewhere_suspected'
                | 'retries_exhausted'
                | 'resource_missing'
                | 'missing_transfer_id'
                | 'foreign_reversal'
                | 'exceeds_remainder'
                | 'conflict'
                | 'provider_config'
                | 'balance_horizon'
                | 'refund_failed_after_reversal'
                | 'unknown_refund'
                | 'drift'
                | 'late_success'
                | 'approval_pending'
                | 'payment_amount_differs'
                | 'unknown_status'
                | 'provider_mismatch'
                | 'partly_foreign_reversal'
                | 'cause_no_longer_holds'
                | 'unreadable_session'
                | 'seller_gone'
                | 'dispute'
                | 'release_overdue'
                | 'payout_failed'
                | 'retired_currency'
                | 'capture_overdue'
                | 'seller_owes'
                | null;
              detail?: string;
            };
            evidence?: {
              /** What to adopt; Stripe is asked whether it is there, of this amount, and nothing else of ours. */
              stripe_transfer_id?: string;
              /** Where it was seen; kept with the decision. */
              reference?: string;
            };
          };
        };
      };
      responses: {
        /** Decided and recorded. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        /** Recorded as a request; an approver has to confirm it. */
        202: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/reversals/{id}/resolve': {
    get?: never;
    /** Decide about a reversal that needs attention; Stripe is asked before money is believed or given up. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** One of retry, adopt, count_as_share, take_missing, take_all, take_available, offset, write_off; anything else is answered with 422. */
            action: string;
            note: string;
            /** What the item was seen to ask: its `attention`. Where it asks something else by then, nothing is decided (`changed_since`); left out: it is decided whatever it asks. */
            seen?: {
              /** null: it was not asked about. */
              reason:
                | 'credential_undecodable'
                | 'credential_refused'
                | 'credential_expired'
                | 'uncollectable'
                | 'settled_elsewhere_suspected'
                | 'retries_exhausted'
                | 'resource_missing'
                | 'missing_transfer_id'
                | 'foreign_reversal'
                | 'exceeds_remainder'
                | 'conflict'
                | 'provider_config'
                | 'balance_horizon'
                | 'refund_failed_after_reversal'
                | 'unknown_refund'
                | 'drift'
                | 'late_success'
                | 'approval_pending'
                | 'payment_amount_differs'
                | 'unknown_status'
                | 'provider_mismatch'
                | 'partly_foreign_reversal'
                | 'cause_no_longer_holds'
                | 'unreadable_session'
                | 'seller_gone'
                | 'dispute'
                | 'release_overdue'
                | 'payout_failed'
                | 'retired_currency'
                | 'capture_overdue'
                | 'seller_owes'
                | null;
              detail?: string;
            };
            evidence?: {
              /** What to adopt; Stripe is asked whether it is there, of this amount, and nothing else of ours. */
              stripe_reversal_id?: string;
              /** How much of a dispute is out, in minor units; left out: all of it. */
              amount?: string;
              /** Where it was seen; kept with the decision. */
              reference?: string;
            };
          };
        };
      };
      responses: {
        /** Decided and recorded. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        /** Recorded as a request; an approver has to confirm it. */
        202: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/payments/{id}/resolve': {
    get?: never;
    /** Decide about a payment that needs attention; Hyperswitch is asked before it is given up. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** One of retry, cancel, accept_capture, given_back, not_given_back, write_off; anything else is answered with 422. */
            action: string;
            note: string;
            /** What the item was seen to ask: its `attention`. Where it asks something else by then, nothing is decided (`changed_since`); left out: it is decided whatever it asks. */
            seen?: {
              /** null: it was not asked about. */
              reason:
                | 'credential_undecodable'
                | 'credential_refused'
                | 'credential_expired'
                | 'uncollectable'
                | 'settled_elsewhere_suspected'
                | 'retries_exhausted'
                | 'resource_missing'
                | 'missing_transfer_id'
                | 'foreign_reversal'
                | 'exceeds_remainder'
                | 'conflict'
                | 'provider_config'
                | 'balance_horizon'
                | 'refund_failed_after_reversal'
                | 'unknown_refund'
                | 'drift'
                | 'late_success'
                | 'approval_pending'
                | 'payment_amount_differs'
                | 'unknown_status'
                | 'provider_mismatch'
                | 'partly_foreign_reversal'
                | 'cause_no_longer_holds'
                | 'unreadable_session'
                | 'seller_gone'
                | 'dispute'
                | 'release_overdue'
                | 'payout_failed'
                | 'retired_currency'
                | 'capture_overdue'
                | 'seller_owes'
                | null;
              detail?: string;
            };
            evidence?: {
              /** Where it was seen; kept with the decision. */ reference?: string;
            };
          };
        };
      };
      responses: {
        /** Decided and recorded. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        /** Recorded as a request; an approver has to confirm it. */
        202: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/refunds/{id}/resolve': {
    get?: never;
    /** Decide about a refund that needs attention. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** One of retry, compensate, write_off; anything else is answered with 422. */ action: string;
            note: string;
            /** What the item was seen to ask: its `attention`. Where it asks something else by then, nothing is decided (`changed_since`); left out: it is decided whatever it asks. */
            seen?: {
              /** null: it was not asked about. */
              reason:
                | 'credential_undecodable'
                | 'credential_refused'
                | 'credential_expired'
                | 'uncollectable'
                | 'settled_elsewhere_suspected'
                | 'retries_exhausted'
                | 'resource_missing'
                | 'missing_transfer_id'
                | 'foreign_reversal'
                | 'exceeds_remainder'
                | 'conflict'
                | 'provider_config'
                | 'balance_horizon'
                | 'refund_failed_after_reversal'
                | 'unknown_refund'
                | 'drift'
                | 'late_success'
                | 'approval_pending'
                | 'payment_amount_differs'
                | 'unknown_status'
                | 'provider_mismatch'
                | 'partly_foreign_reversal'
                | 'cause_no_longer_holds'
                | 'unreadable_session'
                | 'seller_gone'
                | 'dispute'
                | 'release_overdue'
                | 'payout_failed'
                | 'retired_currency'
                | 'capture_overdue'
                | 'seller_owes'
                | null;
              detail?: string;
            };
            evidence?: {
              /** Where it was seen; kept with the decision. */ reference?: string;
            };
          };
        };
      };
      responses: {
        /** Decided and recorded. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        /** Recorded as a request; an approver has to confirm it. */
        202: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/disputes/{id}/resolve': {
    get?: never;
    /** Decide about a dispute that needs attention; Stripe is asked before a word about its funds is believed. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** One of retry, adopt, funds_out, funds_back, write_off; anything else is answered with 422. */
            action: string;
            note: string;
            /** What the item was seen to ask: its `attention`. Where it asks something else by then, nothing is decided (`changed_since`); left out: it is decided whatever it asks. */
            seen?: {
              /** null: it was not asked about. */
              reason:
                | 'credential_undecodable'
                | 'credential_refused'
                | 'credential_expired'
                | 'uncollectable'
                | 'settled_elsewhere_suspected'
                | 'retries_exhausted'
                | 'resource_missing'
                | 'missing_transfer_id'
                | 'foreign_reversal'
                | 'exceeds_remainder'
                | 'conflict'
                | 'provider_config'
                | 'balance_horizon'
                | 'refund_failed_after_reversal'
                | 'unknown_refund'
                | 'drift'
                | 'late_success'
                | 'approval_pending'
                | 'payment_amount_differs'
                | 'unknown_status'
                | 'provider_mismatch'
                | 'partly_foreign_reversal'
                | 'cause_no_longer_holds'
                | 'unreadable_session'
                | 'seller_gone'
                | 'dispute'
                | 'release_overdue'
                | 'payout_failed'
                | 'retired_currency'
                | 'capture_overdue'
                | 'seller_owes'
                | null;
              detail?: string;
            };
            evidence?: {
              /** How much of a dispute is out, in minor units; left out: all of it. */ amount?: string;
              /** Where it was seen; kept with the decision. */
              reference?: string;
            };
          };
        };
      };
      responses: {
        /** Decided and recorded. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        /** Recorded as a request; an approver has to confirm it. */
        202: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/transfers/{id}/retry': {
    get?: never;
    /** Send a transfer again that needs attention: the same as to resolve it with `retry`. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: { content: { 'application/json': { note: string } } };
      responses: {
        /** Decided and recorded. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        /** Recorded as a request; an approver has to confirm it. */
        202: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/decisions/{id}/approve': {
    get?: never;
    /** Confirm another person's decision, about an item of whatever kind. Roles: approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: { content: { 'application/json': { note: string } } };
      responses: {
        /** Decided and recorded. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        /** Recorded as a request; an approver has to confirm it. */
        202: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Decision'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/channels': {
    /** Payment channels, newest first. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: {
          status?: 'open' | 'closing' | 'closed';
          payer?: string;
          key?: string;
          limit?: string;
          cursor?: string;
          since?: string;
          until?: string;
        };
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** A page of channels. */
        200: {
          headers: Record<string, unknown>;
          content: {
            'application/json': { items: components['schemas']['Channel'][]; next_cursor: string | null };
            'text/csv': string;
          };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/webhooks': {
    /** What providers have told us, each event once, newest first. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: {
          status?: 'waiting' | 'processed';
          provider?: 'stripe' | 'hyperswitch';
          type?: string;
          object_id?: string;
          key?: string;
          limit?: string;
          cursor?: string;
          since?: string;
          until?: string;
        };
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** A page of events. */
        200: {
          headers: Record<string, unknown>;
          content: {
            'application/json': { items: components['schemas']['InboxEvent'][]; next_cursor: string | null };
            'text/csv': string;
          };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/decisions': {
    /** What persons have decided, and what waits for another person, newest first. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: {
          state?: 'applied' | 'pending_approval' | 'ignored';
          kind?: 'settlement' | 'transfer' | 'reversal' | 'payment' | 'refund' | 'dispute';
          action?: string;
          by?: string;
          reason?:
            | 'credential_undecodable'
            | 'credential_refused'
            | 'credential_expired'
            | 'uncollectable'
            | 'settled_elsewhere_suspected'
            | 'retries_exhausted'
            | 'resource_missing'
            | 'missing_transfer_id'
            | 'foreign_reversal'
            | 'exceeds_remainder'
            | 'conflict'
            | 'provider_config'
            | 'balance_horizon'
            | 'refund_failed_after_reversal'
            | 'unknown_refund'
            | 'drift'
            | 'late_success'
            | 'approval_pending'
            | 'payment_amount_differs'
            | 'unknown_status'
            | 'provider_mismatch'
            | 'partly_foreign_reversal'
            | 'cause_no_longer_holds'
            | 'unreadable_session'
            | 'seller_gone'
            | 'dispute'
            | 'release_overdue'
            | 'payout_failed'
            | 'retired_currency'
            | 'capture_overdue'
            | 'seller_owes';
          item_id?: string;
          limit?: string;
          cursor?: string;
          since?: string;
          until?: string;
        };
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** A page of decisions. */
        200: {
          headers: Record<string, unknown>;
          content: {
            'application/json': { items: components['schemas']['DecisionRecord'][]; next_cursor: string | null };
            'text/csv': string;
          };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/overview': {
    /** What needs a person, what is promised and has not moved, how the providers are; all of it out of Postgres. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** At this moment. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Overview'] } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/search': {
    /** Items by any name that a person may have for them. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: { q?: string };
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The newest that bear the name. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Search'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/explanations/{kind}/{item}': {
    /** Where the money is, why, what happens next, what a person can do and what that would do. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: {
          kind: 'settlement' | 'order' | 'payment' | 'refund' | 'transfer' | 'reversal' | 'dispute' | 'channel';
          item: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The explanation. */
        200: {
          headers: Record<string, unknown>;
          content: { 'application/json': components['schemas']['Explanation'] };
        };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/live/{kind}/{item}': {
    /** What the provider shows of an item at this moment, beside what the ledger has, and what each decision would meet there. It is asked now, at most once in five seconds for an item; nothing is written and nothing moves. Roles: operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: {
          kind: 'settlement' | 'order' | 'payment' | 'refund' | 'transfer' | 'reversal' | 'dispute' | 'channel';
          item: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Also where the provider is away: `answer` says so. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Live'] } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/stories/{kind}/{item}': {
    /** Everything that happened to an item, oldest first; of an order, also to its parts. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: {
          kind: 'settlement' | 'order' | 'payment' | 'refund' | 'transfer' | 'reversal' | 'dispute' | 'channel';
          item: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The story. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Story'] } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/events': {
    /** Server-sent events, one for each thing that happens to an item: `event: change`, `data: {kind, id, at}`. `event: reset`: more has happened than is told, read anew. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Does not end by itself. */
        200: { headers: Record<string, unknown>; content: { 'text/event-stream': string } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/providers/{provider}/pause': {
    get?: never;
    /** Park a provider by hand: nothing that moves money leaves to it until somebody resumes it; reads go on. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { provider: 'auth-server' | 'stripe' | 'hyperswitch' | 'chain' };
        cookie?: never;
      };
      requestBody: { content: { 'application/json': { note: string } } };
      responses: {
        /** Paused. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Pause'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/providers/{provider}/resume': {
    get?: never;
    /** Let a provider go that somebody has paused: what waited for it goes on at once. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { provider: 'auth-server' | 'stripe' | 'hyperswitch' | 'chain' };
        cookie?: never;
      };
      requestBody: { content: { 'application/json': { note: string } } };
      responses: {
        /** Not paused any more. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Pause'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/stripe-rate': {
    /** How many requests a second go to Stripe, by whose word, and how many go now. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** How it stands now. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['StripeRate'] } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    /** Call Stripe more slowly from now on, from every process, until it is reset. The lower of it and of STRIPE_MAX_RPS holds. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** Over all endpoints together; at most STRIPE_MAX_RPS (without it, what Stripe allows a key of this mode). */
            per_second: number;
            note: string;
          };
        };
      };
      responses: {
        /** How it stands now. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['StripeRate'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/stripe-rate/reset': {
    get?: never;
    /** Let the settings alone say how fast Stripe is called. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: { content: { 'application/json': { note: string } } };
      responses: {
        /** How it stands now. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['StripeRate'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/webhooks/{event}/replay': {
    get?: never;
    /** Act on a stored event once more: the provider is read again, and what was done before is not done twice. {event} is the id in the list of webhooks. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { event: string };
        cookie?: never;
      };
      requestBody: { content: { 'application/json': { note: string } } };
      responses: {
        /** It is acted on now. */
        202: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Replay'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/decisions/bulk': {
    get?: never;
    /** Decide the same about many items that wait for one reason, each by itself, as if they were resolved one by one. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            kind: 'settlement' | 'transfer' | 'reversal' | 'payment' | 'refund' | 'dispute';
            /** Only what waits for this is decided. */
            reason:
              | 'credential_undecodable'
              | 'credential_refused'
              | 'credential_expired'
              | 'uncollectable'
              | 'settled_elsewhere_suspected'
              | 'retries_exhausted'
              | 'resource_missing'
              | 'missing_transfer_id'
              | 'foreign_reversal'
              | 'exceeds_remainder'
              | 'conflict'
              | 'provider_config'
              | 'balance_horizon'
              | 'refund_failed_after_reversal'
              | 'unknown_refund'
              | 'drift'
              | 'late_success'
              | 'approval_pending'
              | 'payment_amount_differs'
              | 'unknown_status'
              | 'provider_mismatch'
              | 'partly_foreign_reversal'
              | 'cause_no_longer_holds'
              | 'unreadable_session'
              | 'seller_gone'
              | 'dispute'
              | 'release_overdue'
              | 'payout_failed'
              | 'retired_currency'
              | 'capture_overdue'
              | 'seller_owes';
            /** Anything that the kind does not have is answered with 422. */
            action: string;
            note: string;
            /** Which of them; may be left out of a dry run alone: the oldest that wait for the reason. */
            ids?: string[];
            /** Shows what would be decided, and changes nothing. */
            dry_run?: boolean;
          };
        };
      };
      responses: {
        /** What became of each, or would. */
        200: {
          headers: Record<string, unknown>;
          content: { 'application/json': components['schemas']['BulkDecision'] };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        422: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/console/session': {
    /** Who is signed in by the cookie of this request. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The session. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Session'] } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    /** Sign in to the console: the token of a person becomes a cookie, makegood_session, that scripts cannot read. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** Of API_TOKENS; it is not kept. */ token: string;
          };
        };
      };
      responses: {
        /** Signed in; Set-Cookie has the session. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Session'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    /** End the session of this cookie: whoever has a copy of it is refused from now on. Roles: service, viewer, operator, approver. */
    delete: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The session is gone. */ 204: { headers: Record<string, unknown>; content?: never };
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
  };
  '/api/v1/drift': {
    /** Where the ledger and a provider tell different things, newest first. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: {
          state?: 'open' | 'closed';
          kind?:
            | 'transfer_unknown'
            | 'transfer_missing'
            | 'transfer_differs'
            | 'reversal_unknown'
            | 'reversal_missing'
            | 'reversal_differs'
            | 'dispute_unknown'
            | 'dispute_missing'
            | 'dispute_differs'
            | 'payment_unknown'
            | 'payment_missing'
            | 'payment_differs'
            | 'refund_unknown'
            | 'refund_missing'
            | 'refund_differs'
            | 'payout_unknown'
            | 'payout_missing'
            | 'payout_differs'
            | 'settlement_unknown'
            | 'settlement_missing'
            | 'workflow_gone';
          item_id?: string;
          limit?: string;
          cursor?: string;
        };
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** A page of drift. */
        200: {
          headers: Record<string, unknown>;
          content: {
            'application/json': { items: components['schemas']['Drift'][]; next_cursor: string | null };
            'text/csv': string;
          };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/drift/{id}': {
    /** One drift: what the ledger says, what the provider says, and when both were last looked at. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The drift. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Drift'] } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/drift/{id}/accept': {
    get?: never;
    /** Say that it is right as it is, as you saw it. No money moves; said differently later, it is told again. From APPROVAL_THRESHOLD on an approver confirms it by the same request. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            note: string;
            /** The `version` of the drift as you saw it. */
            version: number;
          };
        };
      };
      responses: {
        /** Closed and recorded. */
        200: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Drift'] } };
        /** Recorded; a second person has to confirm it. */
        202: { headers: Record<string, unknown>; content: { 'application/json': components['schemas']['Drift'] } };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        409: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/reconciliations': {
    /** Runs that compare the ledger with its providers, newest first. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: { limit?: string; cursor?: string };
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** A page of runs. */
        200: {
          headers: Record<string, unknown>;
          content: {
            'application/json': { items: components['schemas']['Reconciliation'][]; next_cursor: string | null };
            'text/csv': string;
          };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    /** Compare now. One run at a time: while one is at work, it is the answer. Nothing is moved by it. Roles: operator, approver. */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** Of the session; needed only by requests that come by its cookie. */ 'X-CSRF-Token'?: string;
          /** Echoed in the answer and in our logs; made up when it is missing. */
          'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: {
        content: {
          'application/json': {
            /** From when on is compared; left out: where the last finished run ended. */ since?: string;
          };
        };
      };
      responses: {
        /** The run that is at work. */
        202: {
          headers: Record<string, unknown>;
          content: { 'application/json': components['schemas']['Reconciliation'] };
        };
        400: ProblemAnswer;
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        413: ProblemAnswer;
        415: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/api/v1/reconciliations/{id}': {
    /** One run, and how far it is. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The run. */
        200: {
          headers: Record<string, unknown>;
          content: { 'application/json': components['schemas']['Reconciliation'] };
        };
        401: ProblemAnswer;
        403: ProblemAnswer;
        404: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/healthz': {
    /** The process is alive. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Alive. */ 200: { headers: Record<string, unknown>; content: { 'application/json': { status: 'ok' } } };
        405: ProblemAnswer;
        500: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/readyz': {
    /** The server can take requests; without Temporal or a provider it still can, and says so. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Ready, perhaps degraded. */
        200: {
          headers: Record<string, unknown>;
          content: {
            'application/json': {
              status: 'ready' | 'degraded';
              components: { [name: string]: 'ok' | 'degraded' | 'not_configured' };
            };
          };
        };
        405: ProblemAnswer;
        500: ProblemAnswer;
        503: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/metrics': {
    /** Prometheus metrics; money is counted in Postgres at this moment. Roles: service, viewer, operator, approver. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Prometheus text. */ 200: { headers: Record<string, unknown>; content: { 'text/plain': string } };
        401: ProblemAnswer;
        403: ProblemAnswer;
        405: ProblemAnswer;
        429: ProblemAnswer;
        500: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
  '/openapi.json': {
    /** This description. */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** OpenAPI 3.1. */
        200: { headers: Record<string, unknown>; content: { 'application/json': { [name: string]: unknown } } };
        405: ProblemAnswer;
        500: ProblemAnswer;
      };
    };
    post?: never;
    put?: never;
    patch?: never;
    delete?: never;
  };
}
