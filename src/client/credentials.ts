import { Challenge, Credential } from 'mppx';
import { createChannelStore, tempo } from 'mppx/client';
import { type Account, BaseError, type Client, UserRejectedRequestError } from 'viem';
import { Transaction } from 'viem/tempo';
import type { SessionTerms } from './challenge.js';
import type { ChannelDescriptor, ChannelEntry } from './channel-store.js';
import { SessionPaymentError } from './errors.js';

type Hex = `0x${string}`;
type Context = NonNullable<Parameters<ReturnType<typeof tempo.session>['createCredential']>[0]['context']>;

/** A credential as it stands in the header, and the signed transaction in it, where there is one. */
export interface SignedCredential {
  readonly value: string;
  readonly channelId: Hex;
}

interface SignedTransaction extends SignedCredential {
  readonly descriptor: ChannelDescriptor;
  readonly transaction: Hex;
  readonly validBefore: number;
}

/** Signs exactly what it is told to. npm mppx makes the payloads; which amount is right is not decided here. */
export interface CredentialSigner {
  voucher(terms: SessionTerms, entry: ChannelEntry, cumulative: bigint): Promise<SignedCredential>;
  close(terms: SessionTerms, entry: ChannelEntry, cumulative: bigint): Promise<SignedCredential>;
  open(terms: SessionTerms, deposit: bigint): Promise<SignedTransaction>;
  /** The same transaction as before, under a new challenge: it opens the same channel, at most once. */
  openAgain(terms: SessionTerms, entry: ChannelEntry, transaction: Hex): Promise<SignedCredential>;
  topUp(terms: SessionTerms, entry: ChannelEntry, additional: bigint): Promise<SignedTransaction>;
  topUpAgain(terms: SessionTerms, entry: ChannelEntry, additional: bigint, transaction: Hex): Promise<SignedCredential>;
}

export function createCredentialSigner(
  account: Account,
  clientOf: (chainId: number) => Promise<Client>,
): CredentialSigner {
  /** A store of its own each time: mppx's record of amounts must never be the one that is signed by. */
  const sign = async (terms: SessionTerms, context: Context, challenge = terms.challenge) => {
    const method = tempo.session({
      account,
      getClient: () => clientOf(terms.chainId),
      channelStore: createChannelStore(),
    });
    const written = await method.createCredential({ challenge: challenge as never, context }).catch(refused);
    const { payload, source } = Credential.deserialize<Payload>(written);
    const value = Credential.serialize({ challenge: terms.challenge, payload, source });
    return { value, payload, channelId: payload.channelId };
  };
  const onChannel = (entry: ChannelEntry) => ({ channelId: entry.channelId, descriptor: entry.descriptor });

  return {
    voucher: (terms, entry, cumulative) =>
      sign(terms, { action: 'voucher', ...onChannel(entry), cumulativeAmountRaw: cumulative.toString() }),
    close: (terms, entry, cumulative) =>
      sign(terms, { action: 'close', ...onChannel(entry), cumulativeAmountRaw: cumulative.toString() }),
    open: async (terms, deposit) =>
      transactionOf(await sign(terms, { depositRaw: deposit.toString() }, withoutHints(terms.challenge))),
    openAgain: (terms, entry, transaction) =>
      sign(terms, {
        action: 'open',
        ...onChannel(entry),
        transaction,
        cumulativeAmountRaw: entry.cumulativeAmount.toString(),
      }),
    topUp: async (terms, entry, additional) =>
      transactionOf(
        await sign(terms, { action: 'topUp', ...onChannel(entry), additionalDepositRaw: additional.toString() }),
      ),
    topUpAgain: (terms, entry, additional, transaction) =>
      sign(terms, {
        action: 'topUp',
        ...onChannel(entry),
        transaction,
        additionalDepositRaw: additional.toString(),
      }),
  };
}

/** Transactions ask the node for their fees before they are signed; what viem throws then is not the account's word. */
function refused(error: unknown): never {
  const byNode =
    error instanceof BaseError && error.walk((cause) => cause instanceof UserRejectedRequestError) === null;
  throw byNode
    ? new SessionPaymentError('chain_unreachable', 'the node did not help to make the transaction', { cause: error })
    : new SessionPaymentError('signing_failed', 'the account did not sign the payment', { cause: error });
}

interface Payload {
  readonly channelId: Hex;
  readonly descriptor: ChannelDescriptor;
  readonly transaction?: Hex;
}

/** mppx would sign by the snapshot of a challenge when it has one; what is opened here must not be steered by it. */
function withoutHints(challenge: Challenge.Challenge): Challenge.Challenge {
  const details = { ...(challenge.request['methodDetails'] as Record<string, unknown>) };
  for (const hint of ['sessionSnapshot', 'channelId']) delete details[hint];
  return Challenge.Schema.parse({ ...challenge, request: { ...challenge.request, methodDetails: details } });
}

function transactionOf(signed: SignedCredential & { readonly payload: Payload }): SignedTransaction {
  const { descriptor, transaction } = signed.payload;
  const validBefore =
    transaction && Transaction.deserialize(transaction as Transaction.TransactionSerializedTempo).validBefore;
  if (transaction === undefined || typeof validBefore !== 'number')
    throw new SessionPaymentError('signing_failed', 'the signed transaction has no end of validity');
  return { value: signed.value, channelId: signed.channelId, descriptor, transaction, validBefore };
}
