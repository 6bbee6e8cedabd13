import type { Response } from 'express';

/** How long a hang lasts where the rule does not say; longer than any caller's patience, so that tests end all the same. */
const HANG_MS = 120_000;

/** Never answers: holds the connection, then cuts it. Resolves when it is cut, by us or by a caller who gave up. */
export async function hang(res: Response, ms: number = HANG_MS): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    res.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    if (res.destroyed) resolve();
  });
  res.socket?.destroy();
}

/** RST instead of FIN where the platform lets us: the caller sees ECONNRESET. */
export function reset(res: Response): void {
  res.socket?.resetAndDestroy();
}

/** What a gateway or a login page in the way sends. */
export function sendPage(res: Response, status: number, title: string): void {
  res.status(status).type('html').send(`<!doctype html><html><head><title>${title}</title></head><body></body></html>`);
}
