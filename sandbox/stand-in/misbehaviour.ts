import { setTimeout as wait } from 'node:timers/promises';
import type { Response } from 'express';
import { hang, reset, sendPage } from './broken-replies.js';

/** What struck one call. */
interface Struck<Kind extends string = string> {
  readonly kind: Kind;
  readonly rule: { readonly ms?: number | undefined; readonly retryAfterSeconds: number };
  readonly draw: number;
}

export type Misbehaviour = (res: Response, fault: Struck) => Promise<void> | void;

const silent: Misbehaviour = (res, { rule }) => hang(res, rule.ms);
const cut: Misbehaviour = (res) => reset(res);

/** Instead of the call's work, at whatever provider: nothing is committed. */
export const BEFORE_COMMIT = {
  hang_before_commit: silent,
  reset_before_commit: cut,
  html_200: (res) => sendPage(res, 200, 'Sign in to continue'),
  html_404: (res) => sendPage(res, 404, '404 Not Found'),
  redirect: (res) => res.redirect(307, '/maintenance'),
} as const satisfies Readonly<Record<string, Misbehaviour>>;

/** After the commit is durable: it is done, and the caller is not told. */
export const AFTER_COMMIT = {
  hang_after_commit: silent,
  reset_after_commit: cut,
} as const satisfies Readonly<Record<string, Misbehaviour>>;

/** A server that stumbled answers any of these. */
export const drawnStatus = (draw: number): number => [500, 502, 503, 504][Math.floor(draw * 4)] ?? 500;

/** The order of every call: faults before the work, the work, faults after it, the answer. */
export async function answerUnderFault<Kind extends string>(
  res: Response,
  fault: Struck<Kind> | undefined,
  {
    before,
    after,
    slowMs,
    closing,
  }: {
    readonly before: Readonly<Partial<Record<Kind, Misbehaviour>>>;
    readonly after: Readonly<Partial<Record<Kind, Misbehaviour>>>;
    /** What `slow` takes where the rule does not say. */
    readonly slowMs: number;
    readonly closing: AbortSignal;
  },
  work: () => Promise<() => void>,
): Promise<void> {
  const instead = fault && before[fault.kind];
  if (instead) return await instead(res, fault);
  // The caller may give up meanwhile; a real provider would go on all the same, and so does its stand-in.
  if (fault?.kind === 'slow') await wait(fault.rule.ms ?? slowMs, undefined, { signal: closing });
  const answer = await work();
  const lost = fault && after[fault.kind];
  return lost ? await lost(res, fault) : answer();
}
