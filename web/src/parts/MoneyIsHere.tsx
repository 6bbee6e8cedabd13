import type { Place } from '../../../src/domain/explanations/where-money-is.js';
import { PLACE_WORDS } from '../../../src/domain/words.js';
import type { Money } from '../format/money.js';
import { capital } from '../format/text.js';
import { Amount } from './Amount.js';
import { CertaintyTag } from './Certainty.js';

/**
 * How much, where it is, and how surely: the one way in which the console says so. Large at the head of an item, in a line
 * wherever several stand below each other.
 */
export function MoneyIsHere({
  money,
  amountInWords,
  places,
  words,
  certainty,
  account,
  size = 'line',
}: {
  readonly money: Money | undefined;
  /** Where the amount is known in words alone. */
  readonly amountInWords?: string;
  readonly places: readonly Place[];
  readonly words?: string;
  readonly certainty: string | null;
  /** Whose, where one place has several. */
  readonly account?: string | null;
  readonly size?: 'line' | 'large';
}) {
  return (
    <div className={`here here-${size}`}>
      <div className="here-amount">
        {money ? <Amount money={money} /> : <span className="amount">{amountInWords}</span>}
      </div>
      <div className="here-places">
        {places.map((place, index) => (
          <span key={place}>
            {index > 0 ? (
              <span className="here-or">{certainty === 'unknown' || certainty === 'in_flight' ? 'or' : 'and'}</span>
            ) : null}
            <span className={`place place-${place}`}>
              {capital(PLACE_WORDS[place] ?? place)}
              {account ? <code>{account}</code> : null}
            </span>
          </span>
        ))}
        {certainty ? <CertaintyTag certainty={certainty} /> : null}
      </div>
      {words ? <p className="here-words">{capital(words)}.</p> : null}
    </div>
  );
}
