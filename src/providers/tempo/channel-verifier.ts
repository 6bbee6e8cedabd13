import { Credential, Errors, type Store } from 'mppx';
import { Mppx, tempo } from 'mppx/server';
import { Session } from 'mppx/tempo';
import type { Account, Client, Hex } from 'viem';
import type { ChainAnswer, ChainRead } from '../../domain/channels/chain-answers.js';
import type { AtomicStore, ChannelId, ChannelTerms, Voucher } from '../../domain/channels/channel.js';
import { parseChannelId } from '../../domain/channels/channel.js';
import type { ChannelRefusal } from '../../domain/channels/channel-problems.js';
import { adoptOpenChannel } from './adopt-open.js';
import { assertSignedByPayer } from './channel-signatures.js';
import { judgeCloseVoucher, judgeOpenVoucher, judgeVoucher } from './channel-vouchers.js';
import { answerOf, channelRefusalOf } from './refusals.js';

export interface ChannelVerifierOptions {
  readonly client: Client;
  readonly payee: Account;
  readonly chainId: number;
  readonly currency: string;
  /** MPP_SECRET_KEY and the realm of the challenges, which prove that a credential answers one of ours. */
  readonly secretKey: string;
  readonly realm: string;
}

/**
 * Channel credentials, verified by npm mppx' own server. Vouchers and closes are judged without a call to the chain, so an
 * outage of it breaks no paid request; opening and topping up execute the payer's transaction.
 */
export function createChannelVerifier(options: ChannelVerifierOptions) {
  const { client, payee, chainId, secretKey, realm } = options;
  const currency = options.currency.toLowerCase() as Hex;
  const terms: ChannelTerms = {
    chainId,
    escrow: Session.Precompile.Constants.tip20ChannelEscrow.toLowerCase(),
    payee: payee.address.toLowerCase(),
    token: currency,
  };

  const methodOn = (store: AtomicStore) =>
    tempo.session({
      account: payee,
      currency,
      // Amounts cross this line in atomic units.
      decimals: 0,
      chainId,
      // Its own state never goes stale here: how old it may be is decided before it is asked.
      channelStateTtl: Number.POSITIVE_INFINITY,
      getClient: () => client,
      store: store as Store.AtomicStore,
    });
  const verify = (raw: string, method: ReturnType<typeof methodOn>) =>
    Mppx.create({ methods: [method], realm, secretKey }).verifyCredential(`Payment ${raw}`);

  async function judged(work: () => Promise<unknown>): Promise<ChannelRefusal | undefined> {
    try {
      await work();
      return undefined;
    } catch (error) {
      return channelRefusalOf(error);
    }
  }

  async function executed(raw: string, store: AtomicStore): Promise<ChainAnswer> {
    try {
      const receipt = await verify(raw, methodOn(store));
      return { kind: 'done', txHash: 'txHash' in receipt ? String(receipt.txHash) : null };
    } catch (error) {
      return answerOf(error);
    }
  }

  const readChain = (channelId: ChannelId) => readChannel(client, channelId);

  return {
    terms,
    readChain,

    /**
     * Whether the payer of the channel has signed what the credential carries; some milliseconds of this process, and no
     * call. Everything that follows relies on it, so it comes first.
     */
    checkSigned: (raw: string) =>
      judged(() => {
        assertSignedByPayer(Credential.deserialize(`Payment ${raw}`), terms);
        return Promise.resolve();
      }),

    judgeVoucher: (voucher: Voucher, store: AtomicStore) => judged(() => judgeVoucher(voucher, store)),

    /** The voucher of an open that is done already, by this request or an earlier one. */
    judgeOpened: (voucher: Voucher, store: AtomicStore) => judged(() => judgeOpenVoucher(voucher, store)),

    judgeClose: (voucher: Voucher, store: AtomicStore) => judged(() => judgeCloseVoucher(voucher, store)),

    /** An open whose answer was lost is not sent again: what is on chain under this id can only be this channel. */
    async open(raw: string, store: AtomicStore): Promise<ChainAnswer> {
      const credential = Credential.deserialize(`Payment ${raw}`);
      const channelId = parseChannelId((credential.payload as { channelId?: unknown }).channelId);
      if (channelId === undefined) return answerOf(new Errors.InvalidPayloadError());
      const onChain = await readChain(channelId);
      if (onChain.kind === 'unavailable') return onChain;
      if (onChain.deposit === 0n) return executed(raw, store);
      const refusal = await judged(() =>
        verify(raw, {
          ...methodOn(store),
          validate: undefined,
          broadcast: ({ credential: checked }) => adoptOpenChannel(checked, { store, terms, onChain }),
        }),
      );
      return refusal === undefined ? { kind: 'done', txHash: null } : { kind: 'refused', refusal };
    },

    topUp: executed,
  };
}

/** What the chain says of a channel now. */
export async function readChannel(client: Client, channelId: ChannelId): Promise<ChainRead> {
  try {
    const state = await Session.Precompile.Chain.getChannelState(client, channelId as Hex);
    const closeRequestedAtMs = state.closeRequestedAt === 0 ? null : state.closeRequestedAt * 1000;
    return { kind: 'read', deposit: state.deposit, settled: state.settled, closeRequestedAtMs };
  } catch (error) {
    return { kind: 'unavailable', detail: error instanceof Error ? error.name : 'no readable answer' };
  }
}

export type ChannelVerifier = ReturnType<typeof createChannelVerifier>;
