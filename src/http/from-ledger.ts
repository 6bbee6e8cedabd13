import { HttpProblem, retryAfter } from './problem.js';

/** SQLSTATE classes of a statement that is itself wrong: a bug of ours, and trying again would not help. */
const OUR_FAULT = /^(22|23|42)/;

const COME_BACK_SECONDS = 5;

/**
 * Waits for an operation of the ledger. That Postgres does not answer is told as 503: whether the operation was done is
 * then not known, and every one of them may be sent again.
 */
export async function fromLedger<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (OUR_FAULT.test(code)) throw cause;
    throw new HttpProblem(
      'ledger_unavailable',
      'Postgres did not confirm this, so it may or may not be recorded; send the same request again, it is never done twice',
      { headers: retryAfter(COME_BACK_SECONDS), cause },
    );
  }
}
