import { digitsOf, type Money, moneyInWords } from '../format/money.js';

/** Capitals are wider than digits. */
const EM_A_LETTER = 0.78;

/** What the amounts of one column have in common, so that their points stand below each other. */
export interface AmountColumn {
  readonly places: number;
  readonly unitLetters: number;
}

export const columnOf = (amounts: readonly (Money | undefined)[]): AmountColumn => ({
  places: Math.max(0, ...amounts.map((money) => money?.decimals ?? 0)),
  unitLetters: Math.max(0, ...amounts.map((money) => money?.unit.length ?? 0)),
});

/**
 * An amount whose point stands below the point of the amounts above it.
 * @param places decimals of the widest amount of its column
 */
export function Amount({
  money,
  places,
  unitLetters,
}: {
  readonly money: Money | undefined;
  readonly places?: number;
  /** Letters of the longest unit of its column. */
  readonly unitLetters?: number;
}) {
  if (!money) return <span className="muted">—</span>;
  const { whole, fraction } = digitsOf(money);
  const width = places ?? money.decimals;
  return (
    <span className="amount" title={`${moneyInWords(money)} (${money.amount} in its smallest unit)`}>
      <span className="amount-digits">
        {' '}
        <span className="amount-whole">{whole}</span>
        {width === 0 ? null : (
          <span className="amount-fraction" style={places === undefined ? undefined : { width: `${width + 0.6}ch` }}>
            {fraction}
          </span>
        )}
      </span>{' '}
      <span
        className="amount-unit"
        style={unitLetters === undefined ? undefined : { minWidth: `${unitLetters * EM_A_LETTER}em` }}
      >
        {money.unit}
      </span>
    </span>
  );
}
