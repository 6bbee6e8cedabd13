import { createHmac, timingSafeEqual } from 'node:crypto';

export interface RequestIds {
  /** The id as our challenge hands it out for one offer of one resource. */
  issue(authServerId: string, offered: string): string;
  /** The auth server's id inside, if this offer of this resource was challenged with it by us; otherwise undefined. */
  verify(claimed: string, offered: string): string | undefined;
}

const TAG_BYTES = 16;

/**
 * Payment request ids that prove themselves. The identity of an ATXP credential is its token plus the id of the request
 * it answers, so whoever could make ids up could use one token for ever. The id that we hand out is
 * `<auth server's id>.<tag>`; the tag is an HMAC over the id and what was offered. Any server that has the key knows our
 * ids without storing them, and an id taken from another route or another server counts for nothing. Somebody else's
 * id gains nothing and blocks nobody: it is one half of an identity, and the other half is the caller's own token.
 *
 * @param secret shared by all servers of one deployment, and used for nothing else
 */
export function createRequestIds(secret: string): RequestIds {
  const tagOf = (id: string, offered: string): Buffer =>
    createHmac('sha256', secret).update(`payment-request\n${id}\n${offered}`).digest().subarray(0, TAG_BYTES);
  return {
    issue: (id, offered) => `${id}.${tagOf(id, offered).toString('base64url')}`,
    verify(claimed, offered) {
      const dot = claimed.lastIndexOf('.');
      if (dot < 1) return undefined;
      const id = claimed.slice(0, dot);
      const tag = Buffer.from(claimed.slice(dot + 1), 'base64url');
      return tag.length === TAG_BYTES && timingSafeEqual(tag, tagOf(id, offered)) ? id : undefined;
    },
  };
}
