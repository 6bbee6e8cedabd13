/**
 * What the workflow of a message knows of activities: types only, plain JSON, append-only (histories of older builds are replayed
 * against it). Only the message's id passes here: whom it is for and what it tells stay in the ledger and in the settings.
 */
export interface NotificationActivities {
  /** One attempt, recorded in the ledger; thrown while it is to be tried again, with the time after which. */
  deliverNotice(messageId: string): Promise<NotificationEnd>;
}

/** What starts the workflow of a message. */
export interface NotificationInput {
  messageId: string;
}

export interface NotificationEnd {
  /** `withdrawn`: nothing of it stands any more, and nobody is told. `given_up`: what stands is told by another message. */
  state: 'delivered' | 'withdrawn' | 'given_up';
}
