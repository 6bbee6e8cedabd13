import { type Channel, type ChannelId, parseChannelId } from '../../domain/channels/channel.js';
import type { JsonObject } from '../../domain/json.js';
import { fromBigintJson, toBigintJson } from './bigint-json.js';

/** A row of `channels` as pg returns it. */
export interface ChannelRow {
  channel_id: ChannelId;
  state: string;
  chain_id: string;
  escrow: string;
  payer: string;
  payee: string;
  token: string;
  operator: string;
  identity: string | null;
  deposit: string;
  accepted: string;
  spent: string;
  earned: string;
  settled: string;
  revealed: string | null;
  finalized: boolean;
  close_seconds: string | null;
  /** Of the voucher that the channel was closed with here. */
  close_signature: string | null;
  chain_age_ms: string;
}

export const CHANNEL_COLUMNS = `channels.channel_id, state, chain_id, escrow, payer, payee, token, operator, identity, deposit,
  accepted, spent, earned, settled, revealed, finalized, floor(extract(epoch FROM close_requested_at))::bigint AS close_seconds,
  close_signature,
  greatest(0, floor(extract(epoch FROM clock_now() - chain_read_at) * 1000))::bigint AS chain_age_ms`;

/** The part of npm mppx' channel state (`ChannelStore.State`) that has columns of its own, which are the authority. */
interface OwnColumns {
  readonly deposit: bigint;
  readonly settledOnChain: bigint;
  readonly highestVoucherAmount: bigint;
  readonly spent: bigint;
  readonly finalized: boolean;
  readonly closeRequestedAt: bigint;
}

type State = Readonly<Record<string, unknown>>;

/** The state as npm mppx put it, with the amounts that the ledger has now. */
export function stateOf(row: ChannelRow): State {
  const own: OwnColumns = {
    deposit: BigInt(row.deposit),
    settledOnChain: BigInt(row.settled),
    highestVoucherAmount: BigInt(row.accepted),
    spent: BigInt(row.spent),
    finalized: row.finalized,
    closeRequestedAt: BigInt(row.close_seconds ?? '0'),
  };
  return { ...kept(row), ...own };
}

export function channelOf(row: ChannelRow): Channel {
  const state = kept(row);
  const voucher = state['highestVoucher'];
  return {
    id: row.channel_id,
    chainId: Number(row.chain_id),
    escrow: row.escrow,
    payer: row.payer,
    payee: row.payee,
    token: row.token,
    operator: row.operator,
    identity: row.identity,
    deposit: BigInt(row.deposit),
    accepted: BigInt(row.accepted),
    spent: BigInt(row.spent),
    earned: BigInt(row.earned),
    settled: BigInt(row.settled),
    revealed: row.revealed === null ? null : BigInt(row.revealed),
    finalized: row.finalized,
    closing: row.close_seconds !== null,
    closedHere: row.close_signature !== null,
    highestVoucher: isRecord(voucher)
      ? { cumulative: bigintAt(voucher, 'cumulativeAmount'), signature: textAt(voucher, 'signature') }
      : null,
    descriptor: isRecord(state['descriptor']) ? asJson(state['descriptor']) : {},
    units: typeof state['units'] === 'number' ? state['units'] : 0,
    chainAgeMs: Number(row.chain_age_ms),
  };
}

/** What a state says for the columns; addresses in the one spelling that the ledger compares. */
export function columnsOf(channelId: ChannelId, state: unknown) {
  if (!isRecord(state) || state['backend'] !== 'precompile' || parseChannelId(state['channelId']) !== channelId) {
    throw new Error(`what was to be kept under ${channelId} is not the state of that channel; nothing was written`);
  }
  const address = (name: string) => textAt(state, name).toLowerCase();
  return {
    state: toBigintJson(state),
    chainId: Number(state['chainId']),
    escrow: address('escrowContract'),
    payer: address('payer'),
    payee: address('payee'),
    token: address('token'),
    operator: address('operator'),
    deposit: bigintAt(state, 'deposit').toString(),
    accepted: bigintAt(state, 'highestVoucherAmount').toString(),
    spent: bigintAt(state, 'spent').toString(),
    settled: bigintAt(state, 'settledOnChain').toString(),
    finalized: state['finalized'] === true,
    closeSeconds: bigintAt(state, 'closeRequestedAt') === 0n ? null : bigintAt(state, 'closeRequestedAt').toString(),
  };
}

function kept(row: ChannelRow): State {
  const state = fromBigintJson(row.state);
  if (!isRecord(state)) throw new Error(`the state of channel ${row.channel_id} is not readable`);
  return state;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function bigintAt(record: Record<string, unknown>, name: string): bigint {
  const value = record[name];
  if (typeof value !== 'bigint') throw new Error(`${name} of a channel's state is not a bigint; nothing was written`);
  return value;
}

function textAt(record: Record<string, unknown>, name: string): string {
  const value = record[name];
  if (typeof value !== 'string') throw new Error(`${name} of a channel's state is not text; nothing was written`);
  return value;
}

/** A descriptor holds text only. */
const asJson = (record: Record<string, unknown>): JsonObject =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, String(value)]));
