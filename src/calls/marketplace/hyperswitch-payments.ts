import type { PaymentFacts } from '../../domain/calls/provider-answers.js';
import type { PaymentId } from '../../domain/ids.js';
import type { ClaimedPayment } from '../../ledger/calls/call-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { CreatePayment, Hyperswitch } from '../../providers/hyperswitch/client.js';
import type { HyperswitchAccount } from './hyperswitch-account.js';
import { frozen, thawed } from './hyperswitch-follow.js';
import type { PaymentPort } from './payment-port.js';

export interface HyperswitchPortDependencies {
  readonly ledger: Pick<Ledger, 'paymentLeaves' | 'noteUnnamedRefunds'>;
  readonly hyperswitch: Hyperswitch;
  readonly account: HyperswitchAccount;
  /** Takes up the disputes that Hyperswitch names. @returns why they could not be read */
  readonly searchNamed: (id: PaymentId) => Promise<string | undefined>;
  /** The same of its refunds, those too that were made there. */
  readonly searchRefunds: (of: Pick<ClaimedPayment, 'id' | 'hyperswitchPaymentId'>) => Promise<string | undefined>;
}

/** At Hyperswitch the id of a payment is its key, so it may be sent again at any time. */
export function hyperswitchPort({
  ledger,
  hyperswitch,
  account,
  searchNamed,
  searchRefunds,
}: HyperswitchPortDependencies): PaymentPort<PaymentFacts> {
  const read = ({ hyperswitchPaymentId }: Pick<ClaimedPayment, 'hyperswitchPaymentId'>) =>
    hyperswitch.readPayment(hyperswitchPaymentId);
  return {
    provider: 'hyperswitch',
    account,
    callOf: (claim, runner) => {
      const { id, key } = claim;
      return {
        leaves: () =>
          ledger.paymentLeaves({
            id,
            runner,
            params: frozen(paymentRequest(claim)),
          }),
        make: (params) => hyperswitch.createPayment(key, thawed(params) as CreatePayment),
        read: () => read(claim),
        control: () => account.control(id),
      };
    },
    read,
    readNamed: (name) => hyperswitch.readPayment(name),
    cancel: (key, name) => hyperswitch.cancelPayment(key, name),
    capture: ({ key, name, amount, currency }) =>
      hyperswitch.capturePayment(key, { hyperswitchPaymentId: name, amount, currency }),
    misfit: ({ owner }, { profileId }) => account.misfit(owner, profileId),
    searchRefunds,
    async searchMore(id, told) {
      await ledger.noteUnnamedRefunds(id, []);
      return told.some(({ type }) => type.startsWith('dispute_')) ? await searchNamed(id) : undefined;
    },
  };
}

/** How a payment is made at Hyperswitch. Our own names in its metadata are ours, whatever was asked to be passed on. */
function paymentRequest({ id, orderId, amount, currency, terms }: ClaimedPayment): CreatePayment {
  const { captureMethod, profileId, passedOn } = terms;
  return {
    amount,
    currency,
    ...(captureMethod === 'automatic' ? {} : { captureMethod }),
    ...(profileId === null ? {} : { profileId }),
    ...(passedOn.customer === undefined ? {} : { customer: passedOn.customer }),
    ...(passedOn.returnUrl === undefined ? {} : { returnUrl: passedOn.returnUrl }),
    metadata: { ...passedOn.metadata, order_id: orderId, payment_id: id },
  };
}
