import type { Account, Client } from 'viem';
import type { Clock } from '../domain/clock.js';
import type { SessionTerms } from './challenge.js';
import type { PayerKeys } from './channel-on-chain.js';
import { isOurs } from './channel-on-chain.js';
import { type ChannelEntry, type ChannelStore, sameHex } from './channel-store.js';
import type { CredentialSigner } from './credentials.js';
import { explaining, SessionPaymentError } from './errors.js';

/** Everything a payment needs that does not change from one to the next. */
export interface Payer {
  readonly keys: PayerKeys;
  readonly maxDeposit: bigint;
  readonly store: ChannelStore;
  readonly signer: CredentialSigner;
  readonly clientOf: (chainId: number) => Promise<Client>;
  readonly clock: Clock;
}

/** The key that signs vouchers: an access key signs for the account that it belongs to (mppx, resolveAuthorizedSigner). */
export function keysOf(account: Account): PayerKeys {
  const accessKey: unknown = 'accessKeyAddress' in account ? account.accessKeyAddress : undefined;
  const signer = typeof accessKey === 'string' ? (accessKey as `0x${string}`) : account.address;
  return { payer: account.address, signer };
}

/**
 * Our own record of the channel that these terms are about.
 * @throws SessionPaymentError where the store has another channel in its place: signing for it would mix up money
 */
export async function recordedEntry(payer: Payer, terms: SessionTerms): Promise<ChannelEntry | undefined> {
  const entry = await explaining('store_failed', 'the channel store could not be read', async () =>
    payer.store.get(terms.key),
  );
  // A record without a descriptor cannot be signed for; what it is of is read on chain.
  if (entry === undefined || !hasDescriptor(entry)) return entry;
  const sameScope = entry.chainId === terms.chainId && sameHex(entry.escrow, terms.escrow);
  if (sameScope && isOurs(entry.descriptor, entry.channelId, terms, payer.keys)) return entry;
  throw new SessionPaymentError(
    'store_mismatch',
    `the channel store's entry ${terms.key} is of another account, payee, token or chain`,
  );
}

export const hasDescriptor = (entry: ChannelEntry): boolean => (entry.descriptor as unknown) !== undefined;

/** Only what is on record may leave: the next voucher is counted from it, whatever happens to this process. */
export const record = (payer: Payer, entry: ChannelEntry): Promise<void> =>
  explaining('store_failed', `channel ${entry.channelId} could not be put on record`, async () =>
    payer.store.set(entry),
  );

export const forget = (payer: Payer, key: string): Promise<void> =>
  explaining('store_failed', 'a channel that is gone could not be removed from the store', async () =>
    payer.store.delete(key),
  );
