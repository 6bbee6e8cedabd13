import type { SessionTerms } from './challenge.js';
import type { ChannelEntry } from './channel-store.js';
import { SessionPaymentError } from './errors.js';
import { secondsLeft } from './find-channel.js';
import { type Payer, record } from './payer.js';
import type { PreparedPayment } from './prepare-payment.js';
import { openingDeposit } from './signing-plan.js';

/**
 * A new channel with its first voucher. The server sends the transaction, so what became of it may stay unknown: it is on
 * record before it leaves, and no second deposit is made while the first could still land.
 */
export async function openChannel(payer: Payer, terms: SessionTerms): Promise<PreparedPayment> {
  const { amount, suggestedDeposit } = terms;
  const deposit = openingDeposit({ amount, suggestedDeposit, maxDeposit: payer.maxDeposit });
  if (deposit === undefined)
    throw new SessionPaymentError(
      'over_max_deposit',
      `one request costs ${amount}, over maxDeposit ${payer.maxDeposit}`,
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
