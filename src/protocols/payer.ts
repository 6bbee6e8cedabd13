import type { Protocol } from '../domain/settlements/settlement-status.js';
import type { DecodedCredential } from './credential.js';
import { publicText, sha256 } from './wire-json.js';

export interface Payer {
  /** What the ledger knows the payer by; null: by nothing that another payment of theirs would show again. */
  readonly name: string | null;
  /** Whether this payer may owe anything where credit is limited. */
  readonly mayOwe: boolean;
}

/**
 * Who pays: the account that verify confirms, else the credential's own stable part. What a client merely
 * states names nobody, so that no stranger is refused for what somebody did in their name.
 *
 * @param confirmed as the auth server wrote it; null: it named nobody
 */
export function payerOf(credential: DecodedCredential, confirmed: string | null): Payer {
  const { protocol, account, own, content } = credential;
  if (confirmed === null) return { name: own?.name ?? null, mayOwe: own?.good ?? false };
  const named = accountName(protocol, confirmed);
  // A name is kept in clear: one that only repeats a part of the credential might be its secret.
  const repeats = named !== account && !IS_ADDRESS.test(named ?? '') && JSON.stringify(content).includes(confirmed);
  const name = named === undefined || repeats ? `sha256:${sha256(confirmed)}` : named;
  return { name, mayOwe: true };
}

const IS_ADDRESS = /^0x[0-9a-f]{40}$/;

/**
 * An account in the one form that it is compared in. `did:pkh:eip155:<chain>:<address>` and a bare address are one wallet,
 * for x402 and MPP alike; ATXP's account ids keep their prefix.
 *
 * @returns undefined for text that cannot be shown
 */
export function accountName(protocol: Protocol, text: string): string | undefined {
  const address = /(?:^|:)(0x[0-9a-fA-F]{40})$/.exec(text)?.[1];
  if (address === undefined) return publicText(text);
  return protocol === 'atxp'
    ? publicText(text.slice(0, -address.length) + address.toLowerCase())
    : address.toLowerCase();
}
