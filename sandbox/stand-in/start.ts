import type { RequestHandler } from 'express';
import type { Journal } from './journal.js';
import { answerErrors, type Listener, listen, type StandIn } from './listener.js';

/** What differs between stand-ins: what answers, and what has to end. */
interface Parts<Control> {
  readonly control: Control;
  readonly switches: RequestHandler;
  /** Everything that is no switch. */
  readonly provider: readonly RequestHandler[];
  /** For bodies that do not read. */
  readonly errorBody: (status: number, error: { message?: string }) => object;
  /** Nothing begins by itself any more. */
  stop?(): void;
  /** Resolves when nothing is under way any more, after the socket is closed. */
  ended?(): Promise<void>;
}

/** @throws Error when the port is taken */
export async function startStandIn<Control extends object>(
  {
    port: asked,
    journal,
    switchesAt = '/control',
  }: { port?: number | undefined; journal: Journal; switchesAt?: string },
  assemble: (listener: Listener) => Parts<Control>,
): Promise<Control & StandIn> {
  const listener = await listen(asked);
  const { app, port, url } = listener;
  const parts = assemble(listener);
  app.use(switchesAt, parts.switches);
  app.use(...parts.provider);
  app.use(answerErrors(parts.errorBody));
  return {
    ...parts.control,
    port,
    url,
    async close() {
      parts.stop?.();
      await listener.close();
      await parts.ended?.();
      await journal.close();
    },
  };
}
