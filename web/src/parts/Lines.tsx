import { spoken } from '../../../src/domain/words.js';
import type { ListedItem } from '../api/types.js';
import { moneyOf } from '../format/money.js';
import { Amount, columnOf } from './Amount.js';
import { Panel } from './Panel.js';
import { Said } from './Said.js';
import { SellerLink } from './SellerLink.js';

interface Line {
  readonly id: string;
  readonly kind: string;
  readonly seller_account: string | null;
  readonly amount: number;
  readonly fee: number;
  readonly release: 'immediately' | 'on_request' | { readonly after: string };
  readonly description: string;
}

interface Kept {
  readonly amount: number;
  readonly fees: number;
  readonly kept: number;
}

/** Whose money an order is: each line with its fee, and what the platform keeps of all of them. */
export function Lines({ order }: { readonly order: ListedItem }) {
  const lines = order['items'] as readonly Line[];
  const platform = order['platform'] as Kept;
  const inUnit = (amount: number) => moneyOf(amount, order['currency']);
  const column = columnOf([...lines.map(({ amount }) => inUnit(amount)), inUnit(platform.kept)]);
  return (
    <Panel title="Its lines">
      <div className="table-wrap">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Line</th>
              <th scope="col">Whose</th>
              <th scope="col" className="number">
                Amount
              </th>
              <th scope="col" className="number">
                Fee of it
              </th>
              <th scope="col">Release</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.id}>
                <th scope="row" data-head="Line">
                  <Said text={line.description} />
                  {line.kind === 'item' ? null : <span className="muted"> ({line.kind})</span>}
                </th>
                <td data-head="Whose">
                  {line.seller_account === null ? 'the platform’s own' : <SellerLink account={line.seller_account} />}
                </td>
                <td data-head="Amount" className="number">
                  <Amount money={inUnit(line.amount)} {...column} />
                </td>
                <td data-head="Fee of it" className="number">
                  <Amount money={inUnit(line.fee)} {...column} />
                </td>
                <td data-head="Release">{releaseInWords(line.release)}</td>
              </tr>
            ))}
            <tr>
              <th scope="row">The platform keeps now</th>
              <td data-head="Of">its lines and fees, less what was given back</td>
              <td data-head="Amount" className="number">
                <Amount money={inUnit(platform.kept)} {...column} />
              </td>
              <td colSpan={2}>
                <span className="muted">—</span>
              </td>
            </tr>
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

const releaseInWords = (release: Line['release']): string =>
  typeof release === 'string' ? spoken(release) : `${release.after} after it is paid`;
