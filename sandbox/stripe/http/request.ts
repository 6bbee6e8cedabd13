import type { Request } from 'express';
import type { FaultTarget } from '../faults.js';
import { newId } from '../state/records.js';
import type { Store } from '../state/store.js';
import { type EndpointName, type Route, routeOf } from './endpoints.js';
import { canonical, type FormPairs, readPairs } from './form.js';

/** A request to the API as it came. */
export interface ApiRequest {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly route: Route | undefined;
  readonly pairs: FormPairs;
  readonly json: boolean;
  readonly authorization: string | undefined;
  /** Null: no such header; only calls that write look at it. */
  readonly idempotencyKey: string | null;
  readonly stripeAccount: string | null;
  readonly stripeVersion: string | null;
}

/** express.raw leaves a Buffer, or nothing where there is no body. */
export function readRequest(req: Request): ApiRequest {
  const body = Buffer.isBuffer(req.body) ? req.body.toString('utf8') : '';
  const query = new URL(req.originalUrl, 'http://localhost').search.slice(1);
  return {
    id: `req_${newId('').slice(2, 16)}`,
    method: req.method,
    path: req.path,
    route: routeOf(req.method, req.path),
    pairs: [...readPairs(query), ...readPairs(body)],
    json: body !== '' && /json/i.test(req.get('content-type') ?? ''),
    authorization: req.get('authorization'),
    idempotencyKey: req.method === 'POST' ? (req.get('idempotency-key') ?? null) : null,
    stripeAccount: req.get('stripe-account') ?? null,
    stripeVersion: req.get('stripe-version') ?? null,
  };
}

export const formText = ({ pairs }: ApiRequest): string => canonical(pairs);

const OF_ONE_TRANSFER: readonly EndpointName[] = [
  'transfers.read',
  'transfers.update',
  'reversals.create',
  'reversals.read',
  'reversals.list',
];

const OF_ONE_ACCOUNT: readonly EndpointName[] = ['account', 'capabilities.read', 'capabilities.list'];

/** Which transfer and which seller a call is about, as far as can be said before it is carried out. */
export function faultTarget(store: Store, request: ApiRequest, route: Route, replays: boolean): FaultTarget {
  const transfer = OF_ONE_TRANSFER.includes(route.name) ? (route.ids[0] ?? null) : null;
  const destination = request.pairs.find(([name]) => name === 'destination')?.[1];
  const account = OF_ONE_ACCOUNT.includes(route.name) ? route.ids[0] : undefined;
  const seller =
    destination ??
    account ??
    (transfer === null ? undefined : store.transfer(transfer)?.destination) ??
    request.stripeAccount;
  return { endpoint: route.name, transfer, seller, replays };
}
