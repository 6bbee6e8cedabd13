import { verifyBody } from '../protocols/settle-body.js';
import type { AdmitDependencies, Matched, Verifier } from './admission.js';

/** Asks the auth server; that it cannot be reached decides nothing. */
export async function verifyCredential(
  { credential, context }: Matched,
  { verifier, verifyTimeoutMs, log }: AdmitDependencies,
): ReturnType<Verifier['verify']> {
  const { protocol } = credential;
  const call = { body: verifyBody({ credential, context }), timeoutMs: verifyTimeoutMs };
  const verified = await verifier
    .verify(protocol, call)
    .catch((error: unknown) => ({ kind: 'unreachable' as const, detail: String(error) }));
  if (verified.kind === 'unreachable')
    log.warn(
      { protocol, detail: verified.detail },
      'a payment could not be verified: the payer was asked to come back',
    );
  return verified;
}
