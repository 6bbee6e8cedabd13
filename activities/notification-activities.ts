import { createDelivery, type DeliveryDependencies } from '../src/calls/notifications/deliver.js';
import type { NoticeMessageId } from '../src/domain/ids.js';
import { beating } from './beating.js';
import { notDeliveredYet } from './failures.js';
import type { NotificationActivities } from './notification-contract.js';

export function createNotificationActivities(dependencies: DeliveryDependencies): NotificationActivities {
  const deliver = createDelivery(dependencies);
  return {
    async deliverNotice(messageId) {
      const step = await beating(() => deliver(messageId as NoticeMessageId));
      if (step.kind === 'again') throw notDeliveredYet(step.why, step.afterMs);
      return { state: step.state };
    },
  };
}
