// These are the methods by which Node itself sends a response; its types do not know them, and each process tries whether
// they still do (node-trial.ts).
/* oxlint-disable typescript/no-unsafe-type-assertion, typescript/unbound-method, eslint/no-underscore-dangle */
import { OutgoingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { askBeforeDestroy, destroyFreely, keepHeldConnections, notIdle } from './held-connections.js';
import { sayInstead } from './say-instead.js';
import { watchEnd } from './watch-end.js';
import type { PlainAnswer, Wire, WireEvents } from './wire.js';
import { byteLength, textEncoding, withoutChunks } from './wire-bytes.js';
import { RawHead, SetHead } from './wire-http1-head.js';

type Data = string | Uint8Array;
type Callback = ((error?: Error) => void) | null | undefined;
type WriteRaw = (data: Data, encoding?: BufferEncoding | null, callback?: Callback, size?: number) => boolean;

/** A response as Node's own code sees it (lib/_http_outgoing.js). */
interface NodeResponse {
  /** The head as it will be sent, once it is decided. */
  _header: string | null;
  /** What waits for a socket, as it does where requests are pipelined and an earlier response is not finished. */
  outputData: { data: Data; encoding?: BufferEncoding | null; callback?: Callback }[];
  outputSize: number;
  socket: Socket | null;
  destroyed: boolean;
  finished: boolean;
  shouldKeepAlive: boolean;
  maxRequestsOnConnectionReached: boolean;
  /** The connection ends with this response. */
  _last: boolean;
  _writeRaw: WriteRaw;
  _flush: () => void;
  _finish: () => void;
  _storeHeader: (firstLine: string, headers: unknown) => void;
  _onPendingData: (bytes: number) => void;
}

/**
 * HTTP/1: held bytes wait in the response as they do in Node where requests are pipelined and it is not this one's turn. So
 * `headersSent`, `writableLength`, `drain`, callbacks and events are Node's own, for the handler and for every middleware.
 */
export class Http1Wire implements Wire {
  readonly #res: ServerResponse;
  readonly #node: NodeResponse;
  readonly #events: WireEvents;
  readonly #writeRaw: WriteRaw;
  readonly #flush: () => void;
  #holding = false;
  /** What is held slows its writer down. */
  #slows = false;
  /** Node's own `outputSize` counts the characters of a text. */
  #heldBytes = 0;
  #replaced = false;
  #heldBody = false;
  #wroteBody = false;
  #first = true;
  #inTurn: boolean;
  /** Somebody above gave the connection up while an answer that had ended was held: it ends when that has left. */
  #endsConnection = false;

  constructor(res: ServerResponse, events: WireEvents) {
    const node = res as unknown as NodeResponse;
    const { _writeRaw, _flush, _storeHeader } = node;
    this.#res = res;
    this.#node = node;
    this.#events = events;
    this.#writeRaw = _writeRaw;
    this.#flush = _flush;
    this.#inTurn = res.socket !== null;
    node._storeHeader = (firstLine, headers) => {
      // A response on which no header was ever set keeps what writeHead was given as it was given.
      const raw = res.getHeaderNames().length === 0 ? new RawHead(res, headers) : undefined;
      events.onHead(raw ?? new SetHead(res));
      _storeHeader.call(node, firstLine, raw?.pairs ?? headers);
    };
    node._writeRaw = (data, encoding, callback) => this.#onRaw(data, encoding, callback);
    // Called when it becomes this response's turn on a pipelined connection.
    node._flush = () => {
      this.#inTurn = true;
      if (!this.#holding) _flush.call(node);
    };
    // Later versions of Node gather small writes, and ask after this whether their writer may go on.
    const room = () => Reflect.get(ServerResponse.prototype, 'writableHighWaterMark', res);
    Object.defineProperty(res, 'writableHighWaterMark', { configurable: true, get: () => (this.#slows ? 0 : room()) });
    watchEnd(res, events);
    keepHeldConnections(res.req);
    res.once('finish', () => events.onFinished());
    res.once('close', () => {
      this.#letGo();
      events.onGone();
    });
    // Until it is its turn, a pipelined response has no socket that could tell it of its end.
    if (res.socket === null) {
      const { socket } = res.req;
      const gone = () => events.onGone();
      socket.once('close', gone);
      res.once('finish', () => socket.off('close', gone));
    }
  }

  heldBytes(): number {
    return this.#heldBytes;
  }

  waitingBytes(): number {
    return this.#heldBytes;
  }

  wroteBody(): boolean {
    return this.#wroteBody;
  }

  inTurn(): boolean {
    return this.#inTurn;
  }

  clientLeft(): boolean {
    const { socket } = this.#res.req;
    return socket.readableEnded || socket.errored !== null;
  }

  gone(): boolean {
    return this.#res.destroyed || this.#res.req.socket.destroyed;
  }

  ended(): boolean {
    return this.#res.writableEnded;
  }

  addToHead(name: string, value: string): void {
    const { _header: head, outputData } = this.#node;
    const [first] = outputData;
    if (head === null || typeof first?.data !== 'string' || !first.data.startsWith(head)) return;
    const end = head.length - '\r\n'.length;
    first.data = `${head.slice(0, end)}${name}: ${value}${first.data.slice(end - '\r\n'.length)}`;
  }

  written(): boolean {
    return this.#node.finished;
  }

  takeWaiting(): void {
    this.#slows = false;
    this.#countsNot(this.#node.outputSize);
  }

  unframed(body: Buffer): Buffer {
    return this.#res.chunkedEncoding ? withoutChunks(body) : body;
  }

  release(): void {
    if (!this.#holding) return;
    this.#letGo();
    this.#wroteBody ||= this.#heldBody;
    const corked = this.#res.writableCorked;
    this.#flush.call(this.#node);
    // Flushing takes a response for one that had no socket to cork, and forgets that its handler corked it.
    for (let lost = corked - this.#res.writableCorked; lost > 0; lost -= 1) {
      this.#res.cork();
      this.#node.socket?.uncork();
      this.#node.socket?.uncork();
    }
    if (this.#endsConnection) this.#node.socket?.destroySoon();
  }

  replace(answer: PlainAnswer, error?: Error): void {
    const node = this.#node;
    const dropped = node.outputData;
    node.outputData = [];
    node._onPendingData(-node.outputSize);
    node.outputSize = 0;
    this.#letGo();
    this.#replaced = true;
    // What the handler said about its own answer's length is not said about this one.
    this.#res.strictContentLength = false;
    const { bytes, last, head } = rendered(this.#res, answer);
    node._last = last;
    // Node lets nobody set headers while there is a head.
    node._header = null;
    sayInstead(this.#res, answer);
    node._header = head;
    this.#writeRaw.call(node, bytes, null, () => {
      for (const { callback } of dropped) callback?.(error);
    });
    if (node.finished) {
      // A pipelined one is finished when it is its turn.
      if (node.socket) node._finish();
      return;
    }
    Reflect.apply(OutgoingMessage.prototype.end, this.#res, []);
    // So that a handler that goes on writing is told, and not taken for one with a defect that ends the process.
    node.destroyed = true;
  }

  destroy(): void {
    this.#letGo();
    this.#res.destroy();
  }

  #letGo(): void {
    this.#holding = false;
    this.#slows = false;
    this.#heldBytes = 0;
    notIdle.delete(this.#node);
    destroyFreely(this.#node.socket);
  }

  #hold(): void {
    const node = this.#node;
    this.#holding = true;
    notIdle.add(node);
    if (node.socket === null) return;
    askBeforeDestroy(node.socket, () => {
      this.#endsConnection = node.finished && !node.destroyed;
      return this.#endsConnection;
    });
  }

  #onRaw(data: Data, encoding: BufferEncoding | null | undefined, callback: Callback): boolean {
    const node = this.#node;
    const pass = (done = callback) => this.#writeRaw.call(node, data, encoding, done);
    // 100 Continue and Early Hints come before the head, and say nothing of what is sold.
    if (node._header === null) return pass();
    // What a handler still writes after its answer was replaced goes nowhere; the end of it is the end of that answer.
    if (this.#replaced) return this.#writeRaw.call(node, '', 'latin1', callback);
    const { bytes, ofBody, body } = this.#measure(data, encoding);
    const hasBody = ofBody > 0;
    const verdict = this.#events.admit(bytes, ofBody);
    if (verdict !== 'drop') this.#told(body, encoding);
    if (verdict === 'pass') {
      this.release();
      this.#wroteBody ||= hasBody;
      return pass();
    }
    if (!this.#holding) this.#hold();
    if (verdict === 'drop') {
      this.#waiting(() => this.#writeRaw.call(node, '', 'latin1', callback));
      return false;
    }
    this.#heldBody ||= hasBody;
    this.#heldBytes += bytes;
    // A writer that waits for `drain` charges no further ahead than it must.
    if (verdict === 'hold') {
      this.#slows = true;
      return this.#waiting(() => pass()) && false;
    }
    const before = node.outputSize;
    this.#waiting(() => pass(callback ? this.#taken(callback) : callback));
    this.#countsNot(node.outputSize - before);
    return true;
  }

  #told(body: Data, encoding: BufferEncoding | null | undefined): void {
    if (!this.#events.takesDown) return;
    if (body.length > 0) this.#events.onBody(body, textEncoding(encoding));
    // Node notes that it has ended when it has written the last of it.
    process.nextTick(() => {
      if (this.#node.finished) this.#events.onWritten();
    });
  }

  /** Bytes that were taken hold nobody up, also where Node only now hears that they were. */
  #countsNot(size: number): void {
    const node = this.#node;
    node.outputSize -= size;
    node._onPendingData(-size);
    process.nextTick(() => {
      if (this.#holding && this.#res.writableNeedDrain) this.#res.emit('drain');
    });
  }

  /** Who waits for a write to be done may go on; who waits for the end of the response waits for its release. */
  #taken(callback: (error?: Error) => void): (error?: Error) => void {
    let called = false;
    const once = (error?: Error) => {
      if (!called) callback(error);
      called = true;
    };
    process.nextTick(() => {
      if (!this.#node.finished) once();
    });
    return once;
  }

  /** Without a socket Node keeps what is written until there is one. */
  #waiting(write: () => boolean): boolean {
    const node = this.#node;
    const { socket } = node;
    node.socket = null;
    try {
      return write();
    } finally {
      node.socket = socket;
    }
  }

  /** Node puts the head before the first bytes in one text where it can, and else in front of whatever waits. */
  #measure(data: Data, encoding: BufferEncoding | null | undefined): { bytes: number; ofBody: number; body: Data } {
    const bytes = byteLength(data, encoding);
    const { _header: head } = this.#node;
    const first = this.#first;
    this.#first = false;
    if (!first || head === null) return { bytes, ofBody: bytes, body: data };
    if (typeof data !== 'string' || !data.startsWith(head))
      return { bytes: bytes + head.length, ofBody: bytes, body: data };
    return { bytes, ofBody: bytes - byteLength(head, encoding), body: data.slice(head.length) };
  }
}

/** Node writes the answer, on a response that has no socket. */
function rendered(res: ServerResponse, instead: PlainAnswer): { bytes: Buffer; last: boolean; head: string | null } {
  const answer = new ServerResponse(res.req);
  const { shouldKeepAlive, maxRequestsOnConnectionReached } = res as unknown as NodeResponse;
  Object.assign(answer, { shouldKeepAlive, maxRequestsOnConnectionReached });
  sayInstead(answer, instead);
  answer.end(instead.body);
  const { outputData, _last: last, _header: head } = answer as unknown as NodeResponse;
  const bytes = outputData.map(({ data, encoding }) =>
    typeof data === 'string' ? Buffer.from(data, encoding ?? 'latin1') : data,
  );
  return { bytes: Buffer.concat(bytes), last, head };
}
