import { assertNever } from '../../domain/assert-never.js';
import type { Clock } from '../../domain/clock.js';
import { type CaptureId, newCaptureId, type PaymentId, parsePaymentId } from '../../domain/ids.js';
import { type Payment, type PaymentProvider, PROVIDER_NAMES } from '../../domain/marketplace/marketplace.js';
import { paymentDetails } from '../../domain/marketplace/marketplace-answer.js';
import type { CaptureAsked } from '../../ledger/calls/call-types.js';
import type { RequestKey } from '../../ledger/marketplace/marketplace-types.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem, retryAfter } from '../problem.js';
import { type Call, type Reply, type Route, route } from '../route.js';
import { cancelPaymentOperation, capturePaymentOperation } from './capture-operations.js';
import type { NewCaptureRequest } from './capture-schemas.js';
import { once, requestKeyOf } from './idempotency.js';
import type { MarketplaceRouteDependencies } from './marketplace-dependencies.js';
import { namedItem } from './marketplace-list.js';
import { mustBeConfigured } from './payments.js';

type Dependencies = Pick<
  MarketplaceRouteDependencies,
  'ledger' | 'paysByStripe' | 'hyperswitch' | 'sendPayment' | 'nudge'
> & {
  readonly clock: Clock;
};

/** Payments that are captured by hand, or called off. Each is recorded before it is sent, and takes one step in its request. */
export const captureRoutes = (dependencies: Dependencies): readonly Route[] => [
  route(capturePaymentOperation, (call) => capture(call, dependencies)),
  route(cancelPaymentOperation, (call) => cancel(call, dependencies)),
];

/** The workflow reads the payment again from one second on. */
const UNKNOWN_RETRY_SECONDS = 5;

const paymentOf = (params: Readonly<Record<string, string | undefined>>, { ledger }: Dependencies): Promise<Payment> =>
  namedItem('payment', parsePaymentId(params.id ?? ''), (id) => ledger.findPayment(id));

async function capture(call: Call<NewCaptureRequest, unknown>, dependencies: Dependencies): Promise<Reply> {
  const { amount, final } = call.body;
  const { id, provider } = await paymentOf(call.params, dependencies);
  mustBeConfigured('captures', provider, dependencies);
  if (provider === 'stripe' && final === false)
    throw notCaptured('Stripe captures a payment once here, and lets go of the rest: `final` cannot be false');
  const request = requestKeyOf(call, 'captures', {
    payment_id: id,
    ...(amount === undefined ? {} : { amount: amount.toString() }),
    ...(final === undefined ? {} : { final }),
  });
  const { status, answer } = await once(dependencies.ledger, request, async () => {
    const asked = { paymentId: id, amount: amount ?? null, final: final ?? null };
    const part = await rowOf(asked, request, provider, dependencies);
    await step(id, dependencies);
    return { status: 200, answer: paymentDetails(await captured(id, part, dependencies)) };
  });
  return { status, body: answer };
}

interface Asked {
  readonly paymentId: PaymentId;
  readonly amount: bigint | null;
  readonly final: boolean | null;
}

async function rowOf(
  asked: Asked,
  request: RequestKey,
  provider: PaymentProvider,
  dependencies: Dependencies,
): Promise<CaptureId> {
  const { ledger, clock } = dependencies;
  const ask = () => fromLedger(ledger.askCapture({ id: newCaptureId(clock.nowMs()), ...asked }, request));
  let outcome = await ask();
  if (outcome.kind === 'not_held') {
    // Its buyer may have paid since it was read last.
    await step(asked.paymentId, dependencies);
    outcome = await ask();
  }
  if (outcome.kind === 'asked') return outcome.id;
  throw refusal(outcome, provider);
}

const notCaptured = (why: string) => new HttpProblem('payment_not_capturable', `${why}: nothing was captured`);

function refusal(outcome: Exclude<CaptureAsked, { kind: 'asked' }>, provider: PaymentProvider): HttpProblem {
  const not = notCaptured;
  switch (outcome.kind) {
    case 'exceeds':
      return new HttpProblem(
        'capture_exceeds_payment',
        `${outcome.left} (minor units) is left of the payment: nothing was captured`,
        { members: { left: Number(outcome.left) } },
      );
    case 'ended':
      return not(`the payment is ${outcome.status}`);
    case 'not_held':
      return not(
        `the buyer's money is not held: ${PROVIDER_NAMES[provider]} calls the payment ${outcome.providerStatus ?? 'nothing yet'}`,
      );
    case 'automatic':
      return not(
        'the payment captures itself once its buyer has paid; one that is to be captured is made with `capture: manual`',
      );
    case 'cancelling':
      return not('the payment is being called off');
    case 'closed':
      return not('its last part is captured');
    case 'under_way':
      return not('another part is being captured, and what became of it is not known yet; send this again when it is');
    default:
      return assertNever(outcome);
  }
}

/** One step of the payment, as far as its provider lets it come; its workflow takes it from there. */
async function step(id: PaymentId, { sendPayment, nudge }: Dependencies): Promise<void> {
  await fromLedger(sendPayment(id)).finally(() => nudge({ kind: 'payment', id }));
}

async function captured(id: PaymentId, part: CaptureId, { ledger }: Dependencies): Promise<Payment> {
  const payment = await fromLedger(ledger.findPayment(id));
  const row = payment?.capture.parts.find((one) => one.id === part);
  if (!payment || !row) throw new Error(`capture ${part} of payment ${id} is gone from the ledger`);
  switch (row.status) {
    case 'done':
      return payment;
    case 'refused':
      throw new HttpProblem(
        'capture_refused',
        `${PROVIDER_NAMES[payment.provider]} did not capture it: ${row.detail ?? 'it does not say why'}`,
      );
    case 'open':
      throw unknown(
        `the capture is recorded, and nobody knows yet whether it was carried out (${row.detail ?? 'it was not sent yet'}): send the same request again, it is never captured twice`,
      );
    default:
      return assertNever(row.status);
  }
}

const unknown = (detail: string) =>
  new HttpProblem('payment_unknown', detail, { headers: retryAfter(UNKNOWN_RETRY_SECONDS) });

async function cancel({ params, principal }: Call<unknown, unknown>, dependencies: Dependencies): Promise<Reply> {
  const { ledger } = dependencies;
  const { id, provider } = await paymentOf(params, dependencies);
  mustBeConfigured('cancels', provider, dependencies);
  const asked = await fromLedger(ledger.askCancel(id, principal.name));
  if (asked.kind === 'capture_under_way')
    throw new HttpProblem(
      'payment_not_cancelled',
      'a part of it is being captured, and what became of that is not known yet: nothing was called off. Send this again when it is',
    );
  if (asked.kind === 'elsewhere')
    throw new HttpProblem(
      'payment_not_cancelled',
      'another checkout made it, and nothing of it is sent from here: call it off there',
    );
  if (asked.kind === 'asked') await step(id, dependencies);
  const payment = await fromLedger(ledger.findPayment(id));
  if (!payment) throw new Error(`payment ${id} is gone from the ledger`);
  const isOpen = payment.status === 'pending' || payment.status === 'processing';
  if (payment.status === 'cancelled' || isPaidByPart(payment)) return { status: 200, body: paymentDetails(payment) };
  if (isOpen && payment.capture.cancelAskedAt !== null)
    throw unknown(
      'the cancel is recorded, and nobody knows yet whether it was carried out: it is read on; send the same request again for what became of it',
    );
  throw new HttpProblem(
    'payment_not_cancelled',
    isOpen
      ? `${PROVIDER_NAMES[provider]} does not call it off while it is ${payment.providerStatus ?? 'not read yet'}: ask for it again later`
      : `the payment is ${payment.status}: what was captured is given back by a refund`,
  );
}

/** What was left of it is called off, and what was captured has paid the order. */
const isPaidByPart = ({ status, amount, captured: { surely } }: Payment): boolean =>
  status === 'succeeded' && surely < amount;
