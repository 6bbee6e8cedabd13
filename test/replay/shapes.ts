/** One recorded history per control-flow shape: file name → what it went through, so that no recording is vacuous. */
export const SHAPES: Readonly<Record<string, readonly string[]>> = {
  'close-time-settlement/settled-at-once': ['MARKER_RECORDED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'close-time-settlement/settled-patiently': ['ACTIVITY_TASK_COMPLETED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'close-time-settlement/settled-after-retries': ['MARKER_RECORDED', 'TIMER_FIRED', 'ACTIVITY_TASK_COMPLETED'],
  'close-time-settlement/retried-by-signal': ['WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'close-time-settlement/written-off-by-update': [
    'WORKFLOW_EXECUTION_UPDATE_COMPLETED',
    'WORKFLOW_EXECUTION_COMPLETED',
  ],
  'close-time-settlement/decided-in-the-ledger': ['WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'close-time-settlement/waits-in-the-ledger': ['MARKER_RECORDED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'close-time-settlement/expired': ['TIMER_FIRED', 'WORKFLOW_EXECUTION_UPDATE_COMPLETED'],
  'close-time-settlement/continued-after-a-day': ['TIMER_FIRED', 'WORKFLOW_EXECUTION_CONTINUED_AS_NEW'],
  'close-time-settlement/ledger-away-at-first': ['MARKER_RECORDED', 'ACTIVITY_TASK_COMPLETED'],
  'settle-batch/all-settled': ['MARKER_RECORDED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'settle-batch/some-go-on-alone': ['CHILD_WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'settle-batch/patient': ['ACTIVITY_TASK_COMPLETED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'settlement-sweep/one-pass': ['ACTIVITY_TASK_COMPLETED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'backfill-transfer-ids/finished': ['ACTIVITY_TASK_COMPLETED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'backfill-transfer-ids/waits-as-stripe-asks': ['TIMER_FIRED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'backfill-transfer-ids/one-seller-later': ['ACTIVITY_TASK_FAILED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'backfill-transfer-ids/continued-as-new': ['ACTIVITY_TASK_COMPLETED', 'WORKFLOW_EXECUTION_CONTINUED_AS_NEW'],
  'backfill-transfer-ids/cancelled': ['WORKFLOW_EXECUTION_CANCEL_REQUESTED', 'WORKFLOW_EXECUTION_CANCELED'],
};

/** A protobuf `temporal.api.history.v1.History`: the way through JSON would lose metadata of payloads. */
export const historyFile = (shape: string): URL => new URL(`./histories/${shape}.history`, import.meta.url);
