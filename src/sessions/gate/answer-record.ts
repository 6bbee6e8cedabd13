import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import type { WireHead } from './wire.js';

/** An answer as it left, so that it can be given once more. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string | readonly string[]])[];
  readonly body: Buffer;
}

/** What is said of one connection or one framing, and not of the answer (RFC 9110 §7.6.1). */
const OF_THE_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
]);

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Takes down one answer on its way, as far as it may be kept. */
export class AnswerRecord {
  #maxBytes: number;
  readonly #before: Headers;
  #head: Omit<KeptAnswer, 'body'> | undefined;
  #body: Buffer[] = [];
  #bytes = 0;
  #written = false;

  /** @param before what the layers before have said: of this request (CORS, its id), and not of the answer */
  constructor(maxBytes: number, before: Headers) {
    this.#maxBytes = maxBytes;
    this.#before = before;
  }

  onHead(head: WireHead): void {
    const headers = head
      .entries()
      .filter(([name]) => !OF_THE_CONNECTION.has(name.toLowerCase()))
      .filter(([name, value]) => String(this.#before[name.toLowerCase()]) !== String(value));
    this.#head = { status: head.status, headers };
  }

  onBody(bytes: string | Uint8Array, encoding: BufferEncoding): void {
    // Copied, because whoever wrote it may use the memory again.
    const copy = typeof bytes === 'string' ? Buffer.from(bytes, encoding) : Buffer.from(bytes);
    const fits = this.hasRoom(copy.length);
    this.#bytes += copy.length;
    if (fits) this.#body.push(copy);
    else this.#body = [];
  }

  onWritten(): void {
    this.#written = true;
  }

  /** It is not kept, whatever of it is still to come. */
  giveUp(): true {
    this.#maxBytes = -1;
    return true;
  }

  hasRoom(bytes: number): boolean {
    return this.#bytes + bytes <= this.#maxBytes;
  }

  /** All of it was taken down, or it is larger than what may be kept. */
  isOver(): boolean {
    return this.#written || !this.hasRoom(0);
  }

  /**
   * @param unframed the body, without what its transfer has put around it
   * @returns as it is stored; undefined: it is not whole, or may not be kept
   */
  stored(unframed: (body: Buffer) => Buffer): string | undefined {
    if (!this.#written || !this.hasRoom(0) || this.#head === undefined) return undefined;
    return JSON.stringify({ ...this.#head, body: unframed(Buffer.concat(this.#body)).toString('base64') });
  }
}

/** The opposite of {@link AnswerRecord.stored}. */
export function keptAnswer(stored: string): KeptAnswer {
  const { body, ...head } = JSON.parse(stored) as Omit<KeptAnswer, 'body'> & { readonly body: string };
  return { ...head, body: Buffer.from(body, 'base64') };
}

/** Codings that layers between a handler and the wire put around bodies (RFC 9110 §8.4.1). */
const DECODERS: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
};

/** It left in a coding that its client read; whoever has it again may read another one. */
export function readableBy(answer: KeptAnswer, accepted: string | string[] | undefined): KeptAnswer {
  const coded = answer.headers.find(([name]) => name.toLowerCase() === 'content-encoding');
  const coding = String(coded?.[1] ?? '').toLowerCase();
  const decode = DECODERS[coding];
  if (decode === undefined || accepts(String(accepted ?? ''), coding)) return answer;
  return { ...answer, headers: answer.headers.filter((header) => header !== coded), body: decode(answer.body) };
}

const accepts = (accepted: string, coding: string): boolean =>
  accepted
    .toLowerCase()
    .split(',')
    .map((one) => one.split(';').map((part) => part.trim()))
    .some(([name, quality]) => (name === coding || name === '*') && !/^q=0(\.0*)?$/.test(quality ?? ''));
