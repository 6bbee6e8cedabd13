import { authServerOf, TEMPO } from './settlements/settlement-providers.js';
import { PROTOCOLS } from './settlements/settlement-status.js';

/** What a person may pause, as it is typed. */
export const PAUSABLE = ['auth-server', 'stripe', 'hyperswitch', 'chain'] as const;
export type Pausable = (typeof PAUSABLE)[number];

/** The breakers behind each: they are closed and opened together by hand. */
export const BREAKERS_OF: Readonly<Record<Pausable, readonly string[]>> = {
  'auth-server': PROTOCOLS.map(authServerOf),
  stripe: ['stripe'],
  hyperswitch: ['hyperswitch'],
  chain: [TEMPO],
};

/** A provider that a person has paused; `at` is ISO 8601. */
export interface Pause {
  readonly provider: Pausable;
  readonly by: string;
  readonly at: string;
  readonly note: string;
}

/** @param breaker `stripe`, `auth-server:x402`, …; undefined: nobody can pause that */
export const pausableOf = (breaker: string): Pausable | undefined =>
  PAUSABLE.find((provider) => BREAKERS_OF[provider].includes(breaker));

export const pauseInWords = ({ provider, by, at, note }: Pause): string =>
  `${provider} is paused by ${by} since ${at}${note === '' ? '' : ` (${note})`}`;
