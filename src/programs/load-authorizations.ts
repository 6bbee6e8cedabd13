import type { Config } from '../config/config.js';
import type { AuthorizationReader } from '../providers/evm/authorizations.js';

/** Only where a node is configured: the chain's libraries are most of what a program would load. */
export async function loadAuthorizations({ x402RpcUrls }: Config): Promise<AuthorizationReader | undefined> {
  if (x402RpcUrls.size === 0) return undefined;
  const { createAuthorizationReader } = await import('../providers/evm/authorizations.js');
  return createAuthorizationReader(x402RpcUrls);
}
