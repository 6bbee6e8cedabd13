import { digitsOf, type Money, moneyInWords } from '../format/money.js';

/**
 * An amount whose point stands below the point of the amounts above it.
 * @param places decimals of the widest amount of its column
 */
export function Amount({
  money,
  places,
  unit = true,
}: {
  readonly money: Money | undefined;
  readonly places?: number;
  readonly unit?: boolean;
}) {
  if (!money) return <span className="muted">—</span>;
  const { whole, fraction } = digitsOf(money);
  const width = places ?? money.decimals;
  return (
    <span className="amount" title={`${moneyInWords(money)} (${money.amount} in its smallest unit)`}>
      <span className="amount-whole">{whole}</span>
      {width === 0 ? null : (
        <span className="amount-fraction" style={{ minWidth: `${width + 0.55}ch` }}>
          {fraction}
        </span>
      )}
      {unit ? <span className="amount-unit">{money.unit}</span> : null}
    </span>
  );
}
