import type { Clock } from '../../../src/domain/clock.js';
import type { Journal } from '../../stand-in/journal.js';
import type { Claim, Problem, SandboxProtocol } from '../claims/claim.js';
import { sha256, usdcText } from '../claims/fields.js';

/** One payment that moved; amounts are atomic USDC. */
export interface Debit {
  readonly key: string;
  readonly once: string | null;
  readonly protocol: SandboxProtocol;
  readonly payer: string;
  readonly network: string;
  readonly channelId: string | null;
  /** Of a channel: its deposit grew, or it was closed; the amount is what was taken with it. */
  readonly manages: Claim['manages'];
  readonly amount: bigint;
  readonly settledAmount: string;
  readonly txHash: string;
  readonly bodySha256: string;
  readonly atMs: number;
}

export type SettleOutcome =
  /** `durable` resolves once the debit survives a kill -9; nothing may be answered before. */
  | { readonly kind: 'settled' | 'already'; readonly debit: Debit; readonly durable: Promise<void> }
  | { readonly kind: 'refused'; readonly problem: Problem };

/** What a payer who was never given a balance has: 1,000 USDC. */
const DEFAULT_BALANCE = 1_000_000_000n;

/** The auth server's own money: who has what, and what has moved. It is the ledger the product's is compared with. */
export interface Book {
  /** Without side effects: why a settle of this claim would be refused now. `cap` instead of `amount` is judged. */
  check(claim: Claim): Problem | undefined;
  /** Moves the money once per key; synchronous, so two calls at once cannot both be first. */
  settle(claim: Claim, bodySha256: string): SettleOutcome;
  balanceOf(payer: string): bigint;
  setBalance(payer: string, balance: bigint): Promise<void>;
  debits(): readonly Debit[];
  /** Replays one journal line; false: it belongs to somebody else. */
  replay(entry: Readonly<Record<string, unknown>>): boolean;
  clear(): void;
}

export function createBook(clock: Clock, journal: Journal): Book {
  const debits = new Map<string, { debit: Debit; durable: Promise<void> }>();
  const moved = new Map<string, string>();
  const balances = new Map<string, bigint>();
  const channels = new Map<string, bigint>();
  /** Whose channels they are: whoever paid from them first. */
  const owners = new Map<string, string>();
  const closed = new Set<string>();

  const balanceOf = (payer: string): bigint => balances.get(payer) ?? DEFAULT_BALANCE;
  const apply = (debit: Debit, durable: Promise<void>): void => {
    debits.set(debit.key, { debit, durable });
    if (debit.once !== null) moved.set(debit.once, debit.key);
    if (debit.channelId !== null) {
      channels.set(debit.channelId, (channels.get(debit.channelId) ?? 0n) + debit.amount);
      if (!owners.has(debit.channelId)) owners.set(debit.channelId, debit.payer);
      if (debit.manages === 'close') closed.add(debit.channelId);
    }
    balances.set(debit.payer, balanceOf(debit.payer) - debit.amount);
  };
  const problemOf = (
    claim: Claim,
    wanted: { amount: bigint; vouched: bigint; untilMs: number | null },
  ): Problem | undefined => {
    if (claim.once !== null && moved.has(claim.once)) return used;
    const nowMs = clock.nowMs();
    if (wanted.untilMs !== null && !(nowMs < wanted.untilMs)) return expired(wanted.untilMs);
    if (claim.validAfterMs !== null && nowMs < claim.validAfterMs) return notYetValid;
    if (claim.channel !== null) {
      if (closed.has(claim.channel.id)) return channelClosed;
      if (claim.manages === 'topUp') return undefined;
      if (claim.manages === 'close' && (owners.get(claim.channel.id) ?? claim.payer) !== claim.payer)
        return notTheOwner;
      // Vouchers are cumulative, and each settle states what it adds: nothing is left of one that a higher one has overtaken.
      const left = claim.channel.cumulative - (channels.get(claim.channel.id) ?? 0n);
      if (left < wanted.vouched) return overVoucher;
    }
    return balanceOf(claim.payer) < wanted.amount ? insufficient : undefined;
  };

  return {
    balanceOf,
    check(claim) {
      if (debits.has(claim.key)) return used;
      const collected = claim.channel === null ? 0n : (channels.get(claim.channel.id) ?? 0n);
      const most = claim.cap > collected ? claim.cap - collected : 0n;
      const wanted = claim.manages === null ? { amount: most, vouched: 1n } : { amount: 0n, vouched: 0n };
      return problemOf(claim, { ...wanted, untilMs: claim.validUntilMs });
    },
    settle(claim, bodySha256) {
      const before = debits.get(claim.key);
      if (before) return { kind: 'already', ...before };
      const problem = problemOf(claim, {
        amount: claim.amount,
        vouched: claim.amount,
        untilMs: claim.collectableUntilMs,
      });
      if (problem) return { kind: 'refused', problem };
      const debit: Debit = {
        key: claim.key,
        once: claim.once,
        protocol: claim.protocol,
        payer: claim.payer,
        network: claim.network,
        channelId: claim.channel?.id ?? null,
        manages: claim.manages,
        amount: claim.amount,
        settledAmount: claim.protocol === 'atxp' ? usdcText(claim.amount) : claim.amount.toString(),
        txHash: `0x${sha256(`sandbox transaction ${claim.key}`)}`,
        bodySha256,
        atMs: clock.nowMs(),
      };
      const durable = journal.append({ t: 'debit', ...debit, amount: debit.amount.toString() });
      apply(debit, durable);
      return { kind: 'settled', debit, durable };
    },
    setBalance(payer, balance) {
      balances.set(payer, balance);
      return journal.append({ t: 'balance', payer, balance: balance.toString() });
    },
    debits: () => Array.from(debits.values(), ({ debit }) => debit),
    replay(entry) {
      if (entry.t === 'debit') {
        const { t: _kind, ...line } = entry as unknown as Omit<Debit, 'amount'> & { t: string; amount: string };
        apply({ ...line, amount: BigInt(line.amount) }, Promise.resolve());
      } else if (entry.t === 'balance') {
        balances.set(String(entry.payer), BigInt(String(entry.balance)));
      } else return false;
      return true;
    },
    clear() {
      for (const map of [debits, moved, balances, channels, owners, closed]) map.clear();
    },
  };
}

const used: Problem = { status: 409, code: 'authorization_used', message: 'this authorization has already been used' };
const notYetValid: Problem = { status: 400, code: 'not_yet_valid', message: 'the authorization is not valid yet' };
const overVoucher: Problem = {
  status: 400,
  code: 'amount_exceeds_voucher',
  message: 'the channel has no voucher for this much beyond what it already settled',
};
const channelClosed: Problem = { status: 409, code: 'channel_closed', message: 'the channel is closed' };
const notTheOwner: Problem = { status: 400, code: 'signer_mismatch', message: 'the close is not signed by the payer' };
const insufficient: Problem = {
  status: 402,
  code: 'insufficient_funds',
  message: "the payer's balance is insufficient",
};
const expired = (untilMs: number): Problem => ({
  status: 400,
  code: 'credential_expired',
  message: Number.isFinite(untilMs)
    ? `the credential expired at ${new Date(untilMs).toISOString()}`
    : 'the credential states no expiry that can be read',
});
