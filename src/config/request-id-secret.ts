import { createHmac } from 'node:crypto';
import type { Config } from './config.js';

/** For a ledger that keeps none yet; as servers derived it before the ledger kept one, so that ids that are out stay valid. */
export function firstRequestIdSecret({ credentialKeys }: Pick<Config, 'credentialKeys'>): string {
  const key = credentialKeys.at(-1);
  if (!key) throw new Error('CREDENTIAL_ENCRYPTION_KEY is not set');
  return createHmac('sha256', key.key).update('makegood payment request ids').digest('base64url');
}
