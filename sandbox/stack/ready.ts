import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 50;
const ANSWER_LIMIT_MS = 5000;

/**
 * Waits until an address answers as wanted.
 * @param over nobody waits any more, because the process behind it has ended
 * @throws when `limitMs` have passed
 */
export async function untilAnswers(
  url: string,
  wanted: (answer: Response) => boolean | Promise<boolean>,
  { over, limitMs }: { readonly over: AbortSignal; readonly limitMs: number },
): Promise<void> {
  const deadline = Date.now() + limitMs;
  let last = 'nothing listens there';
  while (!over.aborted) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.any([over, AbortSignal.timeout(ANSWER_LIMIT_MS)]) });
      last = `it answers ${answer.status}`;
      if (await wanted(answer)) return;
      await answer.body?.cancel().catch(() => undefined);
    } catch {
      // not listening yet, or not answering
    }
    if (Date.now() > deadline) throw new Error(`no good answer from ${url} within ${limitMs / 1000} s: ${last}`);
    await sleep(PAUSE_MS);
  }
}
