import type { Clock } from '../../domain/clock.js';
import { parseSettlementId, type SettlementId } from '../../domain/ids.js';
import type { Settlement } from '../../domain/settlements/settlement.js';
import { settlementAnswer } from '../../domain/settlements/settlement-answer.js';
import type { CreateOutcome, NewSettlement, SettlementFilter } from '../../ledger/settlements/settlement-types.js';
import type { Logger } from '../../observability/logger.js';
import { fromLedger } from '../from-ledger.js';
import { createSettlementOperation, getSettlementOperation, listSettlementsOperation } from '../operations.js';
import { HttpProblem, retryAfter } from '../problem.js';
import { type Call, type Reply, type Route, route } from '../route.js';
import { pageOf, wanted } from '../schema-parts.js';
import { acceptSettlement } from './accept-settlement.js';
import type { ListQuery, NewSettlementRequest } from './settlement-schemas.js';

/** What the routes need of the ledger. */
export interface SettlementLedger {
  createSettlement(settlement: NewSettlement): Promise<CreateOutcome>;
  findSettlement(id: SettlementId): Promise<Settlement | undefined>;
  listSettlements(filter: SettlementFilter): Promise<readonly Settlement[]>;
}

export interface SettlementRouteDependencies {
  readonly ledger: SettlementLedger;
  readonly orchestration: {
    /** Starts the workflow off the request path; never throws. */
    dispatch(id: SettlementId): void;
    /** Nudges the workflow after a decision; what it misses is found by the sweep. */
    wake(id: SettlementId): Promise<void>;
  };
  /** undefined: AUTH_SERVER_URL is not set, and no new settlement is taken. */
  readonly authServer: { readonly destinationAccountId: string | undefined } | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function settlementRoutes(dependencies: SettlementRouteDependencies): readonly Route[] {
  return [
    route(createSettlementOperation, (call) => create(call, dependencies)),
    route(listSettlementsOperation, (call) => list(call, dependencies)),
    route(getSettlementOperation, (call) => get(call, dependencies)),
  ];
}

const NOT_CONFIGURED_RETRY_SECONDS = 300;

async function create(
  { body }: Call<NewSettlementRequest, unknown>,
  { authServer, clock, ledger, orchestration }: SettlementRouteDependencies,
): Promise<Reply> {
  if (!authServer) {
    throw new HttpProblem(
      'not_configured',
      'settlements need AUTH_SERVER_URL: nothing was stored, keep the credential',
      {
        headers: retryAfter(NOT_CONFIGURED_RETRY_SECONDS),
      },
    );
  }
  const settlement = acceptSettlement(body, { nowMs: clock.nowMs(), ...authServer });
  const outcome = await fromLedger(ledger.createSettlement(settlement));
  if (outcome.kind === 'conflict') throw conflict(outcome.on);
  if (outcome.kind === 'voucher_spent') {
    throw new HttpProblem(
      'spent_over_cap',
      'the vouchers of this channel cover what it owes already, and not this charge as well: nothing was stored and no money moves; ask the payer for a higher voucher',
    );
  }
  if (outcome.kind === 'created') orchestration.dispatch(outcome.settlement.id);
  return { status: 202, body: settlementAnswer(outcome.settlement) };
}

function conflict(on: 'key' | 'identity'): HttpProblem {
  return on === 'key'
    ? new HttpProblem(
        'key_conflict',
        'this key stands for a request with other content, which goes on: nothing was stored',
      )
    : new HttpProblem(
        'credential_already_used',
        'this credential is being settled under another key, and is charged once: nothing was stored',
      );
}

async function list({ query }: Call<unknown, ListQuery>, { ledger }: SettlementRouteDependencies): Promise<Reply> {
  if (query.order_id !== undefined) return { status: 200, body: { items: [], next_cursor: null } };
  const limit = Number(query.limit);
  const found = await fromLedger(
    ledger.listSettlements({
      status: query.status,
      needsAttention: wanted(query.needs_attention),
      protocol: query.protocol,
      key: query.key,
      reason: query.reason,
      asset: query.asset,
      payer: query.payer,
      archived: wanted(query.archived),
      since: query.since,
      until: query.until,
      before: query.cursor as SettlementId | undefined,
      // One more than asked for tells whether there is a next page.
      limit: limit + 1,
    }),
  );
  return { status: 200, body: pageOf(found.map(settlementAnswer), limit) };
}

async function get({ params }: Call<unknown, unknown>, { ledger }: SettlementRouteDependencies): Promise<Reply> {
  const id = parseSettlementId(params.id ?? '');
  const settlement = id && (await fromLedger(ledger.findSettlement(id)));
  if (!settlement) throw noSettlement();
  return { status: 200, body: settlementAnswer(settlement) };
}

const noSettlement = () => new HttpProblem('not_found', 'there is no settlement with this id');
