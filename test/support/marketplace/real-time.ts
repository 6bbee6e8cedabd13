import { startConnectedTemporal } from '../connected-temporal.js';
import { openTestLedger } from '../ledger-fixtures.js';
import { startStandIns } from '../stand-ins.js';
import { startMarketplace } from './world.js';

export type RealTimeMarketplace = Awaited<ReturnType<typeof openRealTimeMarketplace>>;

/** The marketplace on a Temporal server that keeps real time, with waits that are short. */
export async function openRealTimeMarketplace(settings: Readonly<Record<string, string>> = {}) {
  const temporal = await startConnectedTemporal();
  const test = await openTestLedger();
  const standIns = await startStandIns(test.clock);
  const { stripe, hyperswitch } = standIns;
  const world = await startMarketplace({
    connection: temporal.native,
    client: temporal.client,
    test,
    stripe,
    hyperswitch,
    settings: { REVERSAL_BACKOFF_BASE: '100ms', REVERSAL_BACKOFF_MAX: '1s', ...settings },
  });
  return {
    temporal,
    test,
    stripe,
    hyperswitch,
    world,
    async dispose() {
      await world.stop();
      await standIns.close();
      await test.dispose();
      await temporal.dispose();
    },
  };
}
