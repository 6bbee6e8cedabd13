import { createHmac, timingSafeEqual } from 'node:crypto';

export interface RequestIds {
  /** The id as our challenge hands it out for one offer of one resource. */
  issue(authServerId: string, offered: string): string;
  /** What an id that came with a credential is worth for this offer of this resource. */
  read(claimed: string | undefined, offered: string): ReadRequestId;
}

export type ReadRequestId =
  /** We have handed it out for exactly this; `id` is the auth server's. */
  | { readonly kind: 'ours'; readonly id: string }
  /** In our form, but not handed out for exactly this: for another offer or resource, by another deployment, or made up. */
  | { readonly kind: 'not_for_this'; readonly id: string }
  /** None, or not in our form. */
  | { readonly kind: 'unknown' };

const OWN_BYTES = 8;
const OFFER_BYTES = 16;

/**
 * Payment request ids that prove themselves. The identity of an ATXP credential is its token plus the id of the request
 * it answers, so whoever could make ids up could use one token for ever. The id that we hand out is
 * `<auth server's id>.<tag>`; the tag is two HMACs, over the id, and over the id and what was offered. Any server that has
 * the key knows without storing them whether an id is ours and was issued for this. Where it is in our form and was not, it
 * opens nothing, and it still names a credential that was taken under it. Somebody else's id gains nothing and blocks nobody: it
 * is one half of an identity, and the other half is the caller's own token.
 *
 * @param secret shared by all servers of one deployment, and used for nothing else
 */
export function createRequestIds(secret: () => string): RequestIds {
  const mac = (text: string, bytes: number): Buffer =>
    createHmac('sha256', secret()).update(`payment-request\n${text}`).digest().subarray(0, bytes);
  const tagOf = (id: string, offered: string): Buffer =>
    Buffer.concat([mac(id, OWN_BYTES), mac(`${id}\n${offered}`, OFFER_BYTES)]);
  return {
    issue: (id, offered) => `${id}.${tagOf(id, offered).toString('base64url')}`,
    read(claimed = '', offered) {
      const dot = claimed.lastIndexOf('.');
      const id = claimed.slice(0, Math.max(dot, 0));
      const tag = Buffer.from(claimed.slice(dot + 1), 'base64url');
      if (id === '' || tag.length !== OWN_BYTES + OFFER_BYTES) return { kind: 'unknown' };
      return { kind: timingSafeEqual(tag, tagOf(id, offered)) ? 'ours' : 'not_for_this', id };
    },
  };
}
