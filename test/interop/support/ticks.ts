import { once } from 'node:events';
import type { Express, Request, Response } from 'express';
import type { PaidSessions } from '../../../src/sessions/index.js';
import { IN_USDC } from '../../support/sessions/offers.js';

/** Streams of five ticks of 1,000 each, every one sent when the client has the one before. */
export interface Ticks {
  /** Says that these bytes have arrived. */
  arrived(bytes: Buffer | string): void;
}

/** @param breaksOff paths whose server cuts the connection after two ticks */
export function mountTicks(
  app: Express,
  sessions: PaidSessions,
  { paths, breaksOff }: { readonly paths: readonly string[]; readonly breaksOff: readonly string[] },
): Ticks {
  const waiting = new Map<string, () => void>();
  async function serve(req: Request, res: Response): Promise<void> {
    for (let tick = 1; tick <= 5 && !res.destroyed; tick += 1) {
      if (tick === 3 && breaksOff.includes(req.path)) return void req.socket.destroy();
      const seen = new Promise<void>((resolve) => waiting.set(String(tick), resolve));
      req.paymentSession?.charge('1000');
      res.write(`tick ${tick}\n`);
      await Promise.race([seen, once(res, 'close')]);
    }
    res.end();
  }
  for (const path of [...paths, ...breaksOff]) {
    const metered = sessions.paidSession({ ...IN_USDC, cap: '100000', protocols: ['atxp'], streamed: true });
    app.get(path, metered, (req, res) => serve(req, res));
  }
  return { arrived: (bytes) => waiting.get(/ (\d)\n$/.exec(bytes.toString())?.[1] ?? '')?.() };
}
