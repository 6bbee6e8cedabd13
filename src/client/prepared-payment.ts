import type { ChannelEntry } from './channel-store.js';

/** A credential that may leave: what it signs is on record. */
export interface PreparedPayment {
  readonly action: 'open' | 'voucher';
  readonly credential: string;
  readonly entry: ChannelEntry;
}
