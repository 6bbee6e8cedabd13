import type { Client } from '@temporalio/client';
import type { NotificationInput } from '../../activities/notification-contract.js';
import { AttentionReason, MoneyKind } from '../../workflows/search-attributes.js';
import type { NoticeMessageId } from '../domain/ids.js';
import { notificationTaskQueue, notificationWorkflowId } from '../domain/workflow-ids.js';
import { start } from './start.js';

interface StartableNotification {
  readonly id: NoticeMessageId;
  readonly destination: string;
  readonly reason: string;
}

/** Starts it, or leaves it alone where it runs. */
export const createNotificationOrchestration = (client: Client, taskQueue: string) => ({
  startNotification: ({ id, destination, reason }: StartableNotification): Promise<void> =>
    start(client, 'notification', {
      taskQueue: notificationTaskQueue(taskQueue),
      workflowId: notificationWorkflowId(id),
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [{ messageId: id } satisfies NotificationInput],
      typedSearchAttributes: [
        { key: MoneyKind, value: 'notification' },
        { key: AttentionReason, value: reason },
      ],
      staticSummary: `tells ${destination} of ${reason}`,
    }),
});
