import type { Brand } from './brand.js';

/** UUIDv7: sorts by creation time, so "newest first" is a scan of the primary key. */
export type SettlementId = Brand<string, 'SettlementId'>;
export type DecisionId = Brand<string, 'DecisionId'>;
export type OrderId = Brand<string, 'OrderId'>;
export type PaymentId = Brand<string, 'PaymentId'>;
/** Of one part of a payment that is captured by hand. */
export type CaptureId = Brand<string, 'CaptureId'>;
export type RefundId = Brand<string, 'RefundId'>;
export type DisputeId = Brand<string, 'DisputeId'>;
/** One time that funds of a dispute went out. */
export type WithdrawalId = Brand<string, 'WithdrawalId'>;
/** Of whatever sellers give back for. */
export type CauseId = RefundId | WithdrawalId;
/** A seller transfer. */
export type TransferId = Brand<string, 'TransferId'>;
/** UUIDv8 derived from refund and transfer (reversal-id.ts): the same refund can never reverse one transfer twice. */
export type ReversalId = Brand<string, 'ReversalId'>;
export type BackfillId = Brand<string, 'BackfillId'>;
/** Of one comparison of the ledger with its providers, and of what it found. */
export type ReconciliationId = Brand<string, 'ReconciliationId'>;
export type DriftId = Brand<string, 'DriftId'>;
export type LeaseId = Brand<string, 'LeaseId'>;
/** Of a message about money that needs a person. */
export type NoticeMessageId = Brand<string, 'NoticeMessageId'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const newSettlementId = (nowMs: number): SettlementId => uuidV7(nowMs) as SettlementId;
export const newDecisionId = (nowMs: number): DecisionId => uuidV7(nowMs) as DecisionId;
export const newLeaseId = (nowMs: number): LeaseId => uuidV7(nowMs) as LeaseId;
export const newOrderId = (nowMs: number): OrderId => uuidV7(nowMs) as OrderId;
export const newPaymentId = (nowMs: number): PaymentId => uuidV7(nowMs) as PaymentId;
export const newCaptureId = (nowMs: number): CaptureId => uuidV7(nowMs) as CaptureId;
export const newRefundId = (nowMs: number): RefundId => uuidV7(nowMs) as RefundId;
export const newDisputeId = (nowMs: number): DisputeId => uuidV7(nowMs) as DisputeId;
export const newTransferId = (nowMs: number): TransferId => uuidV7(nowMs) as TransferId;
export const newNoticeMessageId = (nowMs: number): NoticeMessageId => uuidV7(nowMs) as NoticeMessageId;
export const newBackfillId = (nowMs: number): BackfillId => uuidV7(nowMs) as BackfillId;
export const newReconciliationId = (nowMs: number): ReconciliationId => uuidV7(nowMs) as ReconciliationId;
export const newDriftId = (nowMs: number): DriftId => uuidV7(nowMs) as DriftId;

/** Lower-case canonical UUIDs only: anything else is answered with 404, like an id that does not exist. */
export const parseSettlementId = (text: string): SettlementId | undefined => parse(text) as SettlementId | undefined;
export const parseDecisionId = (text: string): DecisionId | undefined => parse(text) as DecisionId | undefined;
export const parseOrderId = (text: string): OrderId | undefined => parse(text) as OrderId | undefined;
export const parsePaymentId = (text: string): PaymentId | undefined => parse(text) as PaymentId | undefined;
export const parseRefundId = (text: string): RefundId | undefined => parse(text) as RefundId | undefined;
export const parseDisputeId = (text: string): DisputeId | undefined => parse(text) as DisputeId | undefined;
export const parseTransferId = (text: string): TransferId | undefined => parse(text) as TransferId | undefined;
export const parseBackfillId = (text: string): BackfillId | undefined => parse(text) as BackfillId | undefined;
export const parseDriftId = (text: string): DriftId | undefined => parse(text) as DriftId | undefined;
export const parseReconciliationId = (text: string): ReconciliationId | undefined =>
  parse(text) as ReconciliationId | undefined;
export const parseReversalId = (text: string): ReversalId | undefined => parse(text) as ReversalId | undefined;

const parse = (text: string): string | undefined => (UUID.test(text) ? text : undefined);

/** The least UUIDv7 of this millisecond, or the least of all for what no id can be as old as. */
export function firstIdAt(ms: number): string {
  const hex = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** RFC 9562 §5.7: 48 bits of Unix milliseconds, then random bits. */
function uuidV7(nowMs: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setBigUint64(0, (BigInt(nowMs) << 16n) | BigInt(((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0)));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
