/** Columns as wide as their widest cell, two spaces apart. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const lines = rows.map((row) => row.map(onOneLine));
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((row) => (row[column] ?? '').length)));
  return [head, ...lines].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** What somebody typed is no line of the table. */
const onOneLine = (cell: string): string => cell.replace(/\s*[\r\n]+\s*/g, ' ');

const UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
];

/** `2h`, `3d`: whole units, so that a column of them can be read at a glance. */
export function age(sinceIso: string, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(sinceIso)) / 1000));
  const [name, size] = UNITS.find(([, unit]) => seconds >= unit) ?? ['s', 1];
  return `${Math.floor(seconds / size)}${name}`;
}
