import { type ChannelEntry, sameHex } from './channel-store.js';
import { type Payer, record } from './payer.js';
import { receiptOf, reconciled } from './receipt.js';

/**
 * Writes down what the server counted, from the receipt of a successful response.
 * @param paid the channel that this response was paid with, if it was
 */
export async function recordReceipt(payer: Payer, key: string, response: Response, paid?: ChannelEntry): Promise<void> {
  if (!response.ok) return;
  try {
    const entry = await latestOf(payer, key, paid);
    if (entry === undefined) return;
    // What is pending stays so: only the chain says what became of it, and no second deposit is made before.
    const accepted = paid === undefined ? entry : { ...entry, opened: true };
    await record(payer, reconciled(accepted, receiptOf(response)));
  } catch {
    // It was paid for and served; a mirror that is not on record is no reason to keep it from the caller.
  }
}

/** Another process may have signed more in the meantime, or opened another channel; its record must not be lost to ours. */
async function latestOf(payer: Payer, key: string, paid?: ChannelEntry): Promise<ChannelEntry | undefined> {
  const stored = await payer.store.get(key);
  if (paid === undefined || stored === undefined) return stored ?? paid;
  return sameHex(stored.channelId, paid.channelId) ? stored : undefined;
}
