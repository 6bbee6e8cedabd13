import { newSettlementId } from '../../domain/ids.js';
import type { JsonValue } from '../../domain/json.js';
import type { AtomicAmount } from '../../domain/money.js';
import type { NewSettlement } from '../../ledger/settlements/settlement-types.js';
import { type DecodedCredential, isUndecodable, type SettlementContext } from '../../protocols/credential.js';
import { decodeCredential, managesOnly } from '../../protocols/decode-credential.js';
import { payerOf } from '../../protocols/payer.js';
import { settleBody } from '../../protocols/settle-body.js';
import { canonicalJson, sha256 } from '../../protocols/wire-json.js';
import { HttpProblem } from '../problem.js';
import type { NewSettlementRequest } from './settlement-schemas.js';

export interface AcceptOptions {
  readonly nowMs: number;
  /** The account of this installation, for requests that name none. */
  readonly destinationAccountId: string | undefined;
}

/**
 * Turns a request into what the ledger stores: the same rules as a paid session. An expired credential is taken too, one
 * last attempt is made with it; an undecodable one is kept for a person.
 * @throws HttpProblem for a credential that pays nothing, and for an amount that this one cannot be charged
 */
export function acceptSettlement(request: NewSettlementRequest, options: AcceptOptions): NewSettlement {
  const { protocol, spent } = request;
  const raw = typeof request.credential === 'string' ? request.credential : JSON.stringify(request.credential);
  if (managesOnly(protocol, raw)) throw noPayment();
  const context: SettlementContext = {
    ...request.context,
    destinationAccountId: request.context.destinationAccountId ?? options.destinationAccountId,
  };
  const decoded = decodeCredential(protocol, raw, context, spent.decimals);
  refuseZero(request, isUndecodable(decoded) ? undefined : decoded);

  const facts = isUndecodable(decoded)
    ? {
        ...UNKNOWN_FACTS,
        identity: `undecodable:${sha256(raw)}`,
        spent: spent.amount,
        undecodable: decoded.undecodable,
      }
    : decodedFacts(decoded, context, request);
  return {
    ...facts,
    id: newSettlementId(options.nowMs),
    key: request.key ?? request.context.paymentRequestId ?? facts.identity,
    contentSha256: contentOf(request),
    protocol,
    asset: spent.asset,
    decimals: spent.decimals,
    context: { ...context },
    credential: raw,
  };
}

const UNKNOWN_FACTS = { payer: null, voucher: null, lookup: {}, expiresAtMs: null, cap: null, body: null };

function decodedFacts(decoded: DecodedCredential, context: SettlementContext, { spent }: NewSettlementRequest) {
  const { identity, voucher, lookup, expiresAtMs, cap } = decoded;
  if (cap !== null && BigInt(spent.amount) > BigInt(cap)) {
    throw new HttpProblem(
      'spent_over_cap',
      `${spent.amount} was spent, and the credential allows ${cap}: nothing was stored and no money moves`,
    );
  }
  // All or nothing: what cannot be metered moves whole, so the ledger books it whole.
  const charged: AtomicAmount = !decoded.metered && cap !== null ? cap : spent.amount;
  const body = settleBody({ credential: decoded, context, spent: charged, decimals: spent.decimals });
  // The service has authenticated whom it names; what the credential states nobody has confirmed.
  const payer = payerOf(decoded, context.sourceAccountId ?? null).name;
  return { identity, payer, voucher, lookup, expiresAtMs, cap, spent: charged, body, undecodable: null };
}

/** Sent as a charge, a close would end a channel whose vouchers are still to be collected, and a top-up would be billed. */
const noPayment = () =>
  new HttpProblem(
    'invalid_request',
    'this MPP credential manages its channel and pays for nothing: nothing was stored and no money moves. Post the credential of ' +
      'the open or voucher that what you served was paid with; a top-up or a close goes to a paid route, or to the auth server',
    {
      errors: [
        { pointer: '/credential', message: 'has to pay: the action of an MPP session may be "open" or "voucher"' },
      ],
    },
  );

/** Nothing spent, nothing to collect; only an MPP session is closed at the auth server all the same. */
function refuseZero({ protocol, spent }: NewSettlementRequest, decoded: DecodedCredential | undefined): void {
  const mayBeSession = protocol === 'mpp' && (decoded === undefined || decoded.closesAtZero);
  if (BigInt(spent.amount) > 0n || mayBeSession) return;
  throw new HttpProblem('invalid_request', 'nothing was spent, so there is nothing to settle: nothing was stored', {
    errors: [{ pointer: '/spent/amount', message: 'may be "0" only for the credential of an MPP session' }],
  });
}

/** Tells "the same request again" from another one; members in any order, leading zeros or not. */
function contentOf({ protocol, credential, context, spent }: NewSettlementRequest): string {
  const content: JsonValue = { protocol, credential, context, spent };
  return sha256(canonicalJson(content));
}
