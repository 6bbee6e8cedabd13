/** As far as its page shows it. */
export interface Seller {
  readonly account: string;
  readonly state: string;
  readonly reason: string | null;
  readonly since: string | null;
  readonly transfers: readonly {
    readonly id: string;
    readonly status: string;
    readonly amount: number;
    readonly currency: string;
  }[];
  readonly balances: readonly {
    readonly currency: string;
    readonly owed: number;
    readonly to_offset: number;
    readonly on_its_way: number;
    readonly offset: number;
    readonly taken: number;
    readonly given_up: number;
  }[];
  readonly story: readonly {
    readonly at: string;
    readonly what: string;
    readonly amount: number;
    readonly currency: string;
    readonly reversal_id: string;
    readonly order_id: string;
    readonly offset_transfer_id: string | null;
  }[];
}
