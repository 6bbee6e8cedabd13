import type { AtomicStore, Channel, ChannelReservation, Voucher } from '../../domain/channels/channel.js';
import type { ChannelRefusal } from '../../domain/channels/channel-problems.js';
import type { Lease } from '../settlements/settlement-types.js';

/** Looks a voucher (or a close) over against the channel in the store, and accepts it there. Makes no call to a chain. */
export type Judge = (store: AtomicStore) => Promise<ChannelRefusal | undefined>;

/** A voucher with the id of the challenge that its credential answers. */
export interface AnsweringVoucher extends Voucher {
  readonly challengeId: string;
}

export interface ChannelPayment {
  readonly voucher: AnsweringVoucher;
  /** Who the application says the payer is; null: it does not say. */
  readonly identity: string | null;
  /** What the chain last said may be so old; older, and it is asked before anything is served. */
  readonly oldestChainReadMs: number;
  /** What is reserved for the response; null: the voucher is only accepted. */
  readonly reservation: (ChannelReservation & { readonly lease: Lease }) | null;
}

export type PayOutcome =
  | { readonly kind: 'paid'; readonly channel: Channel }
  | { readonly kind: 'unknown_channel' }
  | { readonly kind: 'gone' | 'stale' | 'voucher_used' | 'insufficient'; readonly channel: Channel }
  | { readonly kind: 'lease_lost' }
  /** Too many answers cost this payer nothing, or may; there is room again after so long. */
  | { readonly kind: 'limited'; readonly forMs: number }
  | { readonly kind: 'refused'; readonly refusal: ChannelRefusal; readonly channel: Channel };

export type CloseOutcome =
  /** Its voucher is public, and nothing else says that it is the payer who closes. */
  | { readonly kind: 'unproven'; readonly channel: Channel }
  | { readonly kind: 'closing'; readonly channel: Channel; readonly again: boolean }
  | { readonly kind: 'unknown_channel' }
  | { readonly kind: 'gone'; readonly channel: Channel }
  | { readonly kind: 'refused'; readonly refusal: ChannelRefusal; readonly channel: Channel };
