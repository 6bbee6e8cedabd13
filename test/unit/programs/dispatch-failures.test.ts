import { expect, it } from 'vitest';
import { tellingOfDispatchFailures } from '../../../src/programs/dispatch-failures.js';

it('says once, in one line and without a stack, that the schema is missing, and every other failure each time', () => {
  const lines: (readonly [object, string])[] = [];
  const tell = tellingOfDispatchFailures({ warn: (...line) => void lines.push(line) });
  const missing = Object.assign(new Error('relation "settlements" does not exist'), { code: '42P01' });
  const away = new Error('Postgres is away');
  for (const error of [missing, missing, away, missing, away]) tell(error);
  expect(lines).toEqual([
    [{}, expect.stringMatching(/run makegood migrate$/)],
    [{ err: away }, expect.stringContaining('could not be dispatched')],
    [{ err: away }, expect.stringContaining('could not be dispatched')],
  ]);
});
