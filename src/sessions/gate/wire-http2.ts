// Held back is a stream of HTTP/2, by the methods that its class implements for Node's own streams; the types of a
// response of HTTP/1, which Express' handlers see, do not tell that there is one.
/* oxlint-disable typescript/no-unsafe-type-assertion, typescript/unbound-method, eslint/no-underscore-dangle */
import type { ServerResponse } from 'node:http';
import {
  constants,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
  type ServerStreamResponseOptions,
} from 'node:http2';
import { sayInstead } from './say-instead.js';
import { watchEnd } from './watch-end.js';
import type { PlainAnswer, Wire, WireEvents, WireHead } from './wire.js';
import { byteLength, textEncoding } from './wire-bytes.js';

type Done = (error?: Error | null) => void;
type Encoding = BufferEncoding | 'buffer';
type Options = ServerStreamResponseOptions | undefined;
type Chunks = { chunk: string | Uint8Array; encoding: Encoding }[];

/** The methods of a stream that Node's streams call; they are public for those who implement streams. */
interface Inner {
  respond: (headers?: OutgoingHttpHeaders, options?: ServerStreamResponseOptions) => void;
  _write: (chunk: string | Uint8Array, encoding: Encoding, done: Done) => void;
  _writev: (chunks: Chunks, done: Done) => void;
  _final: (done: Done) => void;
}

export const isHttp2 = (res: ServerResponse): boolean =>
  typeof (res as ServerResponse & { stream?: Partial<ServerHttp2Stream> }).stream?.respond === 'function';

/**
 * HTTP/2, by its compatibility API: the head and the first write wait in the stream, and the rest in front of them, as they
 * do for a client whose window is full.
 */
export class Http2Wire implements Wire {
  readonly #res: ServerResponse;
  readonly #stream: ServerHttp2Stream;
  readonly #events: WireEvents;
  readonly #inner: Inner;
  #head: [OutgoingHttpHeaders, Options] | undefined;
  #holding = false;
  #replaced = false;
  #wroteBody = false;
  #endedHere = false;
  /** The one write that a stream makes at a time, until it may go on. */
  #parked: { readonly chunks: Chunks; readonly pass: () => void; readonly done: Done } | undefined;
  /** Ends the write that goes nowhere. */
  #dropped: (() => void) | undefined;
  #taken: Buffer[] = [];
  #takenBytes = 0;
  #final: Done | undefined;
  /** Bytes that were taken are on their way: the stream beneath knows of one write at a time, and so do we. */
  #writing = false;

  constructor(res: ServerResponse, events: WireEvents) {
    const { stream } = res as ServerResponse & { stream: ServerHttp2Stream };
    const inner = stream as unknown as Inner;
    this.#res = res;
    this.#stream = stream;
    this.#events = events;
    this.#inner = { respond: inner.respond, _write: inner._write, _writev: inner._writev, _final: inner._final };
    inner.respond = (headers, options) => this.#onRespond(headers ?? {}, options);
    inner._write = (chunk, encoding, done) =>
      this.#onWrite([{ chunk, encoding }], done, () => this.#inner._write.call(stream, chunk, encoding, done));
    inner._writev = (chunks, done) => this.#onWrite(chunks, done, () => this.#inner._writev.call(stream, chunks, done));
    inner._final = (done) => this.#onFinal(done);
    // These send beside the response, where nothing could hold them.
    for (const name of ['respondWithFile', 'respondWithFD', 'pushStream'] as const)
      Reflect.set(stream, name, refuse(name));
    watchEnd(res, events);
    const destroy = stream.destroy.bind(stream);
    // A stream that its client has reset is closed before Node destroys it, and so is the session of one who hung up.
    stream.destroy = (error) => {
      const here = !stream.closed && stream.session?.destroyed === false;
      // Express gives a stream up when a handler fails that has answered already; its answer leaves all the same.
      if (here && error === undefined && this.#holding && stream.writableEnded) return stream;
      this.#endedHere ||= here;
      return destroy(error);
    };
    stream.once('finish', () => {
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR) events.onFinished();
    });
    stream.once('close', () => events.onGone());
  }

  heldBytes(): number {
    return this.#takenBytes;
  }

  waitingBytes(): number {
    const { writableBuffer } = this.#stream as unknown as { readonly writableBuffer: Chunks };
    return writableBuffer.reduce((sum, { chunk, encoding }) => sum + byteLength(chunk, encoding), this.#takenBytes);
  }

  wroteBody(): boolean {
    return this.#wroteBody;
  }

  inTurn(): boolean {
    return true;
  }

  clientLeft(): boolean {
    return !this.#endedHere;
  }

  gone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  ended(): boolean {
    return this.#stream.writableEnded;
  }

  addToHead(name: string, value: string): void {
    if (this.#head) this.#head[0][name.toLowerCase()] = value;
  }

  written(): boolean {
    return this.#final !== undefined;
  }

  takeWaiting(): void {
    const parked = this.#parked;
    if (parked === undefined || !this.#holding) return;
    this.#parked = undefined;
    this.#take(parked.chunks, parked.done);
  }

  unframed(body: Buffer): Buffer {
    return body;
  }

  release(): void {
    if (!this.#holding) return;
    this.#holding = false;
    if (this.gone()) return;
    if (this.#head) this.#respond(...this.#head);
    const taken = this.#taken.splice(0);
    this.#takenBytes = 0;
    if (taken.length > 0 || this.#parked) this.#wroteBody = true;
    if (taken.length > 0) this.#write(Buffer.concat(taken));
    else this.#goOn();
  }

  replace(answer: PlainAnswer): void {
    this.#replaced = true;
    this.#holding = false;
    this.#taken = [];
    this.#takenBytes = 0;
    Reflect.deleteProperty(this.#stream, 'headersSent');
    sayInstead(this.#res, answer);
    this.#respond({ ...this.#res.getHeaders(), ':status': answer.status });
    this.#write(Buffer.from(answer.body));
    this.#dropped?.();
    const parked = this.#parked;
    this.#parked = undefined;
    parked?.done();
    if (!this.#stream.writableEnded) this.#stream.end();
  }

  destroy(): void {
    // Without an error code a client takes what it got for the whole.
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  #onRespond(headers: OutgoingHttpHeaders, options?: ServerStreamResponseOptions): void {
    this.#events.onHead(new Http2Head(headers));
    if (this.#events.admit(0, 0) === 'pass') {
      this.release();
      return this.#respond(headers, options);
    }
    this.#holding = true;
    this.#head = [headers, options];
    // Whoever asks is above us: for them the head is decided.
    Object.defineProperty(this.#stream, 'headersSent', { configurable: true, value: true });
  }

  #respond(headers: OutgoingHttpHeaders, options?: ServerStreamResponseOptions): void {
    this.#head = undefined;
    Reflect.deleteProperty(this.#stream, 'headersSent');
    this.#inner.respond.call(this.#stream, headers, options);
  }

  #onWrite(chunks: Chunks, done: Done, pass: () => void): void {
    if (this.#replaced) return process.nextTick(done);
    if (!this.#stream.headersSent) this.#onRespond({});
    const bytes = chunks.reduce((sum, { chunk, encoding }) => sum + byteLength(chunk, encoding), 0);
    const verdict = this.#events.admit(bytes, bytes);
    if (verdict !== 'drop' && this.#events.takesDown)
      for (const { chunk, encoding } of chunks) this.#events.onBody(chunk, textEncoding(encoding));
    if (verdict === 'pass') {
      this.release();
      this.#wroteBody = true;
      if (!this.#writing) return pass();
      this.#parked = { chunks, pass, done };
      return;
    }
    this.#holding = true;
    if (verdict === 'hold') this.#parked = { chunks, pass, done };
    else if (verdict === 'drop') this.#dropped = done;
    else this.#take(chunks, done);
  }

  #take(chunks: Chunks, done: Done): void {
    // Copied, because whoever wrote it may use the memory again once it is taken.
    const taken = chunks.map(({ chunk, encoding }) => toBuffer(chunk, encoding));
    this.#taken.push(...taken);
    this.#takenBytes += taken.reduce((sum, { length }) => sum + length, 0);
    process.nextTick(done);
  }

  #onFinal(done: Done): void {
    this.#final = done;
    if (!this.#replaced && this.#events.takesDown) this.#events.onWritten();
    if (this.#replaced || this.#events.admit(0, 0) === 'pass') {
      this.release();
      this.#goOn();
    } else this.#holding = true;
  }

  #write(bytes: Buffer): void {
    this.#writing = true;
    this.#inner._write.call(this.#stream, bytes, 'buffer', () => {
      this.#writing = false;
      this.#goOn();
    });
  }

  /** What waits behind the bytes that were taken: the write that waited with them, or the end. */
  #goOn(): void {
    if (this.#holding || this.#writing || this.#stream.destroyed) return;
    const parked = this.#parked;
    this.#parked = undefined;
    if (parked) return parked.pass();
    const final = this.#final;
    if (final === undefined) return;
    this.#final = undefined;
    this.#inner._final.call(this.#stream, final);
  }
}

class Http2Head implements WireHead {
  readonly #headers: OutgoingHttpHeaders;

  constructor(headers: OutgoingHttpHeaders) {
    this.#headers = headers;
  }

  get status(): number {
    return Number(this.#headers[':status'] ?? 200);
  }

  names(): readonly string[] {
    return Object.keys(this.#headers).filter((name) => !name.startsWith(':'));
  }

  entries(): readonly (readonly [string, string | readonly string[]])[] {
    return Object.entries(this.#headers).flatMap(([name, value]) =>
      value === undefined || name.startsWith(':')
        ? []
        : [[name, Array.isArray(value) ? value : String(value)] as const],
    );
  }

  get(name: string): string | undefined {
    const value = this.#headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value?.toString();
  }

  set(name: string, value: string): void {
    this.#headers[name.toLowerCase()] = value;
  }

  remove(name: string): void {
    Reflect.deleteProperty(this.#headers, name);
  }
}

const toBuffer = (chunk: string | Uint8Array, encoding: Encoding): Buffer =>
  typeof chunk === 'string' ? Buffer.from(chunk, textEncoding(encoding)) : Buffer.from(chunk);

const refuse = (name: string) => () => {
  throw new Error(
    `a paid response cannot be sent by stream.${name}(), which no charge could hold back; write to the response`,
  );
};
