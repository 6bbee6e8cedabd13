const STEPS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** `3 min ago`, `in 2 h 5 min`: two units at most, so that it can be compared at a glance. */
export function relative(at: string, nowMs: number): string {
  const seconds = Math.round((Date.parse(at) - nowMs) / 1_000);
  if (Number.isNaN(seconds)) return at;
  const span = spanOf(Math.abs(seconds));
  if (Math.abs(seconds) < 5) return 'now';
  return seconds > 0 ? `in ${span}` : `${span} ago`;
}

/** Of a length of time in seconds. */
export function spanOf(seconds: number): string {
  const index = STEPS.findIndex(([size]) => seconds >= size);
  const [size, unit] = STEPS[index] ?? [1, 's'];
  const whole = Math.floor(seconds / size);
  const next = STEPS[index + 1];
  const rest = next && whole < 10 ? Math.floor((seconds % size) / next[0]) : 0;
  // seconds beside minutes change too often to be read
  return rest > 0 && next && next[1] !== 's' ? `${whole} ${unit} ${rest} ${next[1]}` : `${whole} ${unit}`;
}

/** In UTC, as every log and every provider's dashboard has it. */
export function absolute(at: string): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? at : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
