import type { Request } from 'express';
import type { Fields, Owner } from './objects.js';
import { invalidRequest, type Problem } from './problems.js';

export type Answer = { readonly body: Fields | readonly Fields[] } | { readonly problem: Problem };
/** One call of one merchant's. */
export type Work = (call: {
  readonly body: unknown;
  readonly req: Request;
  readonly owner: Owner;
}) => Promise<Answer> | Answer;

/** What another merchant made is not there. */
export const seen = <T extends { readonly owner: Owner }>(object: T | undefined, key: Owner): T | undefined =>
  object?.owner.merchantId === key.merchantId ? object : undefined;

export const badSync = invalidRequest('Query deserialize error: force_sync is a boolean');

export function syncOf(req: Request): boolean | undefined {
  const given = req.query['force_sync'];
  if (given === undefined || given === 'false') return false;
  return given === 'true' ? true : undefined;
}
