import { PAUSABLE, type Pausable } from '../../domain/provider-pauses.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { NewWebhookEvent } from '../../ledger/marketplace/marketplace-types.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem } from '../problem.js';
import { type Call, type Reply, type Route, route } from '../route.js';
import type { NoteRequest } from '../schema-parts.js';
import {
  bulkDecisionOperation,
  pauseProviderOperation,
  replayWebhookOperation,
  resetStripeRateOperation,
  resumeProviderOperation,
  setStripeRateOperation,
  stripeRateOperation,
} from './acting-operations.js';
import { type BulkDependencies, decideMany } from './bulk.js';
import { readRate, resetRate, type StripeRateDependencies, setRate } from './stripe-rate.js';

export interface ActingDependencies extends BulkDependencies, StripeRateDependencies {
  readonly ledger: BulkDependencies['ledger'] &
    StripeRateDependencies['ledger'] &
    Pick<Ledger, 'pauseProvider' | 'resumeProvider' | 'pauses' | 'replayWebhook'>;
  /** Reads the provider about this event off the request path; never throws. What it misses is found by the sweep. */
  readonly processWebhook: (event: NewWebhookEvent) => void;
}

/** What an operator does beside deciding about one item. */
export const actingRoutes = (dependencies: ActingDependencies): readonly Route[] => [
  route(pauseProviderOperation, (call) => pause('pauseProvider', call, dependencies)),
  route(resumeProviderOperation, (call) => pause('resumeProvider', call, dependencies)),
  route(stripeRateOperation, () => readRate(dependencies)),
  route(setStripeRateOperation, (call) => setRate(call, dependencies)),
  route(resetStripeRateOperation, (call) => resetRate(call, dependencies)),
  route(replayWebhookOperation, (call) => replay(call, dependencies)),
  route(bulkDecisionOperation, (call) => decideMany(call, dependencies)),
];

const isPausable = (name: string): name is Pausable => PAUSABLE.some((known) => known === name);

async function pause(
  does: 'pauseProvider' | 'resumeProvider',
  { params, body, principal }: Call<NoteRequest, unknown>,
  { ledger }: ActingDependencies,
): Promise<Reply> {
  const { provider = '' } = params;
  if (!isPausable(provider))
    throw new HttpProblem('not_found', `nobody can pause that; it is one of: ${PAUSABLE.join(', ')}`);
  const changed = await fromLedger(
    ledger[does]({ provider, by: principal.name, authenticated: true, note: body.note.trim() }),
  );
  const pauses = await fromLedger(ledger.pauses());
  return {
    status: 200,
    body: { provider, changed, paused: pauses.find((one) => one.provider === provider) ?? null },
  };
}

const EVENT = /^(stripe|hyperswitch):(.{1,255})$/su;

async function replay(
  { params, body, principal }: Call<NoteRequest, unknown>,
  { ledger, processWebhook }: ActingDependencies,
): Promise<Reply> {
  const [, provider, eventId] = EVENT.exec(params.event ?? '') ?? [];
  // Postgres keeps no NUL.
  if (provider === undefined || eventId === undefined || eventId.includes('\0')) throw noEvent();
  const event = await fromLedger(
    ledger.replayWebhook({
      provider: provider as NewWebhookEvent['provider'],
      eventId,
      by: principal.name,
      note: body.note,
    }),
  );
  if (!event) throw noEvent();
  processWebhook(event);
  return { status: 202, body: { id: event.key.id, status: 'waiting' } };
}

const noEvent = () => new HttpProblem('not_found', 'no such event was ever received');
