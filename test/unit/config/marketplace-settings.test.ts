import { describe, expect, it } from 'vitest';
import { CONFIG_VARIABLES, readConfig } from '../../../src/config/config.js';
import { sweepIntervals } from '../../../src/domain/sweep-lanes.js';
import { problemsOf, REQUIRED } from './support/settings.js';

const NO_SWITCHES = ['', ' ', 'TRUE', 'False', 'yes', 'no', '2', 'on', 'off', 'true ', 'null'];
const NO_COUNTS = ['', ' ', '-1', '+1', '1.5', '1e2', '5 ', '0x5', 'five', 'NaN', 'Infinity', '1001', '5,0'];
const NO_WAITS = ['', ' ', '0s', '0ms', '1', '-1s', '1.5s', '1 s', '1S', '1sec', '1w', 's', 'PT1M', '1m30s', '36500d'];
const NO_INTERVALS = [...NO_WAITS, '999ms', '2d'];

const WRONG: Readonly<Record<string, readonly string[]>> = {
  REVERSAL_WORKER_ENABLED: NO_SWITCHES,
  REVERSAL_MAX_RETRIES: NO_COUNTS,
  REVERSAL_CHECK_INTERVAL: NO_INTERVALS,
  REVERSAL_BACKOFF_BASE: NO_WAITS,
  REVERSAL_BACKOFF_MAX: [...NO_WAITS, '8d'],
  REVERSAL_BALANCE_HORIZON: [...NO_WAITS, '999ms'],
  TRANSFER_RETRY_ENABLED: NO_SWITCHES,
  TRANSFER_RETRY_MAX: NO_COUNTS,
  TRANSFER_RETRY_INTERVAL: NO_INTERVALS,
  TRANSFER_RETRY_BACKOFF_BASE: NO_WAITS,
  TRANSFER_RETRY_BACKOFF_MAX: [...NO_WAITS, '8d'],
};
const CASES = Object.entries(WRONG).flatMap(([name, values]) => values.map((value) => [name, value] as const));

describe('a wrong setting of reversals and seller transfers', () => {
  it.each(CASES)('%s=%j stops the start, by its name and with an example that is accepted', (name, value) => {
    const { message, problems } = problemsOf({ [name]: value });
    const problem = problems.find(({ variable }) => variable === name);
    expect(message).toContain(`${name} ${problem?.problem}; example: ${name}=${problem?.example}`);
    expect(() => readConfig({ ...REQUIRED, [name]: problem?.example ?? '' })).not.toThrow();
  });

  it('is none of these forgotten', () => {
    const ours = CONFIG_VARIABLES.filter(({ name }) => /^(REVERSAL|TRANSFER_RETRY)_/.test(name));
    expect(ours.map(({ name }) => name).toSorted()).toEqual(Object.keys(WRONG).toSorted());
  });

  it.each([
    ['REVERSAL_BACKOFF_BASE', { REVERSAL_BACKOFF_BASE: '2h' }],
    ['REVERSAL_BACKOFF_BASE', { REVERSAL_BACKOFF_MAX: '59s' }],
    ['TRANSFER_RETRY_BACKOFF_BASE', { TRANSFER_RETRY_BACKOFF_BASE: '2s', TRANSFER_RETRY_BACKOFF_MAX: '1s' }],
  ])('is a first wait above the longest one, told of %s', (name, env) => {
    expect(problemsOf(env).problems.map(({ variable }) => variable)).toEqual([name]);
  });
});

describe('settings of reversals and seller transfers', () => {
  it('reach what they are named for, each its own', () => {
    const config = readConfig({
      ...REQUIRED,
      REVERSAL_WORKER_ENABLED: 'false',
      REVERSAL_MAX_RETRIES: '7',
      REVERSAL_CHECK_INTERVAL: '2s',
      REVERSAL_BACKOFF_BASE: '3s',
      REVERSAL_BACKOFF_MAX: '4s',
      REVERSAL_BALANCE_HORIZON: '5d',
      TRANSFER_RETRY_ENABLED: 'true',
      TRANSFER_RETRY_MAX: '0',
      TRANSFER_RETRY_INTERVAL: '6s',
      TRANSFER_RETRY_BACKOFF_BASE: '7s',
      TRANSFER_RETRY_BACKOFF_MAX: '8s',
    });
    expect(config.reversal).toEqual({
      enabled: false,
      maxRetries: 7,
      checkIntervalMs: 2_000,
      backoffBaseMs: 3_000,
      backoffMaxMs: 4_000,
      balanceHorizonMs: 5 * 86_400_000,
    });
    expect(config.transferRetry).toEqual({
      enabled: true,
      maxRetries: 0,
      checkIntervalMs: 6_000,
      backoffBaseMs: 7_000,
      backoffMaxMs: 8_000,
    });
    expect(sweepIntervals(config)).toMatchObject({ payment: 6_000, transfer: 6_000, refund: 2_000, reversal: 2_000 });
  });
});
