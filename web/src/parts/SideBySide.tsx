import type { Facts } from '../api/types.js';
import { moneyInWords, moneyOf } from '../format/money.js';
import { asText, labelOf } from '../format/text.js';
import { absolute } from '../format/time.js';
import { Tag } from './Tag.js';

/** What we think beside what the provider was last seen to say; where the two differ, a word says so. */
export function SideBySide({
  ours,
  provider,
  currency,
}: {
  readonly ours: Facts;
  readonly provider: Facts | null;
  readonly currency: unknown;
}) {
  const names = [...new Set([...Object.keys(ours), ...Object.keys(provider ?? {})])].filter(
    (name) => name !== 'currency',
  );
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="table-wrap" tabIndex={0} role="group" aria-label="Ours and the provider’s">
      <table className="table table-both">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Our ledger</th>
            <th scope="col">The provider</th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <th scope="row">{labelOf(name)}</th>
              <td data-head="Our ledger">
                <Value name={name} value={ours[name]} currency={ours['currency'] ?? currency} />
              </td>
              <td data-head="The provider">
                {provider === null || !Object.hasOwn(provider, name) ? (
                  <span className="muted">{provider === null ? 'never asked' : '—'}</span>
                ) : (
                  <>
                    <Value name={name} value={provider[name]} currency={provider['currency'] ?? currency} />{' '}
                    {differs(name, ours[name], provider[name]) ? (
                      <Tag tone="warn" icon="hand" means="Our ledger and the provider tell different things">
                        differs
                      </Tag>
                    ) : null}
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** How far a call has come, and by which key, may well be told differently; money and names may not. */
const differs = (name: string, ours: unknown, theirs: unknown): boolean =>
  (IS_AMOUNT.test(name) || /_id$|Id$/.test(name)) && isSaid(ours) && isSaid(theirs) && asText(ours) !== asText(theirs);

const isSaid = (value: unknown): boolean => value !== null && value !== undefined;

const IS_AMOUNT = /^(?:amount|amount_reversed|captured|counted|out|refunded|reversed|remainder|borne_by_platform)$/;
const IS_TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

function Value({
  name,
  value,
  currency,
}: {
  readonly name: string;
  readonly value: unknown;
  readonly currency: unknown;
}) {
  const [, minor, unit] = /^(-?[0-9]+) ([A-Z]{3}) \(minor units\)$/.exec(asText(value)) ?? [];
  const told = moneyOf(minor, unit);
  const money =
    told ??
    (IS_AMOUNT.test(name)
      ? moneyOf(value, typeof currency === 'string' ? currency.toUpperCase() : undefined)
      : undefined);
  const text = money
    ? moneyInWords(money)
    : typeof value === 'string' && IS_TIME.test(value)
      ? absolute(value)
      : asText(value);
  return <bdi className={money ? 'amount' : 'value'}>{text}</bdi>;
}
