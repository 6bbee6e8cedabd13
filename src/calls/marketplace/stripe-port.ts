import { looksFirst } from '../../domain/calls/key-age.js';
import type { IntentParams, MadeIntent } from '../../domain/calls/made-at-stripe.js';
import type { KeyedAnswer } from '../../domain/calls/provider-answers.js';
import type { ClaimedPayment } from '../../ledger/calls/call-types.js';
import type { StripeLeaving } from '../../ledger/calls/stripe-made.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Control } from './hyperswitch-account.js';
import type { NotLeaving } from './hyperswitch-step.js';
import type { PaymentPort } from './payment-port.js';
import type { PayingStripe } from './pinned-reads.js';

export interface StripePortDependencies {
  readonly ledger: Pick<Ledger, 'paymentLeavesForStripe' | 'paymentStopped'>;
  readonly stripe: PayingStripe;
  readonly account: StripeAsOurs;
  /** Takes up what went back of it. @returns why not all of it could be read */
  readonly searchPayment: (id: ClaimedPayment['id']) => Promise<string | undefined>;
}

/** Stripe gives a PaymentIntent its name, so one whose answer was lost is sent again with the same key, or found by our mark. */
export function stripePort({
  ledger,
  stripe,
  account,
  searchPayment,
}: StripePortDependencies): PaymentPort<MadeIntent> {
  const calls = stripe.inLane('payments');
  const read: PaymentPort<MadeIntent>['read'] = ({ id, stripePaymentId: name }) =>
    name === null ? calls.findIntent(id) : calls.readIntent(name);
  return {
    provider: 'stripe',
    account,
    callOf(claim, runner) {
      const { id, certainty, ageMs } = claim;
      let key = '';
      return {
        looksFirst: looksFirst({ certainty }, ageMs),
        keyTells: true,
        async leaves(looked) {
          const freeze = (generation: number) => JSON.stringify(paramsOf(claim, generation));
          const leaving = await ledger.paymentLeavesForStripe({ id, runner, looked, freeze });
          if (leaving.kind === 'send') key = leaving.key;
          return leftWith(leaving);
        },
        async make(params) {
          const stopped = () => ledger.paymentStopped(id, runner);
          return paced(await calls.createIntent(key, JSON.parse(params) as IntentParams, stopped));
        },
        read: () => read(claim),
        control: () => account.control(),
      };
    },
    read,
    readNamed: (name) => calls.readIntent(name),
    cancel: (key, name) => calls.cancelIntent(key, name),
    // Always the last part, so Stripe lets go of the rest.
    capture: async ({ key, name, amount }, { id, runner }) =>
      paced(await calls.captureIntent(key, name, exactly(amount), () => ledger.paymentStopped(id, runner))),
    // Whose it is was asked before.
    misfit: () => Promise.resolve(undefined),
    searchRefunds: ({ id }) => searchPayment(id),
    searchMore: () => Promise.resolve(undefined),
  };
}

/** @throws RangeError rather than send another amount than the ledger holds */
function paramsOf({ id, orderId, amount, currency, terms }: ClaimedPayment, generation: number): IntentParams {
  const { customer, metadata } = terms.passedOn;
  return {
    amount: exactly(amount),
    currency: currency.toLowerCase(),
    capture_method: terms.captureMethod === 'automatic' ? 'automatic' : 'manual',
    ...(customer === undefined ? {} : { customer: customer.id }),
    transfer_group: orderId,
    // Ours are ours, whatever was asked to be passed on.
    metadata: { ...metadata, order_id: orderId, payment_id: id, generation: String(generation) },
  };
}

export function exactly(amount: bigint): number {
  const number = Number(amount);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${amount} cannot be sent exactly; nothing was sent`);
  return number;
}

const SOON_MS = 60_000;

/** What the ledger lets leave, in the words of the one step (hyperswitch-step.ts). */
export function leftWith(leaving: StripeLeaving): string | NotLeaving | undefined {
  switch (leaving.kind) {
    case 'send':
      return leaving.params;
    case 'lapsed':
      return undefined;
    case 'paused':
      return { afterMs: SOON_MS, why: 'a person has paused stripe: nothing was sent' };
    case 'read_only':
      return { afterMs: leaving.afterMs, why: 'Stripe may have forgotten the key, so it is only looked' };
  }
}

/** Stripe repeats a failure to its key for a day: only its records tell more, and they are not asked every second. */
export const paced = <Done>(answer: KeyedAnswer<Done>): KeyedAnswer<Done> =>
  answer.kind === 'unclear' && answer.replayed
    ? {
        kind: 'busy',
        executed: 'perhaps',
        retryAfterMs: REPEATED_AGAIN_MS,
        detail: answer.detail,
        requestId: answer.requestId,
      }
    : answer;
const REPEATED_AGAIN_MS = 10 * 60_000;

/** The account that this ledger is pinned to, as the one step asks for it. */
export interface StripeAsOurs {
  verify(): Promise<Control>;
  /** Asked now, beside an absence. */
  control(): Promise<Control>;
}

export function stripeAsOurs(stripe: PayingStripe, ledger: Pick<Ledger, 'hyperswitchIsOurs'>): StripeAsOurs {
  let known = false;
  async function told(answer: ReturnType<PayingStripe['verify']>): Promise<Control> {
    const control = asControl(await answer);
    // Whoever could not be asked because the key was another account's is asked at once.
    if (control.kind === 'ours' && !known) await ledger.hyperswitchIsOurs();
    known = control.kind === 'ours';
    return control;
  }
  return { verify: () => told(stripe.verify()), control: () => told(stripe.confirm()) };
}

function asControl(answer: Awaited<ReturnType<PayingStripe['verify']>>): Control {
  if (answer === undefined) return { kind: 'ours' };
  const { kind, detail } = answer;
  return { kind: kind === 'misdirected' ? 'mismatch' : 'unread', detail };
}
