/**
 * What becomes of bytes that want to leave: they leave; they wait, and slow their writer down; they wait and are taken
 * without slowing it down; or they go nowhere.
 */
export type WriteVerdict = 'pass' | 'hold' | 'take' | 'drop';

/** The head of a response in the last moment in which it can be changed, after everybody else has had their say. */
export interface WireHead {
  readonly status: number;
  names(): readonly string[];
  /** All of it; a field that is sent in several lines has several values. */
  entries(): readonly (readonly [name: string, value: string | readonly string[]])[];
  /** Several values are joined, as the field is read. */
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  remove(name: string): void;
}

export interface WireEvents {
  /** Called once, before any byte of the head could leave. */
  onHead(head: WireHead): void;
  /**
   * @param bytes that want to leave now, 0 for an end by itself
   * @param ofBody how many of them are not the head
   */
  admit(bytes: number, ofBody: number): WriteVerdict;
  /** Whether anybody wants to hear of what is written; else neither of the next two is called. */
  readonly takesDown: boolean;
  /** The bytes of the body, in order and as their transfer frames them, but what was dropped. */
  onBody(bytes: string | Uint8Array, encoding: BufferEncoding): void;
  /** The last byte was written, by whatever stands between the handler and the wire; comes a moment later than that. */
  onWritten(): void;
  /** The handler is ending the response; false: its end was refused, and the response goes on. */
  onEnding(ending: boolean): void;
  /** The handler has ended the response. */
  onEnded(): void;
  /** The whole response was handed to the operating system. */
  onFinished(): void;
  /** Connection or stream are gone; comes after `onFinished` too. */
  onGone(): void;
}

/** A whole answer, made without a response. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string;
}

/** The end of one response at which its bytes become public; nothing above it can tell that from a slow client. */
export interface Wire {
  heldBytes(): number;
  /** What is held, and what was written in the same go and was not asked about yet. */
  waitingBytes(): number;
  /** True once a byte of the body was let go. */
  wroteBody(): boolean;
  /** False while what is let go still waits for its turn on a connection that is busy with an earlier response. */
  inTurn(): boolean;
  /** It ended, and not because somebody here ended it: as far as can be told, its client left. */
  clientLeft(): boolean;
  /** Nothing that is let go now could arrive: connection or stream are gone, whether that was told or not. */
  gone(): boolean;
  /** Ended, by the handler or by whatever stands between it and the wire. */
  ended(): boolean;
  /** To the head of what is held; only while nothing has left. */
  addToHead(name: string, value: string): void;
  /** Its last byte is among what was handed to `onBody`. */
  written(): boolean;
  /** What waits holds up nobody who writes any more. */
  takeWaiting(): void;
  /** What was handed to `onBody`, without what its transfer has put around it. */
  unframed(body: Buffer): Buffer;
  /** Lets go what is held; what is written later is asked about again. */
  release(): void;
  /**
   * Forgets what is held and sends another answer in its place; only while nothing has left.
   * @param error for those who wait to hear of what they wrote
   */
  replace(answer: PlainAnswer, error?: Error): void;
  /** Cuts the response off, so that the client learns that it is not whole. */
  destroy(): void;
}
