import { z } from 'zod';
import { secretList } from './config-values.js';

/** What `.env.template` and the documentation say about one variable; a test keeps them in agreement. */
export interface ConfigVariable {
  readonly name: string;
  readonly required: boolean;
  /** Text used when the variable is not set; undefined: none. */
  readonly default: string | undefined;
  readonly secret: boolean;
  readonly description: string;
  readonly example: string;
}

type About = Omit<ConfigVariable, 'name' | 'required' | 'default' | 'secret'> & { readonly secret?: boolean };
const catalogue = z.registry<Omit<ConfigVariable, 'name'>>();

function described<T extends z.ZodType>(value: T, about: Omit<ConfigVariable, 'name'>): T {
  catalogue.add(value, about);
  return value;
}

export const required = <T extends z.ZodType>(value: T, about: About): T =>
  described(value, { secret: false, ...about, required: true, default: undefined });

/** A variable with a default may be left out, not set to nothing: an empty switch or limit is a mistake. */
export const standard = <T>(value: z.ZodType<T, string>, fallback: string, description: string) =>
  described(value.prefault(fallback), {
    required: false,
    default: fallback,
    secret: false,
    description,
    example: fallback,
  });

/** Without a value, or empty as compose files pass what they do not have, the feature is off. */
export const optional = <T extends z.ZodType>(value: T, about: About) =>
  described(
    z.preprocess((raw) => (raw === '' ? undefined : raw), value.optional()),
    { secret: false, ...about, required: false, default: undefined },
  );

/** Left out, the webhook route is disabled; empty stops the start, because everybody could sign with it. */
export const webhookSecrets = (description: string) =>
  described(secretList().optional(), {
    required: false,
    default: undefined,
    secret: true,
    description,
    example: 'whsec_…,whsec_… (or leave the variable out)',
  });

export const descriptionOf = (value: z.ZodType): Omit<ConfigVariable, 'name'> | undefined => catalogue.get(value);
