import type { ServerResponse } from 'node:http';
import type { SettlementId } from '../domain/ids.js';
import type { DeliveryRecorder } from './delivery-recorder.js';
import { HeldResponse } from './held-response.js';
import type { HeldLease } from './lease-keeper.js';
import type { LiveSession } from './live-session.js';

export type SettleNowOutcome = 'settled' | 'refused' | 'unknown';

export interface SessionLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface GateOptions {
  readonly session: LiveSession;
  readonly held: Pick<HeldLease, 'mayWrite'>;
  /** `before-release`: no byte leaves before the auth server has settled. */
  readonly settle: 'after' | 'before-release';
  /** How far a stream may run ahead of the ledger, in atomic units. */
  readonly checkpointAmount: bigint;
  readonly checkpointIntervalMs: number;
  /** Time left for this response; then it is closed and cut off. */
  readonly deadlineMs: number;
  readonly settleNow: (id: SettlementId) => Promise<SettleNowOutcome>;
  /** Starts the settlement; never awaited. */
  readonly dispatch: (id: SettlementId) => unknown;
  readonly deliveries: Pick<DeliveryRecorder, 'note'>;
  /** Answers in place of the response when a settle-first payment was not made. */
  readonly refuse: (res: ServerResponse, outcome: 'refused' | 'unknown') => void;
  readonly log: SessionLog;
  /** What a response that is paid for says of its payment; asked once, before its head leaves. */
  readonly receipt?: GateReceipt;
}

export interface GateReceipt {
  readonly header: string;
  /** @param charged final, or undefined while the response is still being charged for */
  value(charged: bigint | undefined): string;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Lets the bytes of one paid response out as their charge becomes durable (product.md I1 and S1, Charge and Close):
 * a buffered response waits whole for its close; a stream runs ahead of the ledger by at most `checkpointAmount`.
 */
export class ResponseGate {
  readonly #options: GateOptions;
  readonly #session: LiveSession;
  readonly #res: ServerResponse;
  readonly #wire: HeldResponse;
  #phase: 'serving' | 'closing' | 'closed' = 'serving';
  #streamed = false;
  #gone = false;
  #finished = false;
  #replaced = false;
  #billed = false;
  #interval: NodeJS.Timeout | undefined;
  readonly #deadline: NodeJS.Timeout;

  constructor(res: ServerResponse, options: GateOptions) {
    this.#res = res;
    this.#options = options;
    this.#session = options.session;
    this.#wire = new HeldResponse(res, { onWrite: () => this.#onWrite(), onEnd: () => this.#onEnd() });
    this.#deadline = setTimeout(() => this.#cutOff('deadline'), Math.min(options.deadlineMs, LONGEST_TIMER_MS));
    res.once('finish', () => this.#onFinish());
    res.once('close', () => this.#onGone());
    if (res.destroyed || res.closed) this.#onGone();
  }

  /** The handler charged: a stream begins its checkpoint now, so that the next bytes need not wait for it. */
  onCharge(): void {
    if (this.#streamed && this.#phase === 'serving') this.#checkpointWhenDue();
  }

  #onWrite(): void {
    if (!this.#streamed) {
      this.#streamed = true;
      // An error page that is streamed is still a handler that failed before its first byte.
      if (this.#res.statusCode >= 500) this.#session.release();
      if (this.#options.settle === 'after') {
        this.#interval = setInterval(() => this.#checkpoint(), this.#options.checkpointIntervalMs);
      }
    }
    this.#pump();
  }

  #onEnd(): void {
    const failed = this.#res.statusCode >= 500 && !this.#wire.wroteBody;
    if (failed) this.#session.release();
    this.#closeOrDestroy(failed ? 'error' : 'end');
  }

  #pump(): void {
    if (this.#phase !== 'serving' || this.#options.settle === 'before-release') return;
    if (!this.#session.released()) {
      if (!this.#options.held.mayWrite()) return this.#cutOff('lease');
      this.#checkpointWhenDue();
      if (this.#session.uncommitted() > this.#options.checkpointAmount) return;
    }
    if (!this.#session.released()) this.#receipt(undefined);
    this.#wire.flush();
  }

  #receipt(charged: bigint | undefined): void {
    const { receipt } = this.#options;
    if (!receipt || this.#res.headersSent || (this.#res.statusCode >= 400 && !charged)) return;
    this.#res.setHeader(receipt.header, receipt.value(charged));
  }

  #checkpointWhenDue(): void {
    if (this.#options.settle === 'after' && this.#session.uncommitted() >= this.#options.checkpointAmount) {
      this.#checkpoint();
    }
  }

  #checkpoint(): void {
    if (this.#phase === 'serving' && this.#session.uncommitted() > 0n) void this.#checkpointThenPump();
  }

  async #checkpointThenPump(): Promise<void> {
    try {
      const outcome = await this.#session.checkpoint();
      if (this.#phase !== 'serving') return;
      if (outcome === 'lost') this.#cutOff('lost');
      else this.#pump();
    } catch {
      this.#cutOff('unknown');
    }
  }

  #closeOrDestroy(by: 'end' | 'abort' | 'error'): void {
    this.#close(by).catch((error: unknown) => {
      this.#options.log.error(
        { settlement: this.#session.id, err: error },
        'a paid response could not be sent after its close',
      );
      this.#wire.destroy();
    });
  }

  async #close(by: 'end' | 'abort' | 'error'): Promise<void> {
    if (this.#phase !== 'serving') return;
    this.#phase = 'closing';
    clearInterval(this.#interval);
    clearTimeout(this.#deadline);
    const { outcome, billed, spent } = await this.#session.close(by, by === 'end' ? 'unknown' : 'aborted');
    this.#phase = 'closed';
    this.#billed = billed && outcome === 'committed' && by === 'end';
    if (outcome !== 'committed') {
      this.#options.log.error(
        { settlement: this.#session.id, outcome, spent: spent.toString() },
        spent > 0n
          ? 'the close of a paid response is not in the ledger: the response was cut off, and the sweep closes the session at its last durable amount'
          : 'the release of a payment session is not in the ledger: the sweep releases it',
      );
    }
    if (by === 'abort' || this.#gone) {
      this.#wire.abandon();
      if (this.#billed) this.#options.deliveries.note(this.#session.id, 'aborted');
    } else if (spent === 0n) {
      if (outcome === 'committed') this.#receipt(0n);
      this.#wire.finish();
    } else if (outcome !== 'committed') {
      this.#wire.destroy();
    } else if (this.#options.settle === 'before-release') {
      return this.#settleThenRelease();
    } else {
      this.#finish();
    }
    if (billed && outcome === 'committed') this.#dispatch();
  }

  async #settleThenRelease(): Promise<void> {
    let outcome: SettleNowOutcome;
    try {
      outcome = await this.#options.settleNow(this.#session.id);
    } catch (error) {
      this.#options.log.error(
        { settlement: this.#session.id, err: error },
        'settling before release failed: the charge is kept and retried',
      );
      outcome = 'unknown';
    }
    if (outcome === 'unknown') this.#dispatch();
    if (this.#gone) return;
    if (outcome === 'settled') return this.#finish();
    this.#replaced = true;
    this.#options.deliveries.note(this.#session.id, 'aborted');
    this.#wire.replace((res) => this.#options.refuse(res, outcome === 'refused' ? 'refused' : 'unknown'));
  }

  /** The last moment before the last protected byte: the lease is looked at again. */
  #finish(): void {
    if (this.#options.held.mayWrite()) {
      this.#receipt(this.#session.spent());
      return this.#wire.finish();
    }
    this.#options.log.warn(
      { settlement: this.#session.id },
      'the lease ran out before the response left: it was cut off, and stays billed',
    );
    this.#wire.destroy();
  }

  #cutOff(why: 'lease' | 'lost' | 'unknown' | 'deadline'): void {
    if (this.#phase !== 'serving') return;
    this.#options.log.warn({ settlement: this.#session.id, why }, 'a paid response was cut off');
    this.#onGone();
    this.#wire.destroy();
  }

  /** The client left, or we cut it off: what was charged for bytes that went out is billed, an unserved charge is not. */
  #onGone(): void {
    clearTimeout(this.#deadline);
    clearInterval(this.#interval);
    if (this.#finished || this.#gone) return;
    this.#gone = true;
    if (this.#phase === 'serving') {
      if (!this.#wire.wroteBody) this.#session.release();
      this.#closeOrDestroy('abort');
    } else if (this.#phase === 'closed' && this.#billed && !this.#replaced) {
      this.#options.deliveries.note(this.#session.id, 'aborted');
    }
  }

  #onFinish(): void {
    this.#finished = true;
    if (this.#billed && !this.#replaced) this.#options.deliveries.note(this.#session.id, 'delivered');
  }

  #dispatch(): void {
    try {
      const started: unknown = this.#options.dispatch(this.#session.id);
      if (started instanceof Promise) started.catch((error: unknown) => this.#notDispatched(error));
    } catch (error) {
      this.#notDispatched(error);
    }
  }

  #notDispatched(error: unknown): void {
    this.#options.log.warn(
      { settlement: this.#session.id, err: error },
      'the settlement could not be started now: the sweep will start it',
    );
  }
}
