const FIVE_MINUTES_MS = 5 * 60_000;
const A_DAY_MS = 86_400_000;

/** Most refunds end within a day; from then on an alert tells, and reading them often brings nothing. */
export const REFUND_EXPECTED_MS = A_DAY_MS;

/**
 * How long what should have ended at Hyperswitch by now is left alone: as long as it is overdue, so that each wait is twice the
 * one before, up to a day. Null: it is young, and read at its workflow's own pace. Webhooks bring what happens meanwhile.
 * @param expectedMs the age at which it should have ended
 */
export const overdueReadMs = (ageMs: number, expectedMs: number): number | null =>
  ageMs < expectedMs ? null : Math.min(Math.max(ageMs - expectedMs, FIVE_MINUTES_MS), A_DAY_MS);
