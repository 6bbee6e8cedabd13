import { toAtomic } from '../../../../src/domain/money.js';
import { settleBody } from '../../../../src/protocols/settle-body.js';
import { settleAnswer } from '../../../../src/providers/auth-server/answers.js';
import type { Reply } from '../../../../src/providers/reply.js';
import { atxp, base64, decoded, mppSession, x402v2 } from '../../../support/sessions/credentials.js';

export const NOW = Date.parse('2026-01-06T12:00:00Z');
export const spent = toAtomic(3000n);
export const sentAtxp = settleBody({
  credential: decoded('atxp', JSON.stringify(atxp())),
  context: {},
  spent,
  decimals: 6,
});
export const sentX402 = settleBody({ credential: decoded('x402', base64(x402v2())), context: {}, spent, decimals: 6 });
export const sentMpp = settleBody({
  credential: decoded('mpp', base64(mppSession())),
  context: {},
  spent,
  decimals: 6,
});

export interface Parts {
  readonly type?: string | null;
  readonly retryAfter?: string | null;
}
export const http = (
  status: number,
  body: unknown,
  { type = 'application/json', retryAfter = null }: Parts = {},
): Reply => ({
  kind: 'http',
  status,
  contentType: type,
  retryAfter,
  body: typeof body === 'string' || body === null ? body : JSON.stringify(body),
});
export const answer = (status: number, body: unknown, parts: Parts = {}) =>
  settleAnswer(http(status, body, parts), sentAtxp, NOW);
