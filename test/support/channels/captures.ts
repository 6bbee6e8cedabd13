import { expect } from 'vitest';
import { createCaptureSweep } from '../../../activities/sweeps/capture-channels.js';
import { createChannelWatch } from '../../../activities/sweeps/watch-channels.js';
import type { CapturePolicy } from '../../../src/domain/channels/channel.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { connectChainReader } from '../../../src/providers/tempo/channel-server.js';
import { createTempo } from '../../../src/providers/tempo/client.js';
import type { TestLedger } from '../ledger-fixtures.js';
import { settleOnce } from '../settlements/settling.js';
import { CHAIN_SETTINGS } from './channel-shop.js';

/** What the worker does about channels, one step at a time. */
export function captureWorker(store: TestLedger, chainUrl: string, policy: CapturePolicy) {
  const quiet = () => undefined;
  const pass = { over: () => false, sleep: () => Promise.resolve() };
  const readChain = connectChainReader({ ...CHAIN_SETTINGS, rpcUrl: chainUrl });
  return {
    /** A pass of the lane that reads the chain alone. */
    async watch(): Promise<void> {
      const logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
      await createChannelWatch({ ledger: store.ledger, readChain, logger })(pass);
    },

    /** A pass of the lane that reads the chain, and of the one that opens captures. @returns how many it opened */
    async sweep(expected: readonly object[] = []): Promise<number> {
      const logged: object[] = [];
      const log = (fields: object) => logged.push(fields);
      const logger = { trace: log, debug: log, info: log, warn: log, error: log };
      await createChannelWatch({ ledger: store.ledger, readChain, logger })(pass);
      const { captures: opened } = await createCaptureSweep({ ledger: store.ledger, policy, logger })(pass);
      expect(logged).toEqual(expected);
      return opened ?? 0;
    },

    /** One attempt of every capture that is not finished. */
    async settle(): Promise<string[]> {
      const rows = await store.database.query<{ id: SettlementId }>(
        `SELECT id FROM settlements WHERE channel_id IS NOT NULL AND status = 'pending' ORDER BY id`,
      );
      const ids = rows.map(({ id }) => id);
      const outcomes = await settleOnce(store.ledger, ids, {
        authServer: { settle: () => Promise.reject(new Error('a capture is none of its business')) },
        tempo: createTempo({ ...CHAIN_SETTINGS, rpcUrl: chainUrl, clock: store.clock }),
        timings: { backoffBaseMs: 1, backoffMaxMs: 1, httpTimeoutMs: 5_000 },
      });
      return outcomes.map(({ kind }) => kind);
    },
  };
}
