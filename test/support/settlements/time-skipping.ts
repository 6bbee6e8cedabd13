import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import type { Settlement } from '../../../src/domain/settlements/settlement.js';
import { settlementWorkflowId } from '../../../src/domain/workflow-ids.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import type { Sealer } from '../../../src/ledger/sealer.js';
import { closeTimeSettlement } from '../../../workflows/index.js';
import { type ItemState, stateQuery } from '../../../workflows/messages.js';
import { DAY_MS } from '../durations.js';
import { openTestLedger, type TestLedger } from '../ledger-fixtures.js';
import { CHARGE_LANES, sweepThrough } from '../sweeps.js';
import { openTimeSkippingEnvironment } from '../time-skipping-environment.js';
import {
  type PaidOptions,
  paidSettlement,
  type SettlementWorld,
  startWorld,
  workflowInput,
} from './settlement-world.js';

type Paid = 'x402' | 'atxp';

/** The settlement engine on a Temporal server whose clock a test moves; ledger and auth server follow it. */
export interface SettlementTest {
  readonly env: TestWorkflowEnvironment;
  /** Not the environment's own: that one skips time while it waits for a result, over a day where somebody waits for a person. */
  readonly client: Client;
  readonly test: TestLedger;
  readonly sandbox: AuthServerSandbox;
  /** Replaced by {@link useLedger}. */
  world: SettlementWorld;
  /** From now on activities work on this ledger. */
  readonly useLedger: (ledger: Ledger) => Promise<void>;
  /** Stored as the API would; nothing is started. */
  readonly accept: (options?: PaidOptions, protocol?: Paid) => Promise<SettlementId>;
  readonly start: (id: SettlementId, protocol?: Paid) => Promise<ReturnType<SettlementTest['handleOf']>>;
  /** One pass of every lane that finds charges. @returns what they did, added up by name */
  readonly sweep: () => ReturnType<typeof sweepThrough>;
  readonly handleOf: (id: SettlementId) => ReturnType<typeof handleIn>;
  readonly find: (id: SettlementId) => Promise<Settlement>;
  /** Moves the one clock on, by more each time, whenever nothing has come of it for a while. */
  readonly until: (what: string, holds: () => Promise<boolean>) => Promise<void>;
  readonly untilSettled: (...ids: SettlementId[]) => Promise<void>;
  /**
   * Asked of the workflow and not of the ledger: a terminated one whose task is still at work would stop the test
   * server's clock for good.
   */
  readonly untilIn: (phase: ItemState['phase'], id: SettlementId) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

const handleIn = (client: Client, id: SettlementId) =>
  client.workflow.getHandle<typeof closeTimeSettlement>(settlementWorkflowId(id));

/** A server for each test: what one leaves behind, a terminated workflow above all, would stop the clock of the next. */
export async function openSettlementTest(options: { sealer?: Sealer } = {}): Promise<SettlementTest> {
  const env = await openTimeSkippingEnvironment();
  const client = new Client({ connection: env.connection });
  const test = await openTestLedger(options);
  const sandbox = await startAuthServerSandbox({ clock: test.clock });
  const taskQueue = `q-${crypto.randomUUID()}`;
  const worldWith = (ledger: Ledger) =>
    startWorld({
      connection: env.nativeConnection,
      client,
      ledger,
      authServerUrl: sandbox.url,
      taskQueue,
      follow: { clock: test.clock, nowMs: () => env.currentTimeMs() },
    });

  const opened: SettlementTest = {
    env,
    client,
    test,
    sandbox,
    world: await worldWith(test.ledger),
    async useLedger(ledger) {
      await opened.world.stop();
      opened.world = await worldWith(ledger);
    },
    async accept(given, protocol = 'x402') {
      const nowMs = test.clock.nowMs();
      const settlement = await paidSettlement(protocol, { nowMs, validForMs: DAY_MS, ...given });
      await test.ledger.createSettlement(settlement);
      return settlement.id;
    },
    start: (id, protocol = 'x402') =>
      client.workflow.start(closeTimeSettlement, {
        taskQueue,
        workflowId: settlementWorkflowId(id),
        args: [workflowInput(id, protocol)],
      }),
    sweep: () => sweepThrough(client, taskQueue, CHARGE_LANES),
    handleOf: (id) => handleIn(client, id),
    async find(id) {
      const settlement = await test.ledger.findSettlement(id);
      if (!settlement) throw new Error(`there is no settlement ${id}`);
      return settlement;
    },
    async until(what, holds) {
      for (let seconds = 1; seconds <= 256; seconds *= 2) {
        for (let looks = 0; looks < 20; looks += 1) {
          if (await holds()) return;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        await env.sleep(seconds * 1000);
      }
      throw new Error(`it never came true that ${what}`);
    },
    untilSettled: (...ids) =>
      opened.until('all are settled', async () => {
        const found = await Promise.all(ids.map(opened.find));
        return found.every((settlement) => settlement.status === 'settled');
      }),
    untilIn: (phase, id) =>
      opened.until(`it is ${phase}`, async () => {
        const state = await handleIn(client, id)
          .query(stateQuery)
          .catch(() => undefined);
        return state?.phase === phase;
      }),
    async dispose() {
      await opened.world.stop();
      await sandbox.close();
      await test.dispose();
      await env.teardown();
    },
  };
  return opened;
}
