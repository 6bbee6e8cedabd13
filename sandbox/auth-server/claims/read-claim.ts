import { malformed, type Reading, type SandboxProtocol } from './claim.js';
import { readAtxp } from './claim-atxp.js';
import { readMpp } from './claim-mpp.js';
import { readX402 } from './claim-x402.js';

/** Reads the body of POST /verify/:protocol and /settle/:protocol; total, never throws. */
export function readClaim(protocol: SandboxProtocol, body: unknown): Reading {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return { key: null, problem: malformed('the body is not a JSON object') };
  }
  const fields = body as Readonly<Record<string, unknown>>;
  if (protocol === 'atxp') return readAtxp(fields);
  return protocol === 'x402' ? readX402(fields) : readMpp(fields);
}
