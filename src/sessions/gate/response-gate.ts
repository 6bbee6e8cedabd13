import type { ServerResponse } from 'node:http';
import type { ReleaseCause } from '../session-ledger.js';
import { ClosedCharge } from './closed-charge.js';
import type { GateOptions } from './gate-options.js';
import { holdWire } from './hold-wire.js';
import type { CloseResult, LiveSession } from './live-session.js';
import { completeHead, lengthOf, releasedBy } from './paid-head.js';
import { settledNow, tooLarge } from './settle-first.js';
import type { Wire, WireEvents, WireHead, WriteVerdict } from './wire.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Lets the bytes of one paid response out as their charge becomes durable: a buffered response waits whole for its close; what
 * is sold whole is closed before its first byte; a metered stream runs ahead of the ledger by at most `runAhead`.
 */
export class ResponseGate implements WireEvents {
  readonly #options: GateOptions;
  readonly #session: LiveSession;
  readonly #res: ServerResponse;
  readonly #wire: Wire;
  #phase: 'serving' | 'closing' | 'closed' | 'replaced' = 'serving';
  #headDecided: boolean;
  /** The handler's call to end its response is under way, or done. */
  #ending = false;
  #ended = false;
  /** What was charged when the newest bytes of the body were written, and when the newest that were let go were. */
  #writtenFor = 0n;
  /** Bytes of the body that were written, and how many there will be where the head says so. */
  #written = 0;
  #length: number | undefined;
  #letGo = 0n;
  /** The answer is an error of the handler's own. */
  #broken = false;
  #gone = false;
  /** It was we who ended it. */
  #cut = false;
  #finished = false;
  readonly #charge: ClosedCharge;
  #commitDue = false;
  #interval: NodeJS.Timeout | undefined;
  readonly #deadline: NodeJS.Timeout;
  readonly takesDown: boolean;

  constructor(res: ServerResponse, options: GateOptions) {
    this.#options = options;
    this.takesDown = options.record !== undefined;
    this.#session = options.session;
    this.#charge = new ClosedCharge(options);
    this.#res = res;
    this.#headDecided = res.headersSent;
    this.#wire = holdWire(res, this);
    // A late write of a handler whose response was cut off must not end the process.
    res.on('error', (error) => this.#warn('an error of a paid response', { err: error }));
    this.#deadline = setTimeout(() => this.#cutOff('deadline'), Math.min(options.deadlineMs, LONGEST_TIMER_MS));
    if (this.#wire.gone()) this.onGone();
  }

  /** The client has left, or was cut off. */
  gone(): boolean {
    return this.#gone;
  }

  /** The handler charged: a stream begins its checkpoint now, so that the next bytes need not wait for it. */
  onCharge(): void {
    if (this.#interval !== undefined) this.#commitWhenDue();
  }

  onHead(head: WireHead): void {
    this.#headDecided = true;
    const { status } = head;
    if (this.#phase === 'serving' && (status >= 400 || status === 304)) this.#session.fail(releasedBy(status));
    this.#broken = status >= 500;
    completeHead(head, this.#options, this.#finalCharge());
    this.#length = lengthOf(head);
    this.#options.record?.onHead(head);
    this.#onWhole();
  }

  admit(bytes: number, ofBody: number): WriteVerdict {
    this.#written += ofBody;
    const verdict = this.#judge(bytes, ofBody);
    if (ofBody > 0 && verdict !== 'drop') this.#writtenFor = this.#session.spent();
    if (verdict === 'pass') {
      // What waited goes before it.
      this.#letGo = this.#writtenFor;
      this.#charge.letGo(this.#served());
    }
    return verdict;
  }

  #judge(bytes: number, ofBody: number): WriteVerdict {
    if (this.#phase === 'replaced' || this.#gone) return 'drop';
    if (this.#phase === 'closed') return 'pass';
    const free = this.#session.released();
    const waits = this.#phase === 'closing' || this.#ending;
    if (free) return waits ? 'hold' : 'pass';
    if (this.#options.settle === 'before-release') return this.#take(bytes);
    // Nobody who writes the rest of what is taken down may wait for its close, which waits for the rest.
    if (waits) return this.#phase === 'serving' && this.#options.record?.hasRoom(ofBody) === true ? 'take' : 'hold';
    this.#streams();
    if (!this.#options.held.mayWrite()) {
      this.#cutOff('lease');
      return 'drop';
    }
    this.#commitWhenDue();
    return this.#session.uncommitted() > this.#runAhead() ? 'hold' : 'pass';
  }

  /** The last byte of a response that has told its length runs ahead of nothing: with it the client has all of it. */
  #runAhead(): bigint {
    return this.#length !== undefined && this.#written >= this.#length ? 0n : this.#options.runAhead;
  }

  onBody(bytes: string | Uint8Array, encoding: BufferEncoding): void {
    this.#options.record?.onBody(bytes, encoding);
    this.#onWhole();
  }

  onWritten(): void {
    this.#options.record?.onWritten();
    this.#onWhole();
  }

  onEnding(ending: boolean): void {
    this.#ending = ending;
  }

  onEnded(): void {
    this.#ending = true;
    this.#ended = true;
    const { settle, bufferBytes, record } = this.#options;
    const mustFit = settle === 'before-release' && this.#phase === 'serving' && !this.#session.released();
    if (mustFit && this.#wire.waitingBytes() > bufferBytes) return this.#tooLarge();
    this.#session.freeze();
    // The rest of it is asked for, where nothing of it has left yet.
    if (record?.isOver() === false && this.#phase === 'serving') {
      if (this.#wire.written()) record.onWritten();
      else this.#wire.takeWaiting();
    }
    this.#onWhole();
  }

  onFinished(): void {
    this.#finished = true;
    if (this.#phase === 'closed') this.#charge.arrived();
    else this.onWritten();
  }

  /** The client left, or we cut it off: what was charged for bytes that were let go is billed, and nothing else. */
  onGone(): void {
    clearTimeout(this.#deadline);
    clearInterval(this.#interval);
    if (this.#finished || this.#gone) return;
    this.#gone = true;
    if (this.#phase === 'serving') {
      this.#session.cutOff(this.#served(), this.#releaseCause());
      this.#closeOrDestroy('abort');
    } else if (this.#phase === 'closed') {
      this.#destroyIfFails(this.#charge.brokeOff(this.#served(), this.#releaseCause()));
    }
  }

  /** What was charged for bytes that are on their way to the client, for all that we can tell. */
  #served(): bigint {
    return this.#wire.inTurn() ? this.#letGo : 0n;
  }

  /** Work of which the payer wanted nothing any more is free work that he asked for; what we cut off is not. */
  #releaseCause(): ReleaseCause | undefined {
    return !this.#cut && this.#wire.clientLeft() ? 'client_left' : undefined;
  }

  /** Closes what has ended; what stands between the handler and the wire may decide the head later, and with it what it costs. */
  #onWhole(): void {
    const isTakenDown = this.#options.record?.isOver() !== false || this.#session.released();
    if (!this.#ended || !this.#headDecided || !isTakenDown) return;
    clearTimeout(this.#deadline);
    this.#closeOrDestroy('end');
  }

  #take(bytes: number): WriteVerdict {
    if (this.#wire.heldBytes() + bytes <= this.#options.bufferBytes) return 'take';
    // What a layer beneath the handler sends once it has ended can wait where it is, and its close waits for no more of it.
    if (this.#phase !== 'serving' || (this.#ended && this.#options.record?.giveUp() === true)) return 'hold';
    this.#tooLarge();
    return 'drop';
  }

  /** From the first byte on it is a stream: what is charged becomes durable while it goes on. */
  #streams(): void {
    if (this.#interval !== undefined || this.#options.runAhead === 0n) return;
    this.#interval = setInterval(() => this.#commit(), this.#options.checkpointIntervalMs);
  }

  #commitWhenDue(): void {
    const uncommitted = this.#session.uncommitted();
    if (uncommitted === 0n || uncommitted < this.#runAhead() || this.#commitDue) return;
    this.#commitDue = true;
    // A handler that writes and ends in one go is closed with one commit.
    queueMicrotask(() => {
      this.#commitDue = false;
      this.#commit();
    });
  }

  #commit(): void {
    if (this.#phase !== 'serving' || this.#ending) return;
    // Something beneath the handler ended its response.
    if (this.#wire.ended()) return this.onEnded();
    if (this.#session.uncommitted() === 0n) return;
    if (this.#options.runAhead === 0n && this.#session.spent() === this.#session.cap) this.#closeOrDestroy('end');
    else void this.#checkpointThenPump();
  }

  async #checkpointThenPump(): Promise<void> {
    try {
      const outcome = await this.#session.checkpoint();
      if (this.#phase !== 'serving') return;
      if (outcome === 'lost') this.#cutOff('lost');
      else if (this.admit(0, 0) === 'pass') this.#wire.release();
    } catch {
      this.#cutOff('unknown');
    }
  }

  /** undefined: it is still being charged. */
  #finalCharge(): bigint | undefined {
    const session = this.#session;
    const isAllOfIt = this.#options.runAhead === 0n && session.spent() === session.cap;
    return this.#ending || session.released() || isAllOfIt ? session.spent() : undefined;
  }

  #closeOrDestroy(by: 'end' | 'abort'): void {
    this.#destroyIfFails(this.#close(by));
  }

  #destroyIfFails(sending: Promise<void>): void {
    sending.catch((error: unknown) => {
      this.#options.log.error(
        { settlement: this.#session.id, err: error },
        'a paid response could not be sent after its close',
      );
      this.#wire.destroy();
    });
  }

  async #close(by: 'end' | 'abort'): Promise<void> {
    if (this.#phase !== 'serving') return;
    this.#phase = 'closing';
    const { outcome, spent } = await this.#commitClose(by === 'end' && this.#broken ? 'error' : by);
    // Told a moment later than it is so.
    if (this.#wire.gone()) this.onGone();
    if (this.#gone) {
      this.#phase = 'closed';
      this.#answerNotGiven();
      return by === 'end' ? this.#charge.brokeOff(this.#served(), this.#releaseCause()) : this.#charge.start();
    }
    if (spent > 0n && outcome !== 'committed') {
      this.#phase = 'closed';
      return this.#wire.destroy();
    }
    if (spent > 0n && this.#options.settle === 'before-release') return this.#settleThenRelease();
    this.#release(spent > 0n);
  }

  async #commitClose(by: 'end' | 'abort' | 'error'): Promise<CloseResult> {
    clearInterval(this.#interval);
    const answer = this.#options.record?.stored((body) => this.#wire.unframed(body));
    const closed = await this.#session.close(by, by === 'abort' ? 'aborted' : 'unknown', answer);
    this.#charge.closed(closed);
    return closed;
  }

  async #settleThenRelease(): Promise<void> {
    const outcome = await settledNow(this.#options);
    this.#charge.settledFirst(outcome !== 'unknown');
    if (outcome === 'settled' && (await this.#give())) return this.#release(true);
    this.#phase = 'replaced';
    this.#charge.start();
    this.#options.deliveries.note({ id: this.#session.id, delivery: 'aborted' });
    if (!this.#gone) this.#wire.replace(this.#options.answerInstead(outcome === 'refused' ? 'refused' : 'unknown'));
  }

  /** The right to the answer is used up in the last moment; what cannot leave any more stays due. */
  async #give(): Promise<boolean> {
    const canLeave = () => !this.#gone && !this.#wire.gone() && this.#options.held.mayWrite();
    if (!canLeave()) return false;
    try {
      const receipt = await this.#options.answer?.give();
      if (receipt === undefined) return false;
      for (const [name, value] of Object.entries(receipt)) this.#wire.addToHead(name, value);
      if (canLeave()) return true;
    } catch (error) {
      this.#warn('it is not known whether an answer was given: it is held back', { err: error });
    }
    this.#answerNotGiven();
    return false;
  }

  #answerNotGiven(): void {
    if (!this.#wire.wroteBody()) void this.#options.answer?.takeBack();
  }

  /** The last moment before the first protected byte: the lease is looked at again. */
  #release(isProtected: boolean): void {
    this.#phase = 'closed';
    if (isProtected && !this.#options.held.mayWrite()) {
      this.#answerNotGiven();
      return this.#cutOff('lease');
    }
    // Of an answer that has ended its head alone may be all that was paid for.
    this.#letGo = this.#ended ? this.#session.spent() : this.#writtenFor;
    this.#wire.release();
    this.#charge.letGo(this.#served());
    // Everything left before its close: its charge was durable before its last byte.
    if (this.#finished) this.#charge.arrived();
  }

  #tooLarge(): void {
    this.#destroyIfFails(this.#refuseTooLarge());
  }

  /** Nothing of it has left and nothing will, so that nothing is billed; the developer has to choose another way. */
  async #refuseTooLarge(): Promise<void> {
    this.#phase = 'replaced';
    clearTimeout(this.#deadline);
    const { bufferBytes, log } = this.#options;
    const error = tooLarge(bufferBytes);
    log.error({ settlement: this.#session.id, err: error }, 'a paid response was too large to be settled first');
    this.#session.release();
    await this.#commitClose('error');
    if (this.#gone) return;
    this.#wire.replace(this.#options.answerInstead('too_large'), error);
    this.#res.emit('error', error);
  }

  #cutOff(why: 'lease' | 'lost' | 'unknown' | 'deadline'): void {
    if (this.#gone || this.#finished) return;
    this.#warn('a paid response was cut off', { why });
    this.#cut = true;
    if (this.#phase === 'serving' || this.#phase === 'closed') this.onGone();
    this.#wire.destroy();
  }

  #warn(message: string, fields: object = {}): void {
    this.#options.log.warn({ settlement: this.#session.id, ...fields }, message);
  }
}
