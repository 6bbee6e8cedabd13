import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { CloseTimeSettlementInput } from '../../../activities/contract.js';
import { startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import type { Clock } from '../../../src/domain/clock.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { settlementWorkflowId } from '../../../src/domain/workflow-ids.js';
import type { Tempo } from '../../../src/providers/tempo/client.js';
import { closeTimeSettlement } from '../../../workflows/index.js';
import { catchUp } from '../clock-following.js';
import { openTestLedger } from '../ledger-fixtures.js';
import { startWorld } from './settlement-world.js';

export type ReplayedSettlements = Awaited<ReturnType<typeof openReplayedSettlements>>;

/**
 * Settlements of one test on a Temporal server whose clock the file's tests share. Every task replays its history from the
 * start, so that non-determinism shows here.
 */
export async function openReplayedSettlements(
  env: TestWorkflowEnvironment,
  tempoBy: (clock: Clock) => Tempo | undefined = () => undefined,
) {
  const test = await openTestLedger();
  const { ledger, clock } = test;
  const nowMs = () => env.currentTimeMs();
  await catchUp(clock, nowMs);
  const sandbox = await startAuthServerSandbox({ clock });
  const world = await startWorld({
    connection: env.nativeConnection,
    client: env.client,
    ledger,
    authServerUrl: sandbox.url,
    tempo: tempoBy(clock),
    taskQueue: `q-${crypto.randomUUID()}`,
    worker: { maxCachedWorkflows: 0 },
    follow: { clock, nowMs },
  });
  return {
    test,
    sandbox,
    logger: world.logger,
    start: (id: SettlementId, input: CloseTimeSettlementInput) =>
      env.client.workflow.start(closeTimeSettlement, {
        taskQueue: world.taskQueue,
        workflowId: settlementWorkflowId(id),
        args: [input],
      }),
    /** Moves the one clock on until a person is asked, by steps that do not reach over the workflow's wait for one. */
    async untilAttention(id: SettlementId, step: '1 second' | '1 minute' = '1 minute'): Promise<void> {
      for (let steps = 0; steps < 60; steps += 1) {
        if ((await ledger.findSettlement(id))?.status === 'needs_attention') return;
        await env.sleep(step);
      }
      throw new Error(`nobody was asked within 60 times ${step}`);
    },
    async dispose() {
      await world.stop();
      await sandbox.close();
      await test.dispose();
    },
  };
}
