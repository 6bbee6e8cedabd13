/** Frameworks take nothing for leave to go on, and Express takes `route` and `router` so: an error is always one. */
export const asError = (thrown: unknown): Error =>
  thrown instanceof Error
    ? thrown
    : new Error(typeof thrown === 'string' ? thrown : 'what was thrown is no error', { cause: thrown });
