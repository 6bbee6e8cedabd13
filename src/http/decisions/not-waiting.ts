import { HttpProblem } from '../problem.js';

/** For a decision about an item that needs none. */
export const notWaiting = (status: string) =>
  new HttpProblem(
    'not_waiting',
    `it is ${status}, and waits for no decision, or for the approval of one: nothing was changed`,
  );
