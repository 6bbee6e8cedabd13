import {
  mostSettable,
  STRIPE_REQUESTS_PER_SECOND,
  type StripeRate,
  stripeRateInForce,
} from '../../domain/stripe-rate.js';
import type { Ledger } from '../../ledger/ledger.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem } from '../problem.js';
import { type Call, INVALID_BODY, type Reply } from '../route.js';
import type { NoteRequest } from '../schema-parts.js';
import type { StripeRateRequest } from './acting-operations.js';

export interface StripeRateDependencies {
  readonly ledger: Pick<Ledger, 'stripeRate' | 'setStripeRate' | 'resetStripeRate'>;
  readonly stripePerSecond: () => number | undefined;
}

export const rateAnswer = ({ set, pace, endpoints }: StripeRate, ofSettings: number | undefined) => {
  const inForce = stripeRateInForce(set, ofSettings);
  return {
    of_settings: ofSettings ?? null,
    set: set && { per_second: set.perSecond, by: set.by, authenticated: set.authenticated, note: set.note, at: set.at },
    in_force: inForce ?? null,
    per_endpoint: Math.min(inForce ?? STRIPE_REQUESTS_PER_SECOND, STRIPE_REQUESTS_PER_SECOND),
    most: mostSettable(ofSettings),
    pace,
    endpoints,
  };
};

export async function readRate({ ledger, stripePerSecond }: StripeRateDependencies): Promise<Reply> {
  return { status: 200, body: rateAnswer(await fromLedger(ledger.stripeRate()), stripePerSecond()) };
}

/** Never above the limit of the settings: those say what the account at Stripe has. */
export async function setRate(
  { body, principal }: Call<StripeRateRequest, unknown>,
  dependencies: StripeRateDependencies,
): Promise<Reply> {
  const { per_second: perSecond, note } = body;
  const most = mostSettable(dependencies.stripePerSecond());
  if (perSecond > most)
    throw new HttpProblem('invalid_request', INVALID_BODY, {
      errors: [{ pointer: '/per_second', message: `may be at most ${most}; STRIPE_MAX_RPS raises that` }],
    });
  await fromLedger(
    dependencies.ledger.setStripeRate({ by: principal.name, authenticated: true, note: note.trim() }, perSecond),
  );
  return await readRate(dependencies);
}

export async function resetRate(
  { body, principal }: Call<NoteRequest, unknown>,
  dependencies: StripeRateDependencies,
): Promise<Reply> {
  await fromLedger(
    dependencies.ledger.resetStripeRate({ by: principal.name, authenticated: true, note: body.note.trim() }),
  );
  return await readRate(dependencies);
}
