import type { Database } from '../database.js';
import { Conditions } from '../list-conditions.js';
import { type KeyPage, microseconds, type PageKey, pageOf } from './page-key.js';

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

/** The same, as the indexes have it. */
const IS: Readonly<Record<ChannelStatus, string>> = {
  closed: 'finalized',
  closing: 'NOT finalized AND close_requested_at IS NOT NULL',
  open: 'NOT finalized AND close_requested_at IS NULL',
};

/** Of open channels and of all others there are indexes of their own: a voucher that comes moves only the former. */
const paidBy = (payer: string): string =>
  `(${IS.open} AND payer = lower(${payer}) OR (finalized OR close_requested_at IS NOT NULL) AND payer = lower(${payer}))`;

/** Newest first. */
export async function listChannels(database: Database, filter: ChannelFilter): Promise<readonly ListedChannel[]> {
  const conditions = new Conditions()
    .whether(filter.status, (status) => IS[status])
    .where(filter.payer, paidBy)
    .where(filter.id, (id) => `channel_id = lower(${id})`);
  const rows = await database.query<Row>(
    `SELECT ${microseconds('created_at')} AS place, channel_id, ${STATUS} AS status, payer, payee, token, chain_id, deposit, accepted, spent,
       earned, settled, close_requested_at, next_check_at, created_at
     FROM channels ${pageOf('created_at', 'channel_id', conditions, filter)}`,
    conditions.values,
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
