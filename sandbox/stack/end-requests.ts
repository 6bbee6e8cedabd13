const PARENT_POLL_MS = 500;
/** Ctrl-C reaches this process twice: from the terminal, and forwarded by npm. Somebody who means it again takes longer. */
const SAME_REQUEST_MS = 1000;

/**
 * Calls `end` when a person or a parent process wants this program to end: Ctrl-C, SIGTERM, a closed terminal, or the
 * death of the npm that runs it. Called again for each later request.
 */
export function onEndRequest(end: () => void, environment: NodeJS.ProcessEnv): void {
  let last = Number.NEGATIVE_INFINITY;
  const request = () => {
    const now = performance.now();
    if (now - last < SAME_REQUEST_MS) return;
    last = now;
    end();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, request);

  if (environment.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    request();
  }, PARENT_POLL_MS);
  watch.unref();
}
