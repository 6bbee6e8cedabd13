import type { Client } from 'viem';
import { assertNever } from '../domain/assert-never.js';
import type { SessionTerms } from './challenge.js';
import { type ChannelOnChain, isUsable, provenBy, readChannel } from './channel-on-chain.js';
import { type ChannelEntry, sameHex } from './channel-store.js';
import { SessionPaymentError } from './errors.js';
import { type FoundChannel, findChannel, isAwaited } from './find-channel.js';
import { leave, limitBeside, listed, stillHeld } from './left-channels.js';
import { openAgain, openChannel } from './open-channel.js';
import type { PaidRequest } from './paid-request.js';
import { record } from './payer.js';
import type { PreparedPayment } from './prepared-payment.js';
import { highest, type SigningPlan, signingPlan } from './signing-plan.js';
import { topUp } from './top-up.js';

/** Decides how to pay these terms, puts it on record and signs it. */
export async function preparePayment(request: PaidRequest, terms: SessionTerms): Promise<PreparedPayment> {
  const { payer, trail } = request;
  const client = await payer.clientOf(terms.chainId);
  const found = await findChannel(payer, client, terms, trail.gone);
  if (found === undefined) return openChannel(payer, client, terms);
  if (found.entry.pending?.action === 'open' && !isAwaited(found.entry)) return openAgain(payer, terms, found.entry);
  const proven = provenBy(terms.hints.voucher, found.entry.channelId, terms, payer.keys);
  const onChain = found.onChain ?? (await readIfNeeded({ ...request, client, terms, proven }, found.entry));
  if (onChain === undefined) return voucher({ ...request, client, terms, proven }, found);
  if (isUsable(onChain)) {
    const leftBefore = await stillHeld(payer, client, terms, found.entry.leftBefore ?? []);
    return voucher({ ...request, client, terms, proven }, { entry: { ...found.entry, leftBefore }, onChain });
  }
  await leave(payer, terms, found.entry, 'gone');
  return openChannel(payer, client, terms);
}

/**
 * The deposit limits what is signed, so it is read on chain before a limit that a server raised is trusted: a proof of
 * more than our own record, or a price beyond the deposit that we read before. So is what channels that were left hold,
 * before it is in the way of a price: it may have come back. And what is captured was signed: it is read where the server
 * says that we are behind, or has refused.
 */
async function readIfNeeded(
  { payer, client, terms, proven, trail }: Signing,
  entry: ChannelEntry,
): Promise<ChannelOnChain | undefined> {
  if (isAwaited(entry)) return undefined;
  const { cumulativeAmount, deposit, depositFromChain } = entry;
  const next = cumulativeAmount + terms.amount;
  const within = next <= deposit && next <= limitBeside(payer.maxDeposit, entry.leftBefore);
  const behind = (terms.hints.required ?? 0n) > next || trail.refusals > 0;
  if (depositFromChain === true && within && proven <= cumulativeAmount && !behind) return undefined;
  return readChannel(client, entry.channelId, terms);
}

interface Signing extends PaidRequest {
  readonly client: Client;
  readonly terms: SessionTerms;
  readonly proven: bigint;
}

async function voucher(signing: Signing, found: FoundChannel): Promise<PreparedPayment> {
  const { payer, terms } = signing;
  const entry: ChannelEntry =
    found.onChain === undefined
      ? found.entry
      : { ...found.entry, deposit: found.onChain.deposit, depositFromChain: true };
  const plan = planOf(signing, entry, found.onChain);
  switch (plan.kind) {
    case 'sign': {
      const signed = { ...entry, cumulativeAmount: plan.cumulative };
      const { value } = await payer.signer.voucher(terms, signed, plan.cumulative);
      await record(payer, signed);
      return { action: 'voucher', credential: value, entry: signed };
    }
    case 'topUp': {
      const toppedUp = await topUp(signing, entry, plan);
      return voucher(signing, toppedUp);
    }
    case 'refuse':
      throw refusal(signing, entry, plan);
    default:
      return assertNever(plan);
  }
}

function planOf(signing: Signing, entry: ChannelEntry, onChain: ChannelOnChain | undefined): SigningPlan {
  const { payer, terms, trail, proven } = signing;
  const { channelId, required } = terms.hints;
  // Hints of another channel say nothing about this one.
  const same = channelId === undefined || sameHex(channelId, entry.channelId);
  return signingPlan({
    base: highest(entry.cumulativeAmount, proven),
    amount: terms.amount,
    hints: { required: same ? required : undefined, suggestedDeposit: terms.suggestedDeposit },
    chain: { deposit: entry.deposit, settled: onChain?.settled ?? 0n },
    maxDeposit: limitBeside(payer.maxDeposit, entry.leftBefore),
    alreadyRefusedOnce: trail.refusedOnce,
  });
}

function refusal(
  { payer, terms, trail }: Signing,
  { channelId, cumulativeAmount, leftBefore }: ChannelEntry,
  plan: Extract<SigningPlan, { kind: 'refuse' }>,
): SessionPaymentError {
  const happened: Record<typeof plan.reason, string> = {
    hint_unprovable:
      `the server refused a voucher of ${cumulativeAmount} on channel ${channelId}${trail.why}; it asks for ` +
      `${terms.hints.required ?? 'more'} and shows no voucher of ours that explains it`,
    over_max_deposit:
      `channel ${channelId} would have to carry ${plan.cumulative}, over maxDeposit ${payer.maxDeposit}` +
      listed(leftBefore),
  };
  return new SessionPaymentError(plan.reason, happened[plan.reason]);
}
