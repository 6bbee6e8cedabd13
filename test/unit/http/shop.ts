import type { Resolution } from '../../../src/calls/decisions/decide.js';
import type { JsonObject } from '../../../src/domain/json.js';
import type {
  MarketplaceRouteDependencies,
  MarketplaceRouteLedger,
} from '../../../src/http/marketplace/marketplace-dependencies.js';
import type {
  MarketplaceFilter,
  MarketplaceItem,
  NewWebhookEvent,
  RequestKey,
} from '../../../src/ledger/marketplace/marketplace-types.js';
import { type Answered, type Sent, startApi, type TestApi, TOKENS } from '../../support/api.js';
import { marketplaceRoutes } from '../../support/marketplace/routes.js';
import { rememberingLedger } from './support.js';

interface Key {
  readonly bodySha256: string;
  held: boolean;
  itemId: string | null;
  kept: { readonly status: number; readonly answer: JsonObject } | null;
}

/** Keys as the real ledger keeps them; what they stand for is made by the functions below. */
function requestKeys() {
  const keys = new Map<string, Key>();
  const nameOf = ({ principal, operation, key }: RequestKey) => `${principal} ${operation} ${key}`;
  const of = (request: RequestKey): Key => {
    const known = keys.get(nameOf(request));
    if (!known) throw new Error('this request was not begun');
    return known;
  };
  const ledger: Pick<MarketplaceRouteLedger, 'beginRequest' | 'finishRequest' | 'releaseRequest'> = {
    async beginRequest(request) {
      const known = keys.get(nameOf(request));
      if (!known) {
        keys.set(nameOf(request), { bodySha256: request.bodySha256, held: true, itemId: null, kept: null });
        return { kind: 'begun', itemId: null };
      }
      if (known.bodySha256 !== request.bodySha256) return { kind: 'other_body' };
      if (known.kept) return { kind: 'answered', ...known.kept };
      if (known.held) return { kind: 'in_flight' };
      known.held = true;
      return { kind: 'begun', itemId: known.itemId };
    },
    async finishRequest(request, kept) {
      // As Postgres would: what is kept is JSON.
      Object.assign(of(request), { held: false, kept: JSON.parse(JSON.stringify(kept)) });
    },
    async releaseRequest(request) {
      of(request).held = false;
    },
  };
  return { ledger, of, kept: () => [...keys.values()].map(({ kept }) => kept) };
}

export interface Shop extends TestApi {
  readonly nudged: MarketplaceItem[];
  readonly processed: NewWebhookEvent[];
  readonly filters: MarketplaceFilter[];
  readonly kept: () => readonly (Key['kept'] | null)[];
  /** Ties a request's key to the item it made, as the ledger's own functions do. */
  readonly tie: (request: RequestKey, itemId: string) => void;
  post(path: string, json: unknown, sent?: Sent): Promise<Answered>;
  read(path: string): Promise<Answered>;
}

type Given = Partial<Omit<MarketplaceRouteDependencies, 'ledger'>> & {
  readonly ledger?: Partial<MarketplaceRouteLedger>;
  readonly resolution?: Partial<Resolution>;
};

export const HYPERSWITCH = {
  paymentIdFor: (key: string) => `pay of ${key}`,
  refundIdFor: (key: string) => `ref of ${key}`,
};

/** The API before a ledger of which only what is given is known. */
export async function openShop(given: (shop: Pick<Shop, 'tie'>) => Given = () => ({})): Promise<Shop> {
  const keys = requestKeys();
  const nudged: MarketplaceItem[] = [];
  const processed: NewWebhookEvent[] = [];
  const filters: MarketplaceFilter[] = [];
  const tie: Shop['tie'] = (request, itemId) => {
    const key = keys.of(request);
    key.itemId ??= itemId;
  };
  const { ledger, resolution, ...rest } = given({ tie });
  const noting =
    <T>(found: (filter: MarketplaceFilter) => Promise<readonly T[]>) =>
    (filter: MarketplaceFilter) => {
      filters.push(filter);
      return found(filter);
    };
  const none = () => Promise.resolve([]);
  const nowhere = () => Promise.resolve({ kind: 'not_found' } as const);
  const api = await startApi({
    ledger: rememberingLedger(),
    resolution: {
      decide: nowhere,
      approve: nowhere,
      look: () => Promise.reject(new Error('nobody is asked here')),
      ...resolution,
    },
    marketplace: marketplaceRoutes({
      hyperswitch: HYPERSWITCH,
      nudge: (item) => nudged.push(item),
      processWebhook: (event) => processed.push(event),
      ...rest,
      ledger: {
        ...keys.ledger,
        ...ledger,
        listOrders: noting(ledger?.listOrders ?? none),
        listTransfers: noting(ledger?.listTransfers ?? none),
        listReversals: noting(ledger?.listReversals ?? none),
      },
    }),
  });
  let counter = 0;
  return {
    ...api,
    nudged,
    processed,
    filters,
    tie,
    kept: keys.kept,
    post(path, json, sent = {}) {
      counter += 1;
      const headers = { 'Idempotency-Key': `key-${counter}`, ...sent.headers };
      return api.send(path, { token: TOKENS.service, json, ...sent, headers });
    },
    read: (path) => api.send(path, { token: TOKENS.viewer }),
  };
}

/** Its status and code, once it is the problem document that the contract promises. */
export function problemOf({ status, headers, body }: Answered): readonly [status: number, code: string] {
  if (!headers.get('content-type')?.startsWith('application/problem+json')) return [status, 'no problem'];
  return body.status === status && body.type === `urn:makegood:problem:${body.code}` && body.request_id !== undefined
    ? [status, body.code]
    : [status, `not a problem document: ${JSON.stringify(body)}`];
}
