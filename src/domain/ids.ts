import type { Brand } from './brand.js';

/** UUIDv7: sorts by creation time, so "newest first" is a scan of the primary key. */
export type SettlementId = Brand<string, 'SettlementId'>;
export type DecisionId = Brand<string, 'DecisionId'>;
export type LeaseId = Brand<string, 'LeaseId'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const newSettlementId = (nowMs: number): SettlementId => uuidV7(nowMs) as SettlementId;
export const newDecisionId = (nowMs: number): DecisionId => uuidV7(nowMs) as DecisionId;
export const newLeaseId = (nowMs: number): LeaseId => uuidV7(nowMs) as LeaseId;

/** Lower-case canonical UUIDs only: anything else is answered with 404, like an id that does not exist. */
export function parseSettlementId(text: string): SettlementId | undefined {
  return UUID.test(text) ? (text as SettlementId) : undefined;
}

export function parseDecisionId(text: string): DecisionId | undefined {
  return UUID.test(text) ? (text as DecisionId) : undefined;
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
