import type { Client } from 'viem';
import type { SessionTerms } from './challenge.js';
import { type ChannelOnChain, descriptorFromLog, isOurs, isUsable, readChannel } from './channel-on-chain.js';
import { type ChannelDescriptor, type ChannelEntry, type LeftChannel, sameHex } from './channel-store.js';
import { asEntry, leave, leftOf } from './left-channels.js';
import { hasDescriptor, type Payer, record, recordedEntry } from './payer.js';
import { canStillLand, undecided } from './pending.js';
import { mirroring } from './receipt.js';
import { highest } from './signing-plan.js';

type Hex = `0x${string}`;

export interface FoundChannel {
  readonly entry: ChannelEntry;
  /** Where it was read just now. */
  readonly onChain?: ChannelOnChain;
}

interface Search {
  readonly payer: Payer;
  readonly client: Client;
  readonly terms: SessionTerms;
}

/**
 * The channel to pay these terms with: the one on record, else the one that the server names, if the chain says that it
 * is ours and not closed. What a server says of it is written down as its word only.
 * @param gone channels that the server itself does not know any more
 */
export async function findChannel(
  payer: Payer,
  client: Client,
  terms: SessionTerms,
  gone: ReadonlySet<string>,
): Promise<FoundChannel | undefined> {
  const entry = await recordedEntry(payer, terms);
  const search = { payer, client, terms };
  const found =
    entry !== undefined && hasDescriptor(entry) && entry.left === undefined
      ? await decided(search, entry)
      : await named(search, entry, gone);
  return found && mirrored(terms, found);
}

/** The channel that a record without a descriptor is of, or that the server names; it may be one that we left before. */
async function named(
  search: Search,
  entry: ChannelEntry | undefined,
  gone: ReadonlySet<string>,
): Promise<FoundChannel | undefined> {
  const bare = entry !== undefined && !hasDescriptor(entry) ? entry : undefined;
  const channelId = bare?.channelId ?? search.terms.hints.channelId;
  if (channelId === undefined || gone.has(channelId.toLowerCase())) return undefined;
  const left = leftOf(entry);
  const before = left.find((one) => sameHex(one.channelId, channelId));
  // A voucher for a channel that is being closed could still be captured, and would pay for nothing.
  if (before?.left === 'closing') return undefined;
  const found = await recovered(search, channelId, before);
  if (found === undefined) return undefined;
  // A record that lost its descriptor still says what was signed.
  const signed = highest(found.entry.cumulativeAmount, bare?.cumulativeAmount ?? 0n);
  const leftBefore = left.filter((one) => one !== before);
  return { ...found, entry: { ...found.entry, cumulativeAmount: signed, leftBefore } };
}

function mirrored({ hints }: SessionTerms, found: FoundChannel): FoundChannel {
  if (hints.channelId?.toLowerCase() !== found.entry.channelId.toLowerCase()) return found;
  const said = { accepted: digits(hints.accepted), spent: digits(hints.spent), deposit: digits(hints.deposit) };
  return { ...found, entry: mirroring(found.entry, said) };
}

const digits = (amount: bigint | undefined): string | undefined => amount?.toString();

/** A channel on record is as good as ever, unless a transaction of it is on its way: then the chain says what became of it. */
async function decided({ payer, client, terms }: Search, entry: ChannelEntry): Promise<FoundChannel | undefined> {
  const { pending } = entry;
  if (pending === undefined && entry.opened) return { entry };
  const onChain = await readChannel(client, entry.channelId, terms);
  if (pending === undefined ? isUsable(onChain) : onChain.deposit >= BigInt(pending.depositAfter))
    return kept(payer, onChain, { ...entry, opened: true, pending: undefined });
  if (pending !== undefined && canStillLand(pending, payer.clock.nowMs()))
    return isAwaited(entry) ? { entry } : { entry, onChain };
  if (pending?.action === 'topUp') return kept(payer, onChain, { ...entry, pending: undefined });
  await leave(payer, terms, entry, 'gone');
  return undefined;
}

/** Its server has served for it, and our node does not show it yet: vouchers are paid, and nothing else is concluded. */
export const isAwaited = ({ opened, pending }: ChannelEntry): boolean => opened && pending?.action === 'open';

async function kept(payer: Payer, onChain: ChannelOnChain, entry: ChannelEntry): Promise<FoundChannel> {
  const read = { ...entry, deposit: onChain.deposit, depositFromChain: true };
  await record(payer, read);
  return { entry: read, onChain };
}

/** A channel of which only the id is known, from the chain alone. */
async function recovered(
  { payer, client, terms }: Search,
  channelId: Hex,
  before: LeftChannel | undefined,
): Promise<FoundChannel | undefined> {
  const ours = (descriptor: ChannelDescriptor | undefined) =>
    descriptor !== undefined && isOurs(descriptor, channelId, terms, payer.keys) ? descriptor : undefined;
  const descriptor =
    before?.descriptor ??
    ours(terms.hints.descriptor) ??
    ours(await descriptorFromLog(client, channelId, terms, payer.keys));
  if (descriptor === undefined) return undefined;
  const onChain = await readChannel(client, channelId, terms);
  if (onChain.deposit === 0n) return undefined;
  const entry: ChannelEntry = {
    ...(before && asEntry(before)),
    left: undefined,
    channelId,
    descriptor,
    escrow: terms.escrow,
    chainId: terms.chainId,
    cumulativeAmount: highest(onChain.settled, BigInt(before?.cumulativeAmount ?? 0n)),
    deposit: onChain.deposit,
    depositFromChain: true,
    opened: true,
    pending: undecided(before?.pending, onChain.deposit, payer.clock.nowMs()),
  };
  return { entry, onChain };
}
