import { Session } from 'mppx/tempo';
import { type ChannelEntry, type Mirrors, sameHex } from './channel-store.js';

type Receipt = ReturnType<typeof Session.Precompile.Receipt.deserializeSessionReceipt>;

export interface SessionReceipt {
  readonly channelId: string;
  readonly acceptedCumulative: string;
  readonly spent: string;
  readonly txHash?: string;
}

const DIGITS = /^\d{1,29}$/;

/**
 * The receipt of a paid response.
 * @returns undefined where there is none, or none that can be read: the response was served all the same
 */
export function receiptOf(response: Response): SessionReceipt | undefined {
  const header = response.headers.get('Payment-Receipt');
  if (header === null) return undefined;
  let receipt: Receipt;
  try {
    receipt = Session.Precompile.Receipt.deserializeSessionReceipt(header);
  } catch {
    return undefined;
  }
  const { channelId, acceptedCumulative, spent, txHash } = receipt;
  return DIGITS.test(acceptedCumulative) && DIGITS.test(spent)
    ? { channelId, acceptedCumulative, spent, txHash }
    : undefined;
}

/** A receipt says what the server counted. It overwrites the mirrors, also downward, and never what was signed. */
export function reconciled(entry: ChannelEntry, receipt: SessionReceipt | undefined): ChannelEntry {
  if (receipt === undefined || !sameHex(receipt.channelId, entry.channelId)) return entry;
  return mirroring(entry, { accepted: receipt.acceptedCumulative, spent: receipt.spent });
}

/** Overwrites those mirrors that something is now known of. */
export function mirroring(entry: ChannelEntry, said: Mirrors): ChannelEntry {
  const known = Object.fromEntries(Object.entries(said).filter(([, amount]) => amount !== undefined));
  return Object.keys(known).length === 0 ? entry : { ...entry, mirrors: { ...entry.mirrors, ...known } };
}

/** Why a server refused, for an error's text; a body that is not a problem document says nothing. */
export async function problemDetail(response: Response): Promise<string> {
  try {
    const body: unknown = JSON.parse(await response.text());
    const detail = typeof body === 'object' && body !== null && 'detail' in body ? body.detail : undefined;
    return typeof detail === 'string' ? ` (${detail.replaceAll(/0x[0-9a-fA-F]{100,}/g, '0x…').slice(0, 200)})` : '';
  } catch {
    return '';
  }
}
