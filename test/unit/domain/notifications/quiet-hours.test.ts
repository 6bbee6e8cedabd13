import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isQuiet, parseQuietHours, type QuietHours } from '../../../../src/domain/notifications/quiet-hours.js';

const MINUTE_MS = 60_000;
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'America/St_Johns',
  'Africa/Casablanca',
];
const hours = fc.record<QuietHours>({
  fromMinute: fc.integer({ min: 0, max: 1_439 }),
  toMinute: fc.integer({ min: 0, max: 1_439 }),
  timeZone: fc.constantFrom(...ZONES),
});
const moment = fc.date({ min: new Date('2020-01-01'), max: new Date('2035-01-01'), noInvalidDate: true });
const pad = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** Another way to the same clock: the words of a locale, and not its parts. */
function onTheWall(timeZone: string, at: Date): number {
  const [, hour, minute] = /, (\d\d):(\d\d):/.exec(at.toLocaleString('sv-SE', { timeZone }).replace(' ', ', ')) ?? [];
  return Number(hour) * 60 + Number(minute);
}

describe('quiet hours', () => {
  it('are read as they are written', () => {
    fc.assert(
      fc.property(hours, (wanted) => {
        const text = `${pad(wanted.fromMinute)}-${pad(wanted.toMinute)} ${wanted.timeZone}`;
        expect(parseQuietHours(text)).toEqual(wanted.fromMinute === wanted.toMinute ? undefined : wanted);
      }),
    );
  });

  it.each([
    '',
    '22:00-07:00',
    '22-07 UTC',
    '24:00-07:00 UTC',
    '22:60-07:00 UTC',
    '22:00-22:00 UTC',
    '22:00-07:00 Europe/Bielefeld',
    '22:00-07:00 UTC ',
  ])('are not %j', (text) => {
    expect(parseQuietHours(text)).toBeUndefined();
  });

  it('go by the clock on the wall, in every zone and at every moment', () => {
    fc.assert(
      fc.property(hours, moment, (quiet, at) => {
        const minute = onTheWall(quiet.timeZone, at);
        const inside =
          quiet.fromMinute < quiet.toMinute
            ? minute >= quiet.fromMinute && minute < quiet.toMinute
            : minute >= quiet.fromMinute || minute < quiet.toMinute;
        expect(isQuiet(quiet, at.getTime())).toBe(inside);
      }),
    );
  });

  it('and their complement are the whole day, and never both', () => {
    fc.assert(
      fc.property(hours, moment, (quiet, at) => {
        fc.pre(quiet.fromMinute !== quiet.toMinute);
        const others = { ...quiet, fromMinute: quiet.toMinute, toMinute: quiet.fromMinute };
        expect(isQuiet(quiet, at.getTime())).toBe(!isQuiet(others, at.getTime()));
      }),
    );
  });

  const STEP = 15;
  const minutesQuiet = (quiet: QuietHours, from: string) => {
    const moments = Array.from({ length: (24 * 60) / STEP }, (_, nth) => Date.parse(from) + nth * STEP * MINUTE_MS);
    return moments.filter((at) => isQuiet(quiet, at)).length * STEP;
  };

  it('last an hour less in the night in which the clocks are put forward, and an hour more when they are put back', () => {
    const berlin = parseQuietHours('22:00-07:00 Europe/Berlin')!;
    expect(minutesQuiet(berlin, '2026-03-27T11:00:00Z')).toBe(9 * 60);
    expect(minutesQuiet(berlin, '2026-03-28T11:00:00Z')).toBe(8 * 60);
    expect(minutesQuiet(berlin, '2026-10-24T10:00:00Z')).toBe(10 * 60);
    expect(isQuiet(berlin, Date.parse('2026-03-29T04:59:00Z'))).toBe(true);
    expect(isQuiet(berlin, Date.parse('2026-03-29T05:00:00Z'))).toBe(false);
  });

  it('that lie in the hour that is left out are not reached that night, and twice when it comes twice', () => {
    const hour = parseQuietHours('02:00-03:00 Europe/Berlin')!;
    expect(minutesQuiet(hour, '2026-03-28T12:00:00Z')).toBe(0);
    expect(minutesQuiet(hour, '2026-10-24T12:00:00Z')).toBe(120);
    const half = parseQuietHours('02:00-02:30 Australia/Lord_Howe')!;
    expect(minutesQuiet(half, '2026-10-03T00:00:00Z')).toBe(0);
  });
});
