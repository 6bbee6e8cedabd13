import type { SettlementId } from '../../domain/ids.js';
import type { SettleNowOutcome } from '../../domain/settlements/settlement.js';
import type { SessionLog } from '../session-log.js';
import type { AnswerRecord } from './answer-record.js';
import type { DeliveryRecorder } from './delivery-recorder.js';
import type { HeldLease } from './lease-keeper.js';
import type { LiveSession } from './live-session.js';
import type { PlainAnswer } from './wire.js';
import type { WithheldAnswer } from './withheld-answer.js';

export interface GateOptions {
  readonly session: LiveSession;
  readonly held: Pick<HeldLease, 'mayWrite'>;
  /** `before-release`: no byte leaves before the auth server has settled. */
  readonly settle: 'after' | 'before-release';
  /** How far bytes may run ahead of the ledger, in atomic units; 0 where a response is sold whole. */
  readonly runAhead: bigint;
  readonly checkpointIntervalMs: number;
  /** The most bytes of a response that is settled first. */
  readonly bufferBytes: number;
  /** Time left for this response; then it is closed and cut off. */
  readonly deadlineMs: number;
  readonly settleNow: (id: SettlementId) => Promise<SettleNowOutcome>;
  /** Takes the answer down, to be kept with its charge; only what was written whole by then is. */
  readonly record?: AnswerRecord | undefined;
  /** Where the answer was held back until it is paid for. */
  readonly answer?: WithheldAnswer | undefined;
  /** Starts the settlement; never awaited. */
  readonly dispatch: (id: SettlementId) => unknown;
  readonly deliveries: Pick<DeliveryRecorder, 'note'>;
  /** What is answered in place of a response that may not leave. */
  readonly answerInstead: (why: 'refused' | 'unknown' | 'too_large') => PlainAnswer;
  readonly log: SessionLog;
  /** Headers that every answer of this session carries. */
  readonly headers: Readonly<Record<string, string>>;
  /** What a response that is paid for says of its payment; asked once, before its head leaves. */
  readonly receipt?: GateReceipt;
}

export interface GateReceipt {
  readonly header: string;
  /** @param charged final, or undefined while the response is still being charged for */
  value(charged: bigint | undefined): string;
}
