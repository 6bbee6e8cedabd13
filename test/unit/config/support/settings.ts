import { randomBytes } from 'node:crypto';
import { ConfigError, readConfig } from '../../../../src/config/config.js';

export const key = () => randomBytes(32).toString('base64');
export const REQUIRED = {
  DATABASE_URL: 'postgres://makegood:hunter2@127.0.0.1:5432/makegood',
  CREDENTIAL_ENCRYPTION_KEY: key(),
  API_TOKENS: 'billing:service:0123456789abcdef',
};
export const STRIPE = { STRIPE_SECRET_KEY: 'sk_test_abc123' };
export const HYPERSWITCH = { HYPERSWITCH_BASE_URL: 'https://hs.example', HYPERSWITCH_API_KEY: 'snd_12345678' };
export const TEMPO = {
  MPP_SECRET_KEY: 'm'.repeat(32),
  TEMPO_RPC_URL: 'https://rpc.example',
  TEMPO_CHAIN_ID: '42431',
  TEMPO_CURRENCY: `0x${'1'.repeat(40)}`,
  TEMPO_PAYEE_KEY: `0x${'a'.repeat(64)}`,
};

export function problemsOf(env: Record<string, string | undefined>): ConfigError {
  try {
    readConfig({ ...REQUIRED, ...env });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('these settings were accepted');
}
