import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type {
  NotificationActivities,
  NotificationEnd,
  NotificationInput,
} from '../activities/notification-contract.js';
import { untilDelivered } from './policies.js';

/** Delivers one message about money that needs a person, however often it takes; the ledger says when that is enough. */
export async function notification({ messageId }: NotificationInput): Promise<NotificationEnd> {
  const { deliverNotice } = proxyActivities<NotificationActivities>(untilDelivered);
  const end = await deliverNotice(messageId);
  setCurrentDetails(end.state);
  return end;
}
