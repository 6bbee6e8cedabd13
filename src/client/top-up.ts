import type { Client } from 'viem';
import type { SessionTerms } from './challenge.js';
import { readChannel } from './channel-on-chain.js';
import type { ChannelEntry, PendingTransaction } from './channel-store.js';
import { explaining, SessionPaymentError } from './errors.js';
import type { FoundChannel } from './find-channel.js';
import type { PaidRequest } from './paid-request.js';
import { record } from './payer.js';
import { secondsLeft } from './pending.js';
import { problemDetail } from './receipt.js';

interface ToppingUp extends PaidRequest {
  readonly client: Client;
  readonly terms: SessionTerms;
}

interface Needed {
  readonly cumulative: bigint;
  readonly additional: bigint;
}

/**
 * Puts more into the channel, by a transaction that the server sends. Only the chain says whether it came in; a
 * transaction without an outcome is sent again as it is, so that the deposit rises once.
 * @param entry with the deposit as read on chain
 */
export async function topUp(topping: ToppingUp, entry: ChannelEntry, needed: Needed): Promise<FoundChannel> {
  const { payer, exchange, client, terms, trail } = topping;
  const { channelId } = entry;
  if (entry.pending?.action === 'open')
    throw new SessionPaymentError(
      'open_undecided',
      `the chain does not show channel ${channelId} yet, which must carry ${needed.cumulative}; its opening is decided in ` +
        `${secondsLeft(entry.pending, payer.clock.nowMs())} s`,
    );
  if (trail.toppedUp)
    throw new SessionPaymentError('top_up_failed', `channel ${channelId} holds ${entry.deposit} even after a top-up`);
  trail.toppedUp = true;
  const { value, pending } =
    entry.pending === undefined
      ? await firstTime(topping, entry, needed.additional)
      : await again(topping, entry, entry.pending, needed.cumulative);
  const response = await explaining('top_up_undecided', `the top-up of channel ${channelId} got no answer`, () =>
    exchange.manage({ name: terms.header, value }),
  );
  const why = await problemDetail(response);
  if (!response.ok)
    throw new SessionPaymentError(
      'top_up_failed',
      `the server answered ${response.status} to a top-up of channel ${channelId}${why}`,
    );
  const onChain = await readChannel(client, channelId, terms);
  const landed = onChain.deposit >= BigInt(pending.depositAfter);
  const after = { ...entry, deposit: onChain.deposit, pending: landed ? undefined : pending };
  await record(payer, after);
  return { entry: after, onChain };
}

async function firstTime({ payer, terms }: ToppingUp, entry: ChannelEntry, additional: bigint) {
  const signed = await payer.signer.topUp(terms, entry, additional);
  const pending: PendingTransaction = {
    action: 'topUp',
    transaction: signed.transaction,
    depositAfter: (entry.deposit + additional).toString(),
    validBefore: signed.validBefore,
  };
  await record(payer, { ...entry, pending });
  return { value: signed.value, pending };
}

async function again({ payer, terms }: ToppingUp, entry: ChannelEntry, pending: PendingTransaction, needed: bigint) {
  const depositAfter = BigInt(pending.depositAfter);
  if (depositAfter < needed)
    throw new SessionPaymentError(
      'top_up_undecided',
      `an earlier top-up of channel ${entry.channelId} has no outcome yet; it is decided in ` +
        `${secondsLeft(pending, payer.clock.nowMs())} s`,
    );
  const { value } = await payer.signer.topUpAgain(terms, entry, depositAfter - entry.deposit, pending.transaction);
  return { value, pending };
}
