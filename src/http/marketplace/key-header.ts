import type { ProblemCode } from '../problem.js';
import type { HeaderDescription } from '../route.js';

export const IDEMPOTENCY_KEY: Readonly<Record<string, HeaderDescription>> = {
  'Idempotency-Key': {
    description:
      'Names this request among those of this token: the same key and body is answered with the first answer, however often it is sent. Two equal refunds are two keys.',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x20-\\x7e]*[\\x21-\\x7e][\\x20-\\x7e]*$' },
  },
};
export const KEY_PROBLEMS: readonly ProblemCode[] = [
  'idempotency_key_required',
  'request_in_flight',
  'idempotency_key_reused',
];
