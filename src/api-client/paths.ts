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
          | 'dispute';
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
      items: {
        id: string;
        kind: 'item' | 'shipping' | 'tax';
        /** Null: the platform's own. */
        seller_account: string | null;
        amount: number;
        /** Of the amount, what the platform keeps. */
        fee: number;
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
            | 'dispute';
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
      /** What is sent: less what refunds withheld before it was. */
      amount: number;
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
      retry_count: number;
      next_retry_at: string | null;
      /** Why it is not sent yet, where nobody is asked about that: it goes on by itself. */
      waiting: {
        for: 'platform_balance' | 'seller';
        since: string;
        detail: string;
        /** What the platform's balance was short of for it when Stripe was read last; null: not read yet, or it waits for its seller. */
        missing: number | null;
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
          | 'dispute';
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
          | 'dispute';
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
      /** `provider`: made in the dashboard of the payment provider; without `hyperswitch_refund_id`: given back outside any refund, as two persons said. */
      origin: 'api' | 'provider';
      /** What it gives back of which items; null: of every line the same part. */
      items: { item_id: string; amount: number }[] | null;
      /** Who bears the fee of it. */
      fee: 'keep' | 'return_proportionally';
      hyperswitch_refund_id: string | null;
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
          | 'dispute';
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
          | 'dispute';
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
      /** What the buyer has surely paid, whatever the status; as much can be refunded. */
      captured: number;
      /** False: more may have been captured than that, or in another currency; Hyperswitch does not say. */
      captured_known: boolean;
      certainty: 'not_sent' | 'in_flight' | 'done' | 'absent' | 'unknown';
      /** Hyperswitch's own word. */
      provider_status: string | null;
      hyperswitch_payment_id: string | null;
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
          | 'dispute';
        since: string;
        detail: string;
      } | null;
      workflow_id: string | null;
      created_at: string;
    };
    Seller: {
      account: string;
      /** `waiting`: cannot receive yet. `gone`: deauthorised or rejected; a person is asked about each share. */
      state: 'able' | 'waiting' | 'gone';
      /** A word of Stripe's or ours; null: able. */
      reason: string | null;
      /** Null: it was never in doubt. */
      since: string | null;
      /** What waits or is with a person, newest first; 200 at most. */
      transfers: components['schemas']['Transfer'][];
      sums: { currency: string; waiting: number; with_person: number }[];
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
          order_id?: string;
          needs_attention?: 'true' | 'false';
          key?: string;
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
          content: { 'application/json': { items: components['schemas']['Settlement'][]; next_cursor: string | null } };
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
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
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
          needs_attention?: 'true' | 'false';
          key?: string;
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
          content: { 'application/json': { items: components['schemas']['Order'][]; next_cursor: string | null } };
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
              description: string;
            }[];
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
          needs_attention?: 'true' | 'false';
          key?: string;
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
  '/api/v1/refunds': {
    get?: never;
    /** Give the buyer back what was paid, or a part of it; the sellers' shares are taken back afterwards. Roles: service. */
    post: {
      parameters: {
        query?: never;
        header: {
          /** Names this request among those of this token: the same key and body is answered with the first answer, however often it is sent. Two equal refunds are two keys. */
          'Idempotency-Key': string;
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
          needs_attention?: 'true' | 'false';
          key?: string;
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
          content: { 'application/json': { items: components['schemas']['Transfer'][]; next_cursor: string | null } };
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
  '/api/v1/sellers/{account}': {
    /** Whether a seller can receive, and what waits for him or is with a person. Roles: service, viewer, operator, approver. */
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
          needs_attention?: 'true' | 'false';
          key?: string;
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
          content: { 'application/json': { items: components['schemas']['Reversal'][]; next_cursor: string | null } };
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
          needs_attention?: 'true' | 'false';
          key?: string;
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
          content: { 'application/json': { items: components['schemas']['Dispute'][]; next_cursor: string | null } };
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
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** One of retry, settled, write_off; anything else is answered with 422. */ action: string;
            note: string;
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
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** One of retry, adopt, write_off; anything else is answered with 422. */ action: string;
            note: string;
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
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** One of retry, adopt, count_as_share, take_missing, take_all, write_off; anything else is answered with 422. */
            action: string;
            note: string;
            evidence?: {
              /** What to adopt; Stripe is asked whether it is there, of this amount, and nothing else of ours. */
              stripe_reversal_id?: string;
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
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** One of retry, cancel, given_back, not_given_back, write_off; anything else is answered with 422. */
            action: string;
            note: string;
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
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
        };
        path: { id: string };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** One of retry, compensate, write_off; anything else is answered with 422. */ action: string;
            note: string;
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
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
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
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
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
          /** Echoed in the answer and in our logs; made up when it is missing. */ 'X-Request-Id'?: string;
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
