import type { SettlementId } from '../../domain/ids.js';
import type { ReleaseCause } from '../session-ledger.js';
import type { SessionLog } from '../session-log.js';
import type { DeliveryRecorder } from './delivery-recorder.js';
import type { CloseResult, LiveSession } from './live-session.js';

export interface ClosedChargeOptions {
  readonly session: Pick<LiveSession, 'id' | 'spent' | 'takeBack'>;
  /** Starts the settlement; never awaited. */
  readonly dispatch: (id: SettlementId) => unknown;
  readonly deliveries: Pick<DeliveryRecorder, 'note'>;
  readonly log: SessionLog;
}

/**
 * What becomes of a charge after its close: its settlement is started when what it pays for was let go, and what was not is
 * taken back before.
 */
export class ClosedCharge {
  readonly #options: ClosedChargeOptions;
  #billed = false;
  /** Its settlement is not started yet. */
  #due = false;

  constructor(options: ClosedChargeOptions) {
    this.#options = options;
  }

  closed({ outcome, billed, spent }: CloseResult): void {
    this.#billed = billed && outcome === 'committed';
    this.#due = this.#billed;
    if (outcome === 'committed') return;
    const { log, session } = this.#options;
    log.error(
      { settlement: session.id, outcome, spent: spent.toString() },
      spent > 0n
        ? 'the close of a paid response is not in the ledger: the response was cut off, and the sweep closes the session at its last durable amount'
        : 'the release of a payment session is not in the ledger: the sweep releases it',
    );
  }

  /** Somebody settled it before its answer was let go. @param known its outcome needs nobody else */
  settledFirst(known: boolean): void {
    this.#due = !known;
  }

  arrived(): void {
    if (this.#billed) this.#note('delivered');
    this.start();
  }

  /** @param served what was charged for bytes that were let go so far */
  letGo(served: bigint): void {
    if (this.#due && served >= this.#options.session.spent()) this.start();
  }

  /** Nothing more will leave: what never did is not billed, unless a call may be under way for it. */
  async brokeOff(served: bigint, cause: ReleaseCause | undefined): Promise<void> {
    if (this.#billed) this.#billed = await this.#options.session.takeBack(served, cause);
    if (this.#billed) this.#note('aborted');
    this.#due &&= this.#billed;
    this.start();
  }

  start(): void {
    if (!this.#due) return;
    this.#due = false;
    const { dispatch, session } = this.#options;
    try {
      const started: unknown = dispatch(session.id);
      if (started instanceof Promise) started.catch((error: unknown) => this.#notStarted(error));
    } catch (error) {
      this.#notStarted(error);
    }
  }

  #note(delivery: 'delivered' | 'aborted'): void {
    this.#options.deliveries.note({ id: this.#options.session.id, delivery });
  }

  #notStarted(error: unknown): void {
    const { log, session } = this.#options;
    log.warn(
      { settlement: session.id, err: error },
      'the settlement could not be started now: the sweep will start it',
    );
  }
}
