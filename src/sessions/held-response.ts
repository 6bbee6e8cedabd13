// Node types its response methods by overloads that no wrapper can be written against without assertions, and taking the
// methods off the response is what this file is for.
/* oxlint-disable typescript/no-unsafe-type-assertion, typescript/unbound-method */
import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';

type Callback = (error?: Error | null) => void;
type Encoding = BufferEncoding | undefined;

/** Something the handler sent and the wire has not seen yet. */
type Held =
  | { readonly kind: 'head' }
  | {
      readonly kind: 'chunk';
      readonly chunk: string | Uint8Array;
      readonly encoding: Encoding;
      readonly done?: Callback;
    };

export interface HandlerEvents {
  /** The handler wrote, or flushed its headers, without ending: the response is a stream. */
  onWrite(): void;
  /** The handler ended the response; called once. */
  onEnd(): void;
}

/**
 * Stands between a handler and its response: the handler writes, ends, pipes and flushes as ever, and nothing reaches
 * the wire until it is let through. It knows nothing of money. Whatever is layered above (json, send, pipe, sendFile,
 * SSE helpers) ends in these four methods, and whatever was layered below before (compression) stays below.
 */
export class HeldResponse {
  readonly #res: ServerResponse;
  readonly #events: HandlerEvents;
  readonly #write: ServerResponse['write'];
  readonly #end: ServerResponse['end'];
  readonly #writeHead: ServerResponse['writeHead'];
  readonly #flushHeaders: ServerResponse['flushHeaders'];
  readonly #headersBefore: OutgoingHttpHeaders;
  #held: Held[] = [];
  #last: { chunk: string | Uint8Array | undefined; encoding: Encoding } = { chunk: undefined, encoding: undefined };
  #headDecided = false;
  #ended = false;
  #closed = false;
  #passing = false;
  #drainOwed = false;
  #wroteBody = false;

  constructor(res: ServerResponse, events: HandlerEvents) {
    this.#res = res;
    this.#events = events;
    this.#write = res.write;
    this.#end = res.end;
    this.#writeHead = res.writeHead;
    this.#flushHeaders = res.flushHeaders;
    this.#headersBefore = { ...res.getHeaders() };
    this.#install();
  }

  /** True once a byte of the body was handed to the socket. */
  get wroteBody(): boolean {
    return this.#wroteBody;
  }

  /** Adds a header that the handler knows nothing of, as long as the wire has not seen the head. */
  addHeader(name: string, value: () => string): void {
    if (!this.#closed && !this.#wireSawHead()) this.#res.setHeader(name, value());
  }

  /** Lets everything through that the handler wrote so far; the end of the response stays where it is. */
  flush(): void {
    if (this.#closed) return;
    const held = this.#held;
    this.#held = [];
    for (const item of held) this.#send(item);
    if (!this.#drainOwed) return;
    this.#drainOwed = false;
    // A socket that is full itself tells of its own drain later.
    if (!this.#ended && !this.#res.writableNeedDrain) process.nextTick(() => this.#res.emit('drain'));
  }

  /** Lets everything through, and the end. */
  finish(): void {
    if (this.#closed) return;
    this.flush();
    const { chunk, encoding } = this.#last;
    this.#closed = true;
    if (chunk !== undefined && chunk.length > 0) this.#wroteBody = true;
    this.#pass(() => this.#callEnd(chunk, encoding));
  }

  /** Forgets what the handler made and answers something else; only while the wire has seen nothing. */
  replace(answer: (res: ServerResponse) => void): void {
    if (this.#closed) return;
    if (this.#wireSawHead()) return this.destroy();
    this.#closed = true;
    this.#dropHeld();
    for (const name of this.#res.getHeaderNames()) this.#res.removeHeader(name);
    for (const [name, value] of Object.entries(this.#headersBefore)) {
      if (value !== undefined) this.#res.setHeader(name, value);
    }
    this.#pass(() => answer(this.#res));
  }

  /** Cuts the connection: the client learns that this response is not whole. */
  destroy(): void {
    this.#closed = true;
    this.#dropHeld();
    this.#res.destroy();
  }

  /** The connection is gone: what is still held has nowhere to go. */
  abandon(): void {
    this.#closed = true;
    this.#dropHeld();
  }

  #install(): void {
    const res = this.#res;
    res.write = ((chunk: unknown, encoding?: Encoding | Callback, done?: Callback) =>
      this.#passing
        ? this.#callWrite(chunk, encoding, done)
        : this.#onWrite(chunk, encoding, done)) as typeof res.write;
    res.end = ((chunk?: unknown, encoding?: Encoding | Callback, done?: Callback) =>
      this.#passing ? this.#callEnd(chunk, encoding, done) : this.#onEnd(chunk, encoding, done)) as typeof res.end;
    res.writeHead = ((...args: Parameters<typeof res.writeHead>) =>
      // A layer below that sends late (compression) writes the head itself once ours was let through.
      this.#passing || this.#closed
        ? this.#writeHead.apply(res, args)
        : this.#onWriteHead(args)) as typeof res.writeHead;
    res.flushHeaders = () => (this.#passing ? this.#flushHeaders.call(res) : this.#onFlushHeaders());
    // For the handler, and for error handlers after it, what was written is sent: they must not begin a second answer.
    Object.defineProperty(res, 'headersSent', {
      configurable: true,
      get: () => this.#headDecided || this.#wireSawHead(),
    });
    Object.defineProperty(res, 'writableEnded', { configurable: true, get: () => this.#ended || res.finished });
  }

  #onWrite(chunk: unknown, encoding?: Encoding | Callback, done?: Callback): boolean {
    const callback = typeof encoding === 'function' ? encoding : done;
    const bytes = checkedChunk(chunk);
    if (this.#ended || this.#closed) {
      if (callback) process.nextTick(callback, new Error('the response has ended: this write was ignored'));
      return false;
    }
    this.#headDecided = true;
    this.#held.push({
      kind: 'chunk',
      chunk: bytes,
      encoding: typeof encoding === 'string' ? encoding : undefined,
      ...(callback && { done: callback }),
    });
    this.#events.onWrite();
    if (this.#held.length > 0) this.#drainOwed = true;
    return this.#held.length === 0 && !this.#res.writableNeedDrain;
  }

  #onEnd(chunk?: unknown, encoding?: Encoding | Callback, done?: Callback): ServerResponse {
    const callback = [chunk, encoding, done].find((argument) => typeof argument === 'function') as Callback | undefined;
    if (this.#ended || this.#closed) {
      if (callback) process.nextTick(callback, new Error('the response has ended already: this end was ignored'));
      return this.#res;
    }
    if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') {
      this.#last = { chunk: checkedChunk(chunk), encoding: typeof encoding === 'string' ? encoding : undefined };
    }
    this.#ended = true;
    this.#headDecided = true;
    if (callback) this.#res.once('finish', callback);
    this.#events.onEnd();
    return this.#res;
  }

  /** Kept as a status and headers instead of a written head, so that the answer can still be replaced. */
  #onWriteHead(args: Parameters<ServerResponse['writeHead']>): ServerResponse {
    if (this.#headDecided) throw new Error('writeHead was called after the head of this response was decided');
    const [status, second, third] = args as unknown as [number, unknown, unknown];
    if (!Number.isInteger(status) || status < 100 || status > 999)
      throw new RangeError(`invalid status code: ${status}`);
    this.#res.statusCode = status;
    if (typeof second === 'string') this.#res.statusMessage = second;
    for (const [name, value] of headerPairs(typeof second === 'string' ? third : second))
      this.#res.setHeader(name, value);
    this.#headDecided = true;
    return this.#res;
  }

  #onFlushHeaders(): void {
    if (this.#ended || this.#closed) return;
    this.#headDecided = true;
    this.#held.push({ kind: 'head' });
    this.#events.onWrite();
  }

  #send(item: Held): void {
    if (item.kind === 'head') return this.#pass(() => this.#flushHeaders.call(this.#res));
    if (item.chunk.length > 0) this.#wroteBody = true;
    this.#pass(() => this.#callWrite(item.chunk, item.encoding, item.done));
  }

  #callWrite(chunk: unknown, encoding?: Encoding | Callback, done?: Callback): boolean {
    return Reflect.apply(
      this.#write,
      this.#res,
      [chunk, encoding, done].slice(0, done ? 3 : encoding ? 2 : 1),
    ) as boolean;
  }

  #callEnd(chunk?: unknown, encoding?: Encoding | Callback, done?: Callback): ServerResponse {
    return Reflect.apply(this.#end, this.#res, [chunk, encoding, done]) as ServerResponse;
  }

  /** Node calls write, end and writeHead through the object itself: while passing, they are the real ones. */
  #pass<T>(send: () => T): T {
    this.#passing = true;
    try {
      return send();
    } finally {
      this.#passing = false;
    }
  }

  #wireSawHead(): boolean {
    return (this.#res as ServerResponse & { ['_header']?: string | null })['_header'] != null;
  }

  #dropHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const item of held) {
      if (item.kind === 'chunk' && item.done) process.nextTick(item.done, new Error('the response was cut off'));
    }
  }
}

/** The same refusals that Node gives, at the call and not later, when nobody could catch them. */
function checkedChunk(chunk: unknown): string | Uint8Array {
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) return chunk;
  throw new TypeError(
    `a response chunk must be a string, Buffer or Uint8Array, not ${chunk === null ? 'null' : typeof chunk}`,
  );
}

type HeaderValue = number | string | readonly string[];

/** The three forms writeHead takes: an object, a flat list, or a list of pairs; repeated names become lists. */
function headerPairs(headers: unknown): Iterable<readonly [string, HeaderValue]> {
  if (headers === undefined || headers === null) return [];
  if (!Array.isArray(headers)) {
    return Object.entries(headers as Record<string, OutgoingHttpHeader | undefined>).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    );
  }
  const pairs = Array.isArray(headers[0])
    ? (headers as [string, string][])
    : Array.from({ length: headers.length / 2 }, (_, at) => [headers[2 * at], headers[2 * at + 1]] as [string, string]);
  const merged = new Map<string, HeaderValue>();
  for (const [name, value] of pairs) {
    const before = merged.get(name);
    merged.set(name, before === undefined ? value : [before, value].flat().map(String));
  }
  return merged;
}
