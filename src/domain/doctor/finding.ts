/** One line of `makegood doctor`: what was looked at, how it is, and what cures it. */
export interface Finding {
  readonly area: Area;
  readonly level: Level;
  readonly says: string;
  /** What to do, in a sentence; null: nothing. */
  readonly cure: string | null;
}

export const AREAS = [
  'settings',
  'database',
  'keys',
  'temporal',
  'providers',
  'clocks',
  'parked',
  'waiting',
  'notifications',
] as const;
export type Area = (typeof AREAS)[number];
/** `warn`: money goes on, and somebody should know. `fail`: something does not go on, or could not be asked. */
export type Level = 'ok' | 'warn' | 'fail';

export const ok = (area: Area, says: string): Finding => ({ area, level: 'ok', says, cure: null });
export const warn = (area: Area, says: string, cure: string): Finding => ({ area, level: 'warn', says, cure });
export const fail = (area: Area, says: string, cure: string): Finding => ({ area, level: 'fail', says, cure });
