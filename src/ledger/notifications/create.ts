import type { Database } from '../database.js';
import { createDeliveries } from './deliveries.js';
import { createNoticeMessages } from './notice-messages.js';
import { createNotices } from './notices.js';

/** Whom money that needs a person is told to. */
export const createNotifications = (database: Database) => ({
  ...createNotices(database),
  ...createNoticeMessages(database),
  ...createDeliveries(database),
});
