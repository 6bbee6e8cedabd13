/** Hours of the night in which only what is urgent is told, by the clocks of one time zone. */
export interface QuietHours {
  /** Minutes after midnight; from this one on it is quiet. */
  readonly fromMinute: number;
  /** From this one on it is not quiet any more. Before `fromMinute` where the night goes over midnight. */
  readonly toMinute: number;
  /** An IANA name, as in `Europe/Berlin`. */
  readonly timeZone: string;
}

/** `22:00-07:00 Europe/Berlin`; undefined: not of that form, or no time zone that is known here. */
export function parseQuietHours(text: string): QuietHours | undefined {
  const [, from = '', to = '', timeZone = ''] = /^(\d\d:\d\d)-(\d\d:\d\d) ([A-Za-z0-9_+/-]{1,64})$/.exec(text) ?? [];
  const [fromMinute, toMinute] = [minuteOf(from), minuteOf(to)];
  if (fromMinute === undefined || toMinute === undefined || fromMinute === toMinute) return undefined;
  return isTimeZone(timeZone) ? { fromMinute, toMinute, timeZone } : undefined;
}

/**
 * Whether it is quiet at that moment. The clocks on the wall decide: where they are put back a quiet hour is quiet twice, where
 * they are put forward one that is left out is never reached.
 */
export function isQuiet({ fromMinute, toMinute, timeZone }: QuietHours, atMs: number): boolean {
  const minute = minuteOnTheWall(timeZone, atMs);
  return fromMinute < toMinute ? minute >= fromMinute && minute < toMinute : minute >= fromMinute || minute < toMinute;
}

function minuteOf(time: string): number | undefined {
  const [hours = Number.NaN, minutes = Number.NaN] = time.split(':').map(Number);
  return hours < 24 && minutes < 60 ? hours * 60 + minutes : undefined;
}

function minuteOnTheWall(timeZone: string, atMs: number): number {
  const time = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return minuteOf(time.format(atMs)) ?? 0;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
