import { SessionPaymentError } from './errors.js';

type Fields = Readonly<Record<string, unknown>>;

/** Amounts of the escrow are uint96. */
const MOST = 2n ** 96n - 1n;
/** Longer texts are not quoted in an error. */
const QUOTED = 80;

function malformed(path: string, wanted: string, value: unknown): SessionPaymentError {
  const text = value === undefined ? 'missing' : JSON.stringify(value).slice(0, QUOTED);
  return new SessionPaymentError('challenge_malformed', `the challenge's ${path} must be ${wanted}, and is ${text}`);
}

/** Reads one object of a challenge; whatever is not exactly of its form is an error that names the field. */
export function fieldsOf(value: unknown, path: string): FieldReader {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(path, 'an object', value);
  return new FieldReader(value as Fields, path);
}

export class FieldReader {
  readonly #fields: Fields;
  readonly #path: string;

  constructor(fields: Fields, path: string) {
    this.#fields = fields;
    this.#path = path;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name) && this.#fields[name] !== undefined;
  }

  object(name: string): FieldReader {
    return fieldsOf(this.#fields[name], this.#at(name));
  }

  address(name: string): `0x${string}` {
    return this.#hex(name, /^0x[0-9a-fA-F]{40}$/, 'an address');
  }

  hash(name: string): `0x${string}` {
    return this.#hex(name, /^0x[0-9a-fA-F]{64}$/, '32 bytes of hex');
  }

  bytes(name: string): `0x${string}` {
    return this.#hex(name, /^0x(?:[0-9a-fA-F]{2})+$/, 'bytes as hex');
  }

  amount(name: string): bigint {
    const value = this.#fields[name];
    if (typeof value !== 'string' || !/^(?:0|[1-9]\d{0,28})$/.test(value) || BigInt(value) > MOST)
      throw malformed(this.#at(name), 'digits of an amount in atomic units', value);
    return BigInt(value);
  }

  chainId(name: string): number {
    const value = this.#fields[name];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value <= 0)
      throw malformed(this.#at(name), 'the number of a chain', value);
    return value;
  }

  /** A field that may be missing, but not wrong. */
  optional<T>(name: string, read: (name: string) => T): T | undefined {
    return this.has(name) ? read(name) : undefined;
  }

  #hex(name: string, form: RegExp, wanted: string): `0x${string}` {
    const value = this.#fields[name];
    if (typeof value !== 'string' || !form.test(value)) throw malformed(this.#at(name), wanted, value);
    return value as `0x${string}`;
  }

  #at(name: string): string {
    return `${this.#path}.${name}`;
  }
}
