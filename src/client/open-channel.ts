import type { Client } from 'viem';
import type { SessionTerms } from './challenge.js';
import type { ChannelEntry } from './channel-store.js';
import { SessionPaymentError } from './errors.js';
import { leftOf, limitBeside, listed, stillHeld } from './left-channels.js';
import { type Payer, record, recordedEntry } from './payer.js';
import { secondsLeft } from './pending.js';
import type { PreparedPayment } from './prepared-payment.js';
import { openingDeposit } from './signing-plan.js';

/**
 * A new channel with its first voucher. The server sends the transaction, so what became of it may stay unknown: it is on
 * record before it leaves, and no second deposit is made while the first could still land. What earlier
 * channels of this payee still hold on chain is part of `maxDeposit`, whatever a server says of them.
 */
export async function openChannel(payer: Payer, client: Client, terms: SessionTerms): Promise<PreparedPayment> {
  const { amount, suggestedDeposit } = terms;
  const leftBefore = await stillHeld(payer, client, terms, leftOf(await recordedEntry(payer, terms)));
  const maxDeposit = limitBeside(payer.maxDeposit, leftBefore);
  const deposit = openingDeposit({ amount, suggestedDeposit, maxDeposit });
  if (deposit === undefined)
    throw new SessionPaymentError(
      'over_max_deposit',
      leftBefore.length === 0
        ? `one request costs ${amount}, over maxDeposit ${payer.maxDeposit}`
        : `a new channel for ${amount} would be over maxDeposit ${payer.maxDeposit}${listed(leftBefore)}`,
    );
  const signed = await payer.signer.open(terms, deposit);
  const entry: ChannelEntry = {
    channelId: signed.channelId,
    descriptor: signed.descriptor,
    escrow: terms.escrow,
    chainId: terms.chainId,
    cumulativeAmount: amount,
    deposit,
    depositFromChain: true,
    opened: false,
    pending: {
      action: 'open',
      transaction: signed.transaction,
      depositAfter: deposit.toString(),
      validBefore: signed.validBefore,
    },
    leftBefore,
  };
  await record(payer, entry);
  return { action: 'open', credential: signed.value, entry };
}

/** Nobody has said what became of the opening, and the chain does not show it yet: the same bytes once more. */
export async function openAgain(payer: Payer, terms: SessionTerms, entry: ChannelEntry): Promise<PreparedPayment> {
  const { pending } = entry;
  if (pending === undefined || terms.amount > entry.deposit)
    throw new SessionPaymentError(
      'open_undecided',
      `the opening of channel ${entry.channelId} has no outcome yet; it is decided in ` +
        `${pending === undefined ? 0 : secondsLeft(pending, payer.clock.nowMs())} s`,
    );
  const cumulativeAmount = terms.amount > entry.cumulativeAmount ? terms.amount : entry.cumulativeAmount;
  const signed = { ...entry, cumulativeAmount };
  const { value } = await payer.signer.openAgain(terms, signed, pending.transaction);
  await record(payer, signed);
  return { action: 'open', credential: value, entry: signed };
}
