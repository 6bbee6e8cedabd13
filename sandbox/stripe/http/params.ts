import type { Metadata } from '../state/records.js';
import type { FormValue } from './form.js';
import { invalid, type Problem } from './problems.js';

export interface Range {
  readonly gt?: number;
  readonly gte?: number;
  readonly lt?: number;
  readonly lte?: number;
}

/** How each kind of parameter reads; Stripe's own types are in its OpenAPI document. */
interface Readers {
  readonly amount: number;
  readonly currency: string;
  readonly text: string;
  readonly flag: boolean;
  /** `name[0]`, `name[1]`, … */
  readonly texts: readonly string[];
  readonly metadata: Metadata;
  /** What is to be different: an empty value unsets a key; null: unset all. */
  readonly metadataChange: Metadata | null;
  readonly range: Range;
  readonly limit: number;
  readonly sourceType: string;
  /** What stands in place of its id: of a list, the source of each of its members. */
  readonly expandSource: boolean;
}
export interface Param<Kind extends keyof Readers = keyof Readers> {
  readonly kind: Kind;
  readonly required?: true;
}
export type ParamSpec = Readonly<Record<string, Param>>;
/** Every value may be absent but those required. */
export type Values<Spec extends ParamSpec> = {
  readonly [Name in keyof Spec]: Spec[Name] extends { readonly kind: infer Kind extends keyof Readers }
    ? Spec[Name] extends { readonly required: true }
      ? Readers[Kind]
      : Readers[Kind] | undefined
    : never;
};

/**
 * Reads the parameters of one endpoint. What is refused here was never started, so no idempotency key keeps it
 * (docs.stripe.com/api/idempotent_requests).
 */
export function readParams<Spec extends ParamSpec>(
  spec: Spec,
  form: ReadonlyMap<string, FormValue>,
): { readonly values: Values<Spec> } | { readonly problem: Problem } {
  for (const name of form.keys()) {
    if (name === 'expand' && !('expand' in spec))
      return { problem: invalid('The sandbox expands nothing.', { param: 'expand' }) };
    if (!(name in spec)) {
      return { problem: invalid(`Received unknown parameter: ${name}`, { code: 'parameter_unknown', param: name }) };
    }
  }
  const values: Record<string, unknown> = {};
  for (const [name, { kind, required }] of Object.entries(spec)) {
    const given = form.get(name);
    if (given === undefined) {
      if (required !== undefined) {
        return { problem: invalid(`Missing required param: ${name}.`, { code: 'parameter_missing', param: name }) };
      }
      continue;
    }
    const read = READ[kind](given, name);
    if ('problem' in read) return read;
    values[name] = read.value;
  }
  return { values: values as Values<Spec> };
}

type Read = { readonly value: unknown } | { readonly problem: Problem };
const refuse = (message: string, param: string, code?: string): Read => ({
  problem: invalid(message, code === undefined ? { param } : { code, param }),
});

/** Stripe takes up to twelve digits where a currency needs them (docs.stripe.com/currencies). */
const LARGEST_AMOUNT = 999_999_999_999;
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency').map((each) => each.toLowerCase()));

const whole = (given: FormValue, name: string, limits: { readonly min?: number; readonly max?: number }): Read => {
  if (typeof given !== 'string' || !/^-?\d{1,15}$/.test(given)) {
    return refuse(`Invalid integer: ${printable(given)}`, name, 'parameter_invalid_integer');
  }
  const value = Number(given);
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = limits;
  if (value >= min && value <= max) return { value };
  const bound = value < min ? `at least ${min}` : `at most ${max}`;
  return refuse(`${name} must be ${bound}; it is ${given}.`, name, 'parameter_invalid_integer');
};

const READ: { readonly [Kind in keyof Readers]: (given: FormValue, name: string) => Read } = {
  amount: (given, name) => whole(given, name, { min: 1, max: LARGEST_AMOUNT }),
  limit: (given, name) => whole(given, name, { min: 1, max: 100 }),
  currency(given, name) {
    const currency = typeof given === 'string' ? given.toLowerCase() : '';
    return CURRENCIES.has(currency) ? { value: currency } : refuse(`Invalid currency: ${printable(given)}`, name);
  },
  text(given, name) {
    if (typeof given !== 'string') return refuse(`Invalid string: ${printable(given)}`, name);
    if (given === '') return refuse(`${name} must not be empty.`, name, 'parameter_invalid_empty');
    return given.length > 5000 ? refuse(`${name} may have 5000 characters.`, name) : { value: given };
  },
  texts: (given, name) => (typeof given === 'string' ? refuse('Invalid array', name) : { value: [...given.values()] }),
  flag: (given, name) =>
    given === 'true' || given === 'false'
      ? { value: given === 'true' }
      : refuse(`Invalid boolean: ${printable(given)}`, name),
  sourceType: (given, name) =>
    given === 'card' || given === 'bank_account' || given === 'fpx'
      ? { value: given }
      : refuse(`Invalid ${name}: must be one of bank_account, card or fpx`, name),
  expandSource: (given, name) =>
    typeof given !== 'string' && [...given.values()].every((each) => each === 'data.source')
      ? { value: true }
      : refuse('The sandbox expands nothing else here.', name),
  metadata: readMetadata,
  metadataChange: readMetadataChange,
  range: readRange,
};

/** An empty value stands for a key that is not there. */
function readMetadata(given: FormValue, name: string): Read {
  const read = readMetadataChange(given, name);
  if ('problem' in read) return read;
  return { value: Object.fromEntries(Object.entries(read.value ?? {}).filter(([, value]) => value !== '')) };
}

/** At most 50 keys of 40 characters without brackets and values of 500; an empty value unsets (docs.stripe.com/api/metadata). */
function readMetadataChange(
  given: FormValue,
  name: string,
): { readonly value: Metadata | null } | { readonly problem: Problem } {
  const refuseHere = (message: string, param: string) => ({ problem: invalid(message, { param }) });
  if (given === '') return { value: null };
  if (typeof given === 'string') return refuseHere('Invalid object', name);
  if (given.size > 50) return refuseHere('Metadata has at most 50 keys.', name);
  for (const [key, value] of given) {
    if (key.length > 40) return refuseHere(`A metadata key has at most 40 characters: ${key}`, name);
    if (value.length > 500) return refuseHere(`A metadata value has at most 500 characters: ${key}`, `${name}[${key}]`);
  }
  return { value: Object.fromEntries(given) };
}

/** `created=1700000000` means exactly then. */
function readRange(given: FormValue, name: string): Read {
  if (typeof given === 'string') {
    const exact = whole(given, name, {});
    return 'problem' in exact ? exact : { value: { gte: exact.value, lte: exact.value } };
  }
  const range: Record<string, unknown> = {};
  for (const [bound, text] of given) {
    if (!['gt', 'gte', 'lt', 'lte'].includes(bound)) {
      return refuse(`Received unknown parameter: ${name}[${bound}]`, `${name}[${bound}]`, 'parameter_unknown');
    }
    const read = whole(text, `${name}[${bound}]`, {});
    if ('problem' in read) return read;
    range[bound] = read.value;
  }
  return { value: range };
}

export const inRange = (at: number, { gt, gte, lt, lte }: Range): boolean =>
  (gt === undefined || at > gt) &&
  (gte === undefined || at >= gte) &&
  (lt === undefined || at < lt) &&
  (lte === undefined || at <= lte);

const printable = (given: FormValue): string => (typeof given === 'string' ? given : 'a list or object');
