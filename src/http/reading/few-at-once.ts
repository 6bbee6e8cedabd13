import { HttpProblem, retryAfter } from '../problem.js';

const COME_BACK_SECONDS = 2;

/**
 * Lets so many readings be at work at once, and the others wait in turn: whoever reads shares a pool of connections with the responses
 * that are charged, and leaves them most of it.
 * @param mostWaiting whoever comes beyond them is sent away
 */
export function fewAtOnce(most: number, mostWaiting: number) {
  let atWork = 0;
  const waiting: (() => void)[] = [];
  const goOn = (): void => {
    const next = waiting.shift();
    if (next) next();
    else atWork -= 1;
  };
  /** @throws HttpProblem 429 where too many wait */
  return async function read<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    if (atWork < most) atWork += 1;
    else if (waiting.length >= mostWaiting)
      throw new HttpProblem('rate_limited', 'too many read at once: nothing was done, come back a little later', {
        headers: retryAfter(COME_BACK_SECONDS),
      });
    else await new Promise<void>((begin) => waiting.push(begin));
    try {
      return await work();
    } finally {
      goOn();
    }
  };
}
