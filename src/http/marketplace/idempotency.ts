import { assertNever } from '../../domain/assert-never.js';
import type { JsonObject } from '../../domain/json.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { RequestKey } from '../../ledger/marketplace/marketplace-types.js';
import { canonicalJson, sha256 } from '../../protocols/wire-json.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem, retryAfter } from '../problem.js';
import type { Call } from '../route.js';

const CALLS: Readonly<Record<RequestKey['operation'], string>> = {
  orders: 'POST /api/v1/orders',
  payments: 'POST /api/v1/payments',
  refunds: 'POST /api/v1/refunds',
  captures: 'POST /api/v1/payments/{id}/capture',
};

/** Printable ASCII that is more than spaces. */
const USABLE_KEY = /^(?=.*[\x21-\x7e])[\x20-\x7e]{1,255}$/;

/**
 * The Idempotency-Key of a request, with what it stands for. Without one a double click could not be told from a second
 * order, or a repeated request from a second refund of the same amount.
 * @param content what was asked for, after validation: spaces, order of members and case of a currency do not matter
 * @throws HttpProblem 400, before anything is done
 */
export function requestKeyOf(
  { headers, principal }: Pick<Call<unknown, unknown>, 'headers' | 'principal'>,
  operation: RequestKey['operation'],
  content: JsonObject,
): RequestKey {
  const given = headers['idempotency-key'] ?? [];
  const [key] = given;
  if (key === undefined || given.length > 1 || !USABLE_KEY.test(key)) {
    throw new HttpProblem(
      'idempotency_key_required',
      `${CALLS[operation]} needs the header Idempotency-Key, so that the same request sent again is never done twice: nothing was done. Send a key of your own for each ${operation.slice(0, -1)}, and the same one whenever you send it again`,
      { errors: [{ pointer: '/Idempotency-Key', message: wrongWith(given) }] },
    );
  }
  return { principal: principal.name, operation, key, bodySha256: sha256(canonicalJson(content)) };
}

function wrongWith(given: readonly string[]): string {
  if (given.length === 0) return 'is missing';
  if (given.length > 1) return 'was sent more than once';
  return given[0]?.trim() === '' ? 'is empty' : 'has to be 1 to 255 printable ASCII characters';
}

/** How a request was answered, as it is kept for whoever sends it again. */
export interface Kept {
  readonly status: number;
  readonly answer: JsonObject;
}

type KeyedLedger = Pick<Ledger, 'beginRequest' | 'finishRequest' | 'releaseRequest'>;

/** The request that has the key is given up after a minute at the latest. */
const IN_FLIGHT_RETRY_SECONDS = 2;

/**
 * Does the work of a request once for its key. Only a success is kept: a refusal is decided anew from what is true then,
 * and an unknown outcome leaves the key free, so that the same request goes on where this one stopped.
 * @param work is given the id of what an earlier request with this key made, or null
 */
export async function once(
  ledger: KeyedLedger,
  request: RequestKey,
  work: (itemId: string | null) => Promise<Kept>,
): Promise<Kept> {
  const begun = await fromLedger(ledger.beginRequest(request));
  switch (begun.kind) {
    case 'answered':
      return begun;
    case 'in_flight':
      throw new HttpProblem(
        'request_in_flight',
        'a request with this Idempotency-Key is being worked on: send it again a little later for its answer',
        { headers: retryAfter(IN_FLIGHT_RETRY_SECONDS) },
      );
    case 'other_body':
      throw new HttpProblem(
        'idempotency_key_reused',
        'this Idempotency-Key came first with another body, and stands for that: nothing was done. A request that says something else needs a key of its own',
      );
    case 'begun':
      return await begunWork(ledger, request, () => work(begun.itemId));
    default:
      return assertNever(begun);
  }
}

async function begunWork(ledger: KeyedLedger, request: RequestKey, work: () => Promise<Kept>): Promise<Kept> {
  try {
    const kept = await work();
    await fromLedger(ledger.finishRequest(request, kept));
    return kept;
  } catch (error) {
    // A key that cannot be given back now gets free by itself: it is held for a minute only.
    await ledger.releaseRequest(request).catch(() => undefined);
    throw error;
  }
}
