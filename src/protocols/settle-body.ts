import { assertNever } from '../domain/assert-never.js';
import type { JsonObject, JsonValue } from '../domain/json.js';
import { type AtomicAmount, formatDecimal, parseAtomic, toAtomic } from '../domain/money.js';
import type { DecodedCredential, SettlementContext } from './credential.js';
import { arrayAt, canonicalJson, isObject, stringAt } from './wire-json.js';
import { requirementsFor } from './x402.js';

export interface VerifyBodyInput {
  readonly credential: DecodedCredential;
  readonly context: SettlementContext;
}

export interface SettleBodyInput extends VerifyBodyInput {
  /** What is charged, in atomic units; callers have compared it with the credential's cap. */
  readonly spent: AtomicAmount;
  /** Of the asset, for the one protocol (ATXP) whose wire amounts are decimal. */
  readonly decimals: number;
}

/**
 * The exact bytes of POST /settle/{protocol}: canonical JSON, so the same settlement is the same text wherever and
 * whenever it is built. Amounts are strings of digits, never numbers. Field by field as the ATXP SDK sends them:
 * ATXP puts the amount into every option, x402 overrides it for `upto` only, MPP for sessions only.
 */
export function settleBody({ credential, context, spent, decimals }: SettleBodyInput): string {
  switch (credential.scheme) {
    case 'atxp':
      return atxpBody(credential, context, formatDecimal(spent, decimals));
    case 'upto':
      return x402Body(credential, context, clampToOffer(spent, credential, context));
    case 'session':
      return mppBody(credential, context, spent);
    case 'exact':
      return x402Body(credential, context);
    case 'charge':
      return mppBody(credential, context);
    default:
      return assertNever(credential.scheme);
  }
}

/** The bytes of POST /verify/{protocol}: the settle body without any amount of ours. */
export function verifyBody({ credential, context }: VerifyBodyInput): string {
  switch (credential.protocol) {
    case 'atxp':
      return atxpBody(credential, context);
    case 'x402':
      return x402Body(credential, context);
    case 'mpp':
      return mppBody(credential, context);
    default:
      return assertNever(credential.protocol);
  }
}

function atxpBody(credential: DecodedCredential, context: SettlementContext, amount?: string): string {
  const options: readonly JsonValue[] = context.options ?? arrayAt(credential.content, 'options') ?? [];
  return body({
    sourceAccountId: stringAt(credential.content, 'sourceAccountId') ?? context.sourceAccountId,
    destinationAccountId: context.destinationAccountId,
    sourceAccountToken: stringAt(credential.content, 'sourceAccountToken'),
    options:
      amount === undefined ? options : options.map((option) => (isObject(option) ? { ...option, amount } : option)),
    paymentRequestId: context.paymentRequestId,
  });
}

function x402Body(credential: DecodedCredential, context: SettlementContext, amount?: AtomicAmount): string {
  return body({
    payload: credential.content,
    paymentRequirements: requirementsFor(credential.content, context),
    ...overrideAndContext(context, amount),
  });
}

function mppBody(credential: DecodedCredential, context: SettlementContext, amount?: AtomicAmount): string {
  return body({ credential: credential.content, ...overrideAndContext(context, amount) });
}

function overrideAndContext(context: SettlementContext, amount: AtomicAmount | undefined): JsonObject {
  return {
    settlementOverrides: amount === undefined ? undefined : { amount },
    paymentRequestId: context.paymentRequestId,
    sourceAccountId: context.sourceAccountId,
    destinationAccountId: context.destinationAccountId,
  };
}

/** A charge above what was offered or signed would be refused whole; the last line of defence, not the place to check. */
function clampToOffer(spent: AtomicAmount, credential: DecodedCredential, context: SettlementContext): AtomicAmount {
  const requirements = requirementsFor(credential.content, context);
  const offered = parseAtomic(stringAt(requirements, 'amount') ?? stringAt(requirements, 'maxAmountRequired') ?? '');
  const limits = [credential.cap, offered].filter((limit) => limit !== null && limit !== undefined).map(BigInt);
  return toAtomic(limits.reduce((least, limit) => (limit < least ? limit : least), BigInt(spent)));
}

/** Members that are not stated are left out, as JSON.stringify does. */
const body = (members: JsonObject): string => canonicalJson(members);
