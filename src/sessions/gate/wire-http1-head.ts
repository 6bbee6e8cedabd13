// The types of Node do not tell what writeHead was given once it has it.
/* oxlint-disable typescript/no-unsafe-type-assertion */
import type { ServerResponse } from 'node:http';
import type { WireHead } from './wire.js';

/** Of a response whose headers were set one by one. */
export class SetHead implements WireHead {
  readonly #res: ServerResponse;

  constructor(res: ServerResponse) {
    this.#res = res;
  }

  get status(): number {
    return this.#res.statusCode;
  }

  names(): readonly string[] {
    return this.#res.getHeaderNames();
  }

  entries(): readonly (readonly [string, string | readonly string[]])[] {
    return Object.entries(this.#res.getHeaders()).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, textOf(value)] as const],
    );
  }

  get(name: string): string | undefined {
    const value = this.#res.getHeader(name);
    return Array.isArray(value) ? value.join(', ') : value?.toString();
  }

  set(name: string, value: string): void {
    this.#res.setHeader(name, value);
  }

  remove(name: string): void {
    this.#res.removeHeader(name);
  }
}

type Pair = readonly [name: string, value: number | string | readonly string[]];

/** Of one on which none was ever set: as writeHead was given it. */
export class RawHead implements WireHead {
  readonly #res: ServerResponse;
  pairs: readonly Pair[];

  constructor(res: ServerResponse, headers: unknown) {
    this.#res = res;
    this.pairs = pairsOf(headers);
  }

  get status(): number {
    return this.#res.statusCode;
  }

  names(): readonly string[] {
    return this.pairs.map(([name]) => name);
  }

  entries(): readonly (readonly [string, string | readonly string[]])[] {
    return this.pairs.map(([name, value]) => [name, textOf(value)]);
  }

  get(name: string): string | undefined {
    const values = this.pairs.filter(isNamed(name)).flatMap(([, value]) => value);
    return values.length === 0 ? undefined : values.join(', ');
  }

  set(name: string, value: string): void {
    this.remove(name);
    this.pairs = [...this.pairs, [name, value]];
  }

  remove(name: string): void {
    const named = isNamed(name);
    this.pairs = this.pairs.filter((pair) => !named(pair));
  }
}

const textOf = (value: Pair[1]): string | readonly string[] => (typeof value === 'number' ? String(value) : value);

const isNamed = (name: string) => {
  const lower = name.toLowerCase();
  return ([other]: Pair): boolean => other.toLowerCase() === lower;
};

/** What writeHead takes: an object, a flat list, or a list of pairs. Node refuses what is none of them. */
function pairsOf(headers: unknown): readonly Pair[] {
  if (!Array.isArray(headers)) return Object.entries((headers ?? {}) as Record<string, Pair[1]>);
  if (Array.isArray(headers[0])) return headers as Pair[];
  if (headers.length % 2 !== 0) throw new TypeError('writeHead: a flat list of headers has a value for each name');
  return Array.from({ length: headers.length / 2 }, (_, at) => [headers[2 * at], headers[2 * at + 1]] as Pair);
}
