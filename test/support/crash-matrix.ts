/**
 * Which cells of a crash matrix this run does. Each cell kills a process and starts it again, so `npm test` draws some of them,
 * others every time, and `npm run test:matrix` does them all.
 */
export const isWholeMatrix = process.env['MAKEGOOD_MATRIX'] === 'whole';

/** The files that draw. */
export const DRAWING = ['test/faults/settlements/crash-points.test.ts', 'test/faults/marketplace/crash-points.test.ts'];

const ONE_IN = 4;

/**
 * @param always cells without which the others prove nothing
 * @param seed the same seed draws the same cells, in any order of the list
 */
export function drawn<Cell extends { readonly name: string }>(
  cells: readonly Cell[],
  {
    always,
    seed,
    oneIn = ONE_IN,
  }: { readonly always: (cell: Cell) => boolean; readonly seed: number; readonly oneIn?: number },
): readonly Cell[] {
  const lots = new Map(cells.filter((cell) => !always(cell)).map((cell) => [cell, lotOf(`${seed} ${cell.name}`)]));
  const most = Math.ceil(lots.size / oneIn);
  const chosen = new Set(
    [...lots]
      .sort(([, one], [, other]) => one - other)
      .slice(0, most)
      .map(([cell]) => cell),
  );
  return cells.filter((cell) => always(cell) || chosen.has(cell));
}

/** Says once which cells, and how to have the same again. */
export function matrixOf<Cell extends { readonly name: string }>(
  matrix: string,
  cells: readonly Cell[],
  always: (cell: Cell) => boolean,
): readonly Cell[] {
  if (isWholeMatrix) return cells;
  const seed = Number(process.env['MAKEGOOD_SEED'] ?? Date.now() % 2 ** 31);
  const some = drawn(cells, { always, seed });
  console.info(
    `${matrix}: ${some.length} of ${cells.length} crash points, drawn by seed ${seed}; the same again with MAKEGOOD_SEED=${seed}, all with npm run test:matrix`,
  );
  return some;
}

/** FNV-1a, 32 bits: spreads names that differ in little. */
function lotOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash;
}
