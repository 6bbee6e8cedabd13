const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 };

/** `512B`, `64KiB`, `1MiB` → bytes; undefined for anything else. */
export function parseBytes(text: string): number | undefined {
  const [, digits, unit = ''] = /^([0-9]{1,9})(B|KiB|MiB|GiB)$/.exec(text) ?? [];
  const size = UNITS[unit];
  return size === undefined ? undefined : Number(digits) * size;
}
