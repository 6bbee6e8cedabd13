import type { Logger } from '../../observability/logger.js';

const EVERY_MS = 60_000;

/** Has the ledger keep once a minute how things stand, for pictures. @returns what ends it */
export function startFigureSampler(ledger: { sampleFigures(): Promise<void> }, logger: Logger): () => void {
  const timer = setInterval(() => {
    ledger
      .sampleFigures()
      .catch((error: unknown) => logger.debug({ err: error }, 'how things stand was not kept for this minute'));
  }, EVERY_MS).unref();
  return () => clearInterval(timer);
}
