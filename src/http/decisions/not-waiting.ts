import type { DecisionId } from '../../domain/ids.js';
import { HttpProblem } from '../problem.js';

/** For a decision about an item that needs none. @param request what was asked before, where that waits for its approval */
export const notWaiting = (status: string, request?: DecisionId) =>
  new HttpProblem(
    'not_waiting',
    request === undefined
      ? `it is ${status}, and waits for no decision: nothing was changed`
      : `it waits for the approval of decision ${request}, which was asked for before: nothing was changed`,
  );
