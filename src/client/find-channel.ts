import type { Client } from 'viem';
import type { SessionTerms } from './challenge.js';
import { type ChannelOnChain, descriptorFromLog, isOurs, isUsable, readChannel } from './channel-on-chain.js';
import type { ChannelDescriptor, ChannelEntry, PendingTransaction } from './channel-store.js';
import { forget, hasDescriptor, type Payer, record, recordedEntry } from './payer.js';
import { mirroring } from './receipt.js';
import { highest } from './signing-plan.js';

type Hex = `0x${string}`;

export interface FoundChannel {
  readonly entry: ChannelEntry;
  /** Where it was read just now. */
  readonly onChain?: ChannelOnChain;
}

/**
 * The channel to pay these terms with: the one on record, else the one that the server names, if the chain says that it
 * is open and ours. What a server says of it is written down as its word only.
 * @param gone channels that the server itself does not know any more
 */
export async function findChannel(
  payer: Payer,
  client: Client,
  terms: SessionTerms,
  gone: ReadonlySet<string>,
): Promise<FoundChannel | undefined> {
  const entry = await recordedEntry(payer, terms);
  const named = entry?.channelId ?? terms.hints.channelId;
  const found =
    entry !== undefined && hasDescriptor(entry)
      ? await decided(payer, client, terms, entry)
      : await recovered(payer, client, terms, gone.has(named?.toLowerCase() ?? '') ? undefined : named);
  if (found === undefined) return undefined;
  const recorded = entry?.cumulativeAmount ?? 0n;
  return mirrored(terms, { ...found, entry: raised(found.entry, recorded) });
}

/** A record that lost its descriptor still says what was signed. */
const raised = (entry: ChannelEntry, recorded: bigint): ChannelEntry => ({
  ...entry,
  cumulativeAmount: highest(entry.cumulativeAmount, recorded),
});

function mirrored({ hints }: SessionTerms, found: FoundChannel): FoundChannel {
  if (hints.channelId?.toLowerCase() !== found.entry.channelId.toLowerCase()) return found;
  const said = { accepted: digits(hints.accepted), spent: digits(hints.spent), deposit: digits(hints.deposit) };
  return { ...found, entry: mirroring(found.entry, said) };
}

const digits = (amount: bigint | undefined): string | undefined => amount?.toString();

/** A channel on record is as good as ever, unless a transaction of it is on its way: then the chain says what became of it. */
async function decided(
  payer: Payer,
  client: Client,
  terms: SessionTerms,
  entry: ChannelEntry,
): Promise<FoundChannel | undefined> {
  const { pending } = entry;
  if (pending === undefined && entry.opened) return { entry };
  const onChain = await readChannel(client, entry.channelId, terms);
  if (pending === undefined && !isUsable(onChain)) return dropped(payer, terms);
  if (pending === undefined || onChain.deposit >= BigInt(pending.depositAfter))
    return kept(payer, onChain, { ...entry, opened: true, pending: undefined });
  if (canStillLand(pending, payer.clock.nowMs())) return { entry, onChain };
  return pending.action === 'open' ? dropped(payer, terms) : kept(payer, onChain, { ...entry, pending: undefined });
}

async function kept(payer: Payer, onChain: ChannelOnChain, entry: ChannelEntry): Promise<FoundChannel> {
  const read = { ...entry, deposit: onChain.deposit, depositFromChain: true };
  await record(payer, read);
  return { entry: read, onChain };
}

async function dropped(payer: Payer, terms: SessionTerms): Promise<undefined> {
  await forget(payer, terms.key);
}

/** Clocks differ; a transaction counts as dead a little after its end. */
const GRACE_SECONDS = 10;

const canStillLand = (pending: PendingTransaction, nowMs: number): boolean => secondsLeft(pending, nowMs) > 0;

export const secondsLeft = ({ validBefore }: PendingTransaction, nowMs: number): number =>
  Math.ceil(validBefore + GRACE_SECONDS - nowMs / 1000);

/** A channel of which only the id is known, from the chain alone. */
async function recovered(
  payer: Payer,
  client: Client,
  terms: SessionTerms,
  channelId: Hex | undefined,
): Promise<FoundChannel | undefined> {
  if (channelId === undefined) return undefined;
  const ours = (descriptor: ChannelDescriptor | undefined) =>
    descriptor !== undefined && isOurs(descriptor, channelId, terms, payer.keys) ? descriptor : undefined;
  const descriptor =
    ours(terms.hints.descriptor) ?? ours(await descriptorFromLog(client, channelId, terms, payer.keys));
  if (descriptor === undefined) return undefined;
  const onChain = await readChannel(client, channelId, terms);
  if (!isUsable(onChain)) return undefined;
  const entry: ChannelEntry = {
    channelId,
    descriptor,
    escrow: terms.escrow,
    chainId: terms.chainId,
    cumulativeAmount: onChain.settled,
    deposit: onChain.deposit,
    depositFromChain: true,
    opened: true,
  };
  return { entry, onChain };
}
