/**
 * How much a test does: `npm test` draws some of what is alike and makes crowds smaller, `npm run test:matrix` does it
 * all. What a run leaves out stands at its end, from {@link SAMPLED}.
 */
export const isWhole = process.env['MAKEGOOD_MATRIX'] === 'whole';

/** Which lot is drawn: one for all files of a run (vitest.config.ts). */
export const SEED = Number(process.env['MAKEGOOD_SEED']);

/** The files that do less, and what of them only the whole run does. */
export const SAMPLED: Readonly<Record<string, string>> = {
  'test/contract/schemathesis.test.ts': 'half of the roles, and 8 examples of 50 of each operation',
  'test/faults/healthy-neighbour.test.ts': 'half of the providers that hang',
  'test/faults/channels/captures-killed.test.ts': 'five in eight deaths of a worker that captures',
  'test/faults/marketplace/backfill-killed.test.ts': 'a backfill of 2,000 transfers; there were 400',
  'test/faults/marketplace/budget-of-all-calls.test.ts': 'a hundred of each call at Stripe at once; there were 30',
  'test/faults/marketplace/crash-points.test.ts': 'two in three stories, and three in four crash points of the others',
  'test/faults/marketplace/outages-of-postgres.test.ts': 'half of the calls while which Postgres goes',
  'test/faults/marketplace/stripe-budget.test.ts': 'a backlog of 750 calls at Stripe; it was of 270',
  'test/faults/marketplace/storm.test.ts': 'one storm in two, of 500 refunds; this was of less than 200',
  'test/faults/marketplace/workflows-lost.test.ts': 'two in three ways to lose a workflow',
  'test/faults/settlements/crash-points.test.ts': 'eleven in twelve crash points',
  'test/faults/settlements/outages-of-postgres.test.ts': 'half of the answers of Postgres that are cut off',
  'test/faults/settlements/recovery-from-an-outage.test.ts': 'an outage with 2,000 pending; there were 400',
  'test/faults/settlements/thirty-percent-faults.test.ts': '5,000 charges through faults; there were 800',
  'test/faults/settlements/two-workers.test.ts': '1,000 charges for two workers; there were 300',
  'test/integration/decision-matrix.test.ts': 'two in three decisions, each by every way',
  'test/integration/four-ways-to-resolve.test.ts': 'half of the ways to retry, and of those to adopt one of each kind',
  'test/integration/ledger/calls/stripe-tokens.test.ts': 'five in six random crowds that take tokens',
  'test/integration/ledger/marketplace/debts-properties.test.ts': 'four in five random stories of sellers who owe',
  'test/integration/ledger/marketplace/properties.test.ts': 'eighteen in thirty random stories of a marketplace',
  'test/integration/marketplace/disputes-in-any-order.test.ts': 'four in five random stories of a dispute',
  'test/integration/marketplace/hyperswitch-properties.test.ts': 'three in four random stories of a refund',
  'test/integration/marketplace/money-that-leaves-matrix.test.ts':
    'forty-one in forty-two pairs of events that take money from us',
  'test/nodes/gate.test.ts': 'two in three other versions of Node',
  'test/unit/sessions/gate-matrix.test.ts': 'three in five places of a compression beside a paid route',
};

export interface Drawing<Cell> {
  readonly nameOf: (cell: Cell) => string;
  /** At least one of each kind is drawn; by default all are of one kind. */
  readonly kindOf?: (cell: Cell) => string;
  /** Cells without which the others prove nothing. */
  readonly always?: (cell: Cell) => boolean;
  readonly oneIn: number;
}

/** @param seed the same seed draws the same cells, in any order of the list */
export function drawn<Cell>(
  cells: readonly Cell[],
  { nameOf, kindOf = () => '', always = () => false, oneIn, seed }: Drawing<Cell> & { readonly seed: number },
): readonly Cell[] {
  const lots = cells
    .filter((cell) => !always(cell))
    .map((cell) => ({ cell, kind: kindOf(cell), lot: lotOf(`${seed} ${nameOf(cell)}`) }))
    .sort((one, other) => one.lot - other.lot);
  const kinds = new Set(lots.map(({ kind }) => kind));
  const chosen = new Set(
    [...kinds].flatMap((kind) => {
      const own = lots.filter((lot) => lot.kind === kind);
      return own.slice(0, Math.ceil(own.length / oneIn)).map(({ cell }) => cell);
    }),
  );
  return cells.filter((cell) => always(cell) || chosen.has(cell));
}

/** What this run does of a table of cases that are alike, and says how to have the same again. */
export function sampleOf<Cell>(what: string, cells: readonly Cell[], drawing: Drawing<Cell>): readonly Cell[] {
  if (isWhole) return cells;
  const some = drawn(cells, { ...drawing, seed: SEED });
  console.info(
    `${what}: ${some.length} of ${cells.length}, drawn by seed ${SEED}; the same again with MAKEGOOD_SEED=${SEED}, all with npm run test:matrix`,
  );
  return some;
}

/** How big a crowd is; whoever makes it smaller says beside it why the promise is seen in the smaller one as well. */
export const sizeOf = ({ whole, sample }: { readonly whole: number; readonly sample: number }): number =>
  isWhole ? whole : sample;

/** FNV-1a, 32 bits: spreads names that differ in little. */
function lotOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash;
}
