import type { Request, RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { HttpProblem, retryAfter } from './problem.js';
import type { Principal } from './route.js';

export interface RateLimitSettings {
  readonly windowMs: number;
  /** Requests per window and token. */
  readonly max: number;
  /** Requests per window and address without a valid token. */
  readonly anonymousMax: number;
}

/**
 * The maxima are looked at for each request: whoever reloads settings changes them. Counts by holder of a token, so that one busy service cannot use up another's share.
 */
export function createRateLimit(
  settings: RateLimitSettings,
  principalOf: (req: Request) => Principal | undefined,
): RequestHandler {
  return rateLimit({
    windowMs: settings.windowMs,
    limit: (req) => (principalOf(req) ? settings.max : settings.anonymousMax),
    keyGenerator: (req) => {
      const principal = principalOf(req);
      return principal ? `token ${principal.name} ${principal.role}` : `address ${ipKeyGenerator(req.ip ?? 'unknown')}`;
    },
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    handler: (_req, _res, next) =>
      next(
        new HttpProblem('rate_limited', 'too many requests: nothing was done, come back a little later', {
          headers: retryAfter(settings.windowMs / 1000),
        }),
      ),
  });
}
