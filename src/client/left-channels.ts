import type { Client } from 'viem';
import type { SessionTerms } from './challenge.js';
import { type ChannelOnChain, readChannel } from './channel-on-chain.js';
import { type ChannelEntry, type LeftChannel, sameHex } from './channel-store.js';
import { forget, hasDescriptor, type Payer, record, recordedEntry } from './payer.js';
import { undecided } from './pending.js';
import { highest } from './signing-plan.js';

/**
 * A channel is not paid with any more. It stays on record: that its deposit came back is said by the chain, never by a
 * server, which could otherwise have one deposit after the other locked up.
 */
export const leave = (
  payer: Payer,
  terms: SessionTerms,
  entry: ChannelEntry,
  left: NonNullable<ChannelEntry['left']>,
): Promise<void> => note(payer, terms, { ...entry, left });

/** Puts one channel on record beside the others of its payee, also those that another process has come to meanwhile. */
export function note(payer: Payer, terms: SessionTerms, entry: ChannelEntry): Promise<void> {
  const channel = asLeft(entry);
  return rewrite(payer, terms, (known) => {
    if (known.some((one) => sameHex(one.channelId, channel.channelId)))
      return known.map((one) => (sameHex(one.channelId, channel.channelId) ? upon(one, channel) : one));
    const paidWith = known[0] !== undefined && known[0].left === undefined;
    return paidWith ? [...known, channel] : [channel, ...known];
  });
}

/** What another process signed for the channel meanwhile still counts. */
const upon = (before: LeftChannel, channel: LeftChannel): LeftChannel => ({
  ...channel,
  cumulativeAmount: highest(BigInt(before.cumulativeAmount), BigInt(channel.cumulativeAmount)).toString(),
});

/** To be called when the chain shows that nothing of the channel can come back any more. */
export const forgetOne = (payer: Payer, terms: SessionTerms, { channelId }: ChannelEntry): Promise<void> =>
  rewrite(payer, terms, (known) => known.filter((one) => !sameHex(one.channelId, channelId)));

async function rewrite(
  payer: Payer,
  terms: SessionTerms,
  change: (known: readonly LeftChannel[]) => readonly LeftChannel[],
): Promise<void> {
  const [first, ...leftBefore] = change(allOf(await recordedEntry(payer, terms)));
  await (first === undefined ? forget(payer, terms.key) : record(payer, { ...asEntry(first), leftBefore }));
}

/** The channels on record that are not paid with any more. */
export const leftOf = (entry: ChannelEntry | undefined): readonly LeftChannel[] =>
  entry?.left === undefined ? (entry?.leftBefore ?? []) : allOf(entry);

const allOf = (entry: ChannelEntry | undefined): readonly LeftChannel[] =>
  entry === undefined || !hasDescriptor(entry) ? [] : [asLeft(entry), ...(entry.leftBefore ?? [])];

/** Those of which the chain does not say that all of their deposit came back or was taken, with what it shows of them. */
export async function stillHeld(
  payer: Payer,
  client: Client,
  terms: SessionTerms,
  channels: readonly LeftChannel[],
): Promise<readonly LeftChannel[]> {
  const read: LeftChannel[] = [];
  for (const channel of channels)
    read.push(asRead(payer, asEntry(channel), await readChannel(client, channel.channelId, terms)));
  return read.filter((channel) => heldIn(channel) > 0n);
}

/** With what the chain shows of it, or may come to show. */
export function asRead({ clock }: Payer, entry: ChannelEntry, { deposit, settled }: ChannelOnChain): LeftChannel {
  const most = highest(deposit, comingTo(entry, deposit, clock.nowMs()));
  return { ...asLeft({ ...entry, deposit: most }), settled: settled.toString() };
}

/** Nothing can be put into a channel that was closed, but one that was never seen may still be opened. */
function comingTo({ pending }: ChannelEntry, deposit: bigint, nowMs: number): bigint {
  const coming = undecided(pending, deposit, nowMs);
  return coming !== undefined && (coming.action === 'open' || deposit > 0n) ? BigInt(coming.depositAfter) : 0n;
}

/** What may still come back: what the payee has taken is spent, and is not held back from the next channel. */
export const heldIn = ({ deposit, settled = '0' }: LeftChannel): bigint =>
  highest(0n, BigInt(deposit) - BigInt(settled));

/** What may be put into one more channel, or stand in one beside those that were left. */
export const limitBeside = (maxDeposit: bigint, left: readonly LeftChannel[] = []): bigint =>
  left.reduce((limit, channel) => limit - heldIn(channel), maxDeposit);

/** For an error's text: where the rest of maxDeposit is. */
export const listed = (left: readonly LeftChannel[] = []): string =>
  left.length === 0 ? '' : `, of which the chain shows ${left.map(inChannel).join(', ')}`;

export const inChannel = (channel: LeftChannel): string => `${heldIn(channel)} in channel ${channel.channelId}`;

function asLeft({ leftBefore: _others, ...entry }: ChannelEntry): LeftChannel {
  return { ...entry, cumulativeAmount: entry.cumulativeAmount.toString(), deposit: entry.deposit.toString() };
}

export const asEntry = ({ settled: _read, ...channel }: LeftChannel): ChannelEntry => ({
  ...channel,
  cumulativeAmount: BigInt(channel.cumulativeAmount),
  deposit: BigInt(channel.deposit),
});
