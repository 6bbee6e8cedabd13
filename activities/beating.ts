import { Context } from '@temporalio/activity';

const BEAT_EVERY_MS = 2_000;

/** A process that dies is noticed within seconds, although a call may rightly take a minute. */
export async function beating<Step>(work: () => Promise<Step>): Promise<Step> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), BEAT_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
