const UNDEFINED_TABLE = '42P01';
const UNDEFINED_COLUMN = '42703';

/** Postgres answers, and `makegood migrate` has not run: what a statement names is not there. */
export const lacksSchema = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === UNDEFINED_TABLE || error.code === UNDEFINED_COLUMN);
