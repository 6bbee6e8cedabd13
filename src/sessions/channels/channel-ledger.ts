import type { ChainAnswer, ChainRead, ChainState } from '../../domain/channels/chain-answers.js';
import type {
  AtomicStore,
  Channel,
  ChannelHints,
  ChannelId,
  ChannelTerms,
  FoundChannel,
  Voucher,
  VoucherStanding,
} from '../../domain/channels/channel.js';
import type { ChannelRefusal } from '../../domain/channels/channel-problems.js';
import type { SettlementId } from '../../domain/ids.js';
import type {
  AnsweringVoucher,
  ChannelPayment,
  CloseOutcome,
  Judge,
  PayOutcome,
} from '../../ledger/channels/channel-types.js';
import type { ChangeOutcome, DeliveryNote, GivenUpSession, SessionChange } from '../session-ledger.js';

export type { ChannelPayment, CloseOutcome, PayOutcome };

/** What channels need of the ledger; the composition root hands it in. Every rejection means "it is not known". */
export interface ChannelLedger {
  /** The store that npm mppx writes when a channel is opened or topped up. */
  readonly atomicStore: AtomicStore;
  findReusableChannel(hints: ChannelHints, terms: ChannelTerms): Promise<FoundChannel | undefined>;
  findChannel(id: ChannelId): Promise<Channel | undefined>;
  standingOf(voucher: AnsweringVoucher): Promise<VoucherStanding | undefined>;
  payFromChannel(payment: ChannelPayment, judge: Judge): Promise<PayOutcome>;
  requestClose(voucher: Voucher, proven: boolean, judge: Judge): Promise<CloseOutcome>;
  recordChainState(id: ChannelId, chain: ChainState): Promise<void>;
  commitChannelRequests(changes: readonly SessionChange[]): Promise<ChangeOutcome[]>;
  channelRequestState(id: SettlementId, closeToken: string): Promise<'ours' | 'open' | 'lost'>;
  giveUpChannelRequests(requests: readonly GivenUpSession[]): Promise<void>;
  recordChannelDeliveries(deliveries: readonly DeliveryNote[]): Promise<void>;
}

/** Channel credentials as they are verified: `checkSigned` first of all, a `judge…` while the channel is held, the others at the chain. */
export interface ChannelVerifier {
  /** What a channel must be made of to pay here. */
  readonly terms: ChannelTerms;
  checkSigned(raw: string): Promise<ChannelRefusal | undefined>;
  judgeVoucher(voucher: Voucher, store: AtomicStore): Promise<ChannelRefusal | undefined>;
  judgeOpened(voucher: Voucher, store: AtomicStore): Promise<ChannelRefusal | undefined>;
  judgeClose(voucher: Voucher, store: AtomicStore): Promise<ChannelRefusal | undefined>;
  open(raw: string, store: AtomicStore): Promise<ChainAnswer>;
  topUp(raw: string, store: AtomicStore): Promise<ChainAnswer>;
  readChain(id: ChannelId): Promise<ChainRead>;
}
