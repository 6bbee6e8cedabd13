const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['d', 24 * HOUR],
  ['h', HOUR],
  ['m', 60 * SECOND],
  ['s', SECOND],
  ['ms', 1],
]);

/** `500ms`, `1s`, `1m`, `1h`, `30d` → milliseconds; undefined: it is none. */
export function parseDuration(raw: string): number | undefined {
  const [, digits, unit = ''] = /^([0-9]{1,9})([a-z]+)$/.exec(raw) ?? [];
  const unitMs = UNITS_MS.get(unit);
  return unitMs === undefined ? undefined : Number(digits) * unitMs;
}

/** In the largest unit that is exact. */
export function durationInWords(ms: number): string {
  const [unit, unitMs] = [...UNITS_MS].find(([, candidate]) => ms % candidate === 0) ?? ['ms', 1];
  return `${ms / unitMs}${unit}`;
}
