import type { Database } from '../database.js';
import { type KeyPage, microseconds, type PageKey, pageOf, pageValues } from './page-key.js';

export type ChannelStatus = 'open' | 'closing' | 'closed';

export interface ChannelFilter extends KeyPage {
  readonly status?: ChannelStatus | undefined;
  readonly payer?: string | undefined;
  readonly id?: string | undefined;
}

/** Amounts are digits in the atomic unit of the token; times are ISO 8601. */
export interface ListedChannel {
  readonly key: PageKey;
  readonly status: ChannelStatus;
  readonly payer: string;
  readonly payee: string;
  readonly token: string;
  readonly chainId: number;
  readonly deposit: string;
  readonly accepted: string;
  readonly spent: string;
  readonly earned: string;
  readonly settled: string;
  readonly closeRequestedAt: string | null;
  readonly nextCheckAt: string | null;
  readonly createdAt: string;
}

interface Row {
  [column: string]: unknown;
  place: string;
  channel_id: string;
  status: ChannelStatus;
  payer: string;
  payee: string;
  token: string;
  chain_id: string;
  deposit: string;
  accepted: string;
  spent: string;
  earned: string;
  settled: string;
  close_requested_at: Date | null;
  next_check_at: Date | null;
  created_at: Date;
}

const STATUS = `CASE WHEN finalized THEN 'closed' WHEN close_requested_at IS NOT NULL THEN 'closing' ELSE 'open' END`;

/** Newest first. */
export async function listChannels(database: Database, filter: ChannelFilter): Promise<readonly ListedChannel[]> {
  const rows = await database.query<Row>(
    `SELECT ${microseconds('created_at')} AS place, channel_id, ${STATUS} AS status, payer, payee, token, chain_id, deposit, accepted, spent,
       earned, settled, close_requested_at, next_check_at, created_at
     FROM channels
     WHERE ($1::text IS NULL OR ${STATUS} = $1) AND ($2::text IS NULL OR lower(payer) = lower($2))
       AND ($3::text IS NULL OR channel_id = lower($3)) ${pageOf('created_at', 'channel_id', 4)}`,
    [filter.status ?? null, filter.payer ?? null, filter.id ?? null, ...pageValues(filter)],
  );
  return rows.map((row) => ({
    key: { at: row.place, id: row.channel_id },
    status: row.status,
    payer: row.payer,
    payee: row.payee,
    token: row.token,
    chainId: Number(row.chain_id),
    deposit: row.deposit,
    accepted: row.accepted,
    spent: row.spent,
    earned: row.earned,
    settled: row.settled,
    closeRequestedAt: row.close_requested_at?.toISOString() ?? null,
    nextCheckAt: row.next_check_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  }));
}
