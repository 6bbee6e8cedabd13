export {
  type ChannelEntry,
  type ChannelStore,
  type ChannelTexts,
  createMemoryChannelStore,
  createTextChannelStore,
} from './client/channel-store.js';
export { type SessionPaymentCode, SessionPaymentError } from './client/errors.js';
export { createFileChannelStore } from './client/file-channel-store.js';
export type { SessionReceipt } from './client/receipt.js';
export { createSessionFetch, type SessionFetch, type SessionFetchOptions } from './client/session-fetch.js';
