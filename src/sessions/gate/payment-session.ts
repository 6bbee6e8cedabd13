import type { SettlementId } from '../../domain/ids.js';
import type { SettleNowOutcome } from '../../domain/settlements/settlement.js';
import type { RouteProtocol, RouteTerms } from '../offers/route-options.js';
import type { HeadersSoFar, PaidRequest } from '../paid-request.js';
import { problemAnswer, refusal } from '../refusals.js';
import type { SessionLog } from '../session-log.js';
import { AnswerRecord } from './answer-record.js';
import type { DeliveryRecorder } from './delivery-recorder.js';
import type { GateReceipt } from './gate-options.js';
import type { HeldLease } from './lease-keeper.js';
import type { LiveSession } from './live-session.js';
import { answerHeaders, saysOfAnother } from './paid-head.js';
import { ResponseGate } from './response-gate.js';
import type { ChargeOptions } from './session-charges.js';
import type { WithheldAnswer } from './withheld-answer.js';

/** What a response is paid in: the offer that the payer has chosen. */
export interface SoldOffer {
  readonly protocol: RouteProtocol;
  /** CAIP-2. */
  readonly network: string;
  readonly asset: string;
  readonly decimals: number;
  /** The asset's symbol. */
  readonly currency: string;
  /** Its price, or its cap on a metered route; atomic units. */
  readonly amount: bigint;
}

/** What a handler sees of the payment that its response is sold for. */
export interface PaymentSession {
  /** The most that this response may cost, in atomic units of the offer. On a route with a price: what it costs. */
  readonly cap: bigint;
  /**
   * Undefined: the answer was paid for before, in something that the route takes no more. Where the auth server chooses which
   * option of ATXP is paid, it is the first: they differ in network and asset alone.
   */
  readonly offer: SoldOffer | undefined;
  /** Charged so far. */
  readonly spent: bigint;
  /**
   * Charges atomic units of the offer; synchronous. Schemes that cannot be metered are all or nothing: the first charge takes
   * the cap. So does it, on a route with a price, where the offer has a price of its own: there `charge(session.cap)` and a
   * charge of the route's price do the same.
   * Charge before you write what it is for. An answer whose status is 400 or more, or 304, costs nothing but what was
   * charged with `{ evenIfFailed: true }`.
   * @returns false past the cap, or once the response was closed: nothing was charged, stop serving
   * @throws TypeError for anything but a non-negative bigint or digits
   */
  charge(amount: bigint | string, options?: ChargeOptions): boolean;
  /** Gives the charge up: the response goes out free. False when it is too late, because the charge is durable already. */
  release(): boolean;
}

/** How gates of all routes are set. */
export interface GateSettings {
  readonly checkpointAmount: bigint;
  readonly checkpointIntervalMs: number;
  /** SETTLE_FIRST_BUFFER, for routes that state none. */
  readonly settleFirstBufferBytes: number;
  readonly log: SessionLog;
}

/** The exchange that is sold. */
interface Served {
  readonly request: PaidRequest;
  readonly route: { readonly terms: RouteTerms };
  readonly startedAt: number;
}

interface Attached {
  readonly session: LiveSession;
  readonly offer: SoldOffer | undefined;
  readonly held: HeldLease;
  readonly settle: 'after' | 'before-release';
  readonly settleNow: (id: SettlementId) => Promise<SettleNowOutcome>;
  readonly dispatch: (id: SettlementId) => unknown;
  readonly deliveries: DeliveryRecorder;
  readonly answer?: WithheldAnswer;
  readonly receipt?: GateReceipt;
  /** The answer is taken down, and kept if it has no more bytes than this. */
  readonly keepBytes?: number;
  /** What every answer of the session says. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Puts the gate around the response.
 * @returns undefined when the client is gone already: the handler need not run
 */
export function attach(
  { request, route: { terms }, startedAt }: Served,
  attached: Attached,
  { checkpointAmount, checkpointIntervalMs, settleFirstBufferBytes, log }: GateSettings,
): PaymentSession | undefined {
  const {
    session,
    offer,
    held,
    settle,
    settleNow,
    dispatch,
    deliveries,
    answer,
    receipt,
    keepBytes,
    headers = {},
  } = attached;
  // Only a response that is settled first may have another one sent in its place, and few are kept.
  const before = settle === 'before-release' || keepBytes !== undefined ? textsOf(request.headersSoFar()) : {};
  const gate = new ResponseGate(request.res, {
    session,
    held,
    settle,
    runAhead: terms.metered ? checkpointAmount : 0n,
    checkpointIntervalMs,
    bufferBytes: terms.settleFirstBuffer ?? settleFirstBufferBytes,
    deadlineMs: Math.max(terms.longestMs - (performance.now() - startedAt), 0),
    settleNow,
    dispatch,
    deliveries,
    answer,
    record: keepBytes === undefined ? undefined : new AnswerRecord(keepBytes, ofNoBody(before)),
    answerInstead: (why) => {
      const { status, headers: own, body } = problemAnswer(refusal(INSTEAD[why]), before['x-request-id']);
      return { status, headers: answerHeaders(before, headers, own), body };
    },
    log,
    headers,
    ...(receipt && { receipt }),
  });
  if (gate.gone()) return undefined;
  return {
    cap: session.cap,
    offer,
    get spent() {
      return session.spent();
    },
    charge(amount, options) {
      const charged = session.charge(amount, options);
      if (charged) gate.onCharge();
      return charged;
    },
    release: () => session.release(),
  };
}

const INSTEAD = { refused: 'payment_refused', unknown: 'payment_unknown', too_large: 'response_too_large' } as const;

/** What they have said about the body is about the one that is sold. */
const ofNoBody = (headers: Record<string, string | string[]>): typeof headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !saysOfAnother(name)));

/** What the layers before this one have said about every answer: CORS, request ids, security. */
const textsOf = (headers: HeadersSoFar): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value : String(value)]],
    ),
  );
