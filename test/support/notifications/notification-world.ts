import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { createNotificationActivities } from '../../../activities/notification-activities.js';
import { createTelling } from '../../../activities/sweeps/tell-people.js';
import type { Destination } from '../../../src/domain/notifications/destinations.js';
import type { MailServer } from '../../../src/domain/notifications/mail-server.js';
import type { TellingRules } from '../../../src/domain/notifications/when-told.js';
import { notificationTaskQueue } from '../../../src/domain/workflow-ids.js';
import { createNotificationOrchestration } from '../../../src/orchestration/notifications.js';
import { createSender } from '../../../src/providers/notifications/sender.js';
import { followingClock } from '../clock-following.js';
import { aSettlement, atomic, type TestLedger } from '../ledger-fixtures.js';
import { memoryLogger } from '../settlements/settlement-world.js';
import { workflowsInThisThread } from '../workflow-bundle.js';

export const aSecret = (): string => `whsec_${randomBytes(24).toString('base64')}`;

const RULES: TellingRules = {
  groupWindowMs: 5 * 60_000,
  escalateAfterMs: 60 * 60_000,
  quietHours: undefined,
  urgentAmount: 100_000n,
};

export interface NotificationWorldOptions {
  readonly connection: NativeConnection;
  readonly client: Client;
  readonly test: TestLedger;
  readonly destinations: readonly Destination[];
  readonly rules?: Partial<TellingRules>;
  readonly mail?: { readonly server: MailServer; readonly from: string };
  readonly taskQueue?: string;
  readonly timeoutMs?: number;
  /** Of the Temporal server, whose time the ledger's clock follows. */
  readonly nowMs?: () => Promise<number>;
}

/** The real workflow, activities, lane and ledger of notifications in a worker of this process. */
export interface NotificationWorld {
  readonly logger: ReturnType<typeof memoryLogger>;
  /** One pass of the lane. */
  readonly pass: () => Promise<Readonly<Record<string, number>>>;
  stop(): Promise<void>;
}

export async function startNotificationWorld(options: NotificationWorldOptions): Promise<NotificationWorld> {
  const { client, test, destinations, mail, taskQueue = `q-${crypto.randomUUID()}` } = options;
  const logger = memoryLogger();
  const sender = createSender({
    mail,
    publicUrl: 'https://pay.example.com/base',
    clock: test.clock,
    timeoutMs: options.timeoutMs ?? 500,
  });
  const activities = createNotificationActivities({ ledger: test.ledger, sender, destinations, logger });
  const worker = await Worker.create({
    connection: options.connection,
    taskQueue: notificationTaskQueue(taskQueue),
    ...workflowsInThisThread(),
    activities: options.nowMs ? followingClock(activities, test.clock, options.nowMs) : activities,
    maxCachedWorkflows: 100,
  });
  const running = worker.run();
  const telling = createTelling({
    ledger: test.ledger,
    starter: createNotificationOrchestration(client, taskQueue),
    destinations,
    rules: { ...RULES, ...options.rules },
    logger,
  });
  return {
    logger,
    pass: () => telling({ over: () => false, sleep: () => Promise.resolve() }),
    async stop() {
      worker.shutdown();
      await running;
    },
  };
}

/** A charge that needs a person from now on. */
export async function asked({ ledger }: TestLedger, changes: Parameters<typeof aSettlement>[0] = {}): Promise<string> {
  const settlement = aSettlement({ body: null, undecodable: 'it is not base64', cap: atomic(10n ** 12n), ...changes });
  await ledger.createSettlement(settlement);
  return settlement.id;
}

/** Nobody is asked about it any more. */
export const answered = async ({ database }: Pick<TestLedger, 'database'>, id: string): Promise<void> => {
  await database.query(
    `UPDATE settlements SET status = 'written_off', attention_reason = NULL, attention_since = NULL, attention_detail = NULL,
       next_check_at = NULL WHERE id = $1`,
    [id],
  );
};
