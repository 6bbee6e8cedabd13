import { InvalidArgumentError } from 'commander';

/** A day, which begins at midnight UTC, or a moment. @returns ISO 8601 */
export function date(text: string): string {
  const time = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError('a date such as 2025-03-01 or 2025-03-01T12:00:00Z');
  return new Date(time).toISOString();
}
