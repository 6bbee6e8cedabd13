import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { spoken } from '../../../src/domain/words.js';
import { sellerQuery } from '../api/queries.js';
import type { Seller as SellerAnswer } from '../api/seller.js';
import { moneyOf } from '../format/money.js';
import { capital, shortId } from '../format/text.js';
import { Amount } from '../parts/Amount.js';
import { ItemLink } from '../parts/ItemLink.js';
import { PageHead } from '../parts/PageHead.js';
import { Panel } from '../parts/Panel.js';
import { Empty, Loading, Problem, Stale } from '../parts/States.js';
import { StatusTag } from '../parts/Status.js';
import { When } from '../parts/When.js';

/** One seller: whether he can receive, what waits for him, what he owes in each currency, and how that came about. */
export function Seller() {
  const { account = '' } = useParams({ strict: false });
  const query = useQuery(sellerQuery(account));
  const again = () => void query.refetch();
  return (
    <>
      <PageHead
        title={`Seller ${account}`}
        about="What is not with this seller yet, what he owes because buyers got money back, and how that came about."
      >
        <Link to="/payouts" search={{ seller: account }}>
          His payouts
        </Link>
        <Link to="/$list" params={{ list: 'reversals' }} search={{ seller: account }}>
          All his reversals
        </Link>
      </PageHead>
      {query.isPending ? <Loading what="the seller" /> : null}
      {query.isError && query.data ? <Stale error={query.error} retry={again} /> : null}
      {query.isError && !query.data ? <Problem error={query.error} retry={again} /> : null}
      {query.data ? <Told seller={query.data} /> : null}
    </>
  );
}

function Told({ seller }: { readonly seller: SellerAnswer }) {
  return (
    <>
      <Panel title="Can he receive">
        <p>
          {capital(spoken(seller.state))}
          {seller.reason === null ? null : `: ${seller.reason}`}
          {seller.since === null ? null : (
            <>
              , since <When at={seller.since} />
            </>
          )}
        </p>
      </Panel>
      <Balances seller={seller} />
      <Shares seller={seller} />
      <Story seller={seller} />
    </>
  );
}

const COLUMNS = [
  ['owed', 'Owes'],
  ['to_offset', 'Of it, kept of next transfers'],
  ['on_its_way', 'Of it, on its way'],
  ['offset', 'Was kept of transfers'],
  ['taken', 'Was taken at Stripe'],
  ['given_up', 'Was given up'],
] as const;

/** Amounts of different currencies stand in lines of their own: they are never added up. */
function Balances({ seller }: { readonly seller: SellerAnswer }) {
  return (
    <Panel title="What he owes">
      {seller.balances.length === 0 ? <Empty icon="check" title="Nothing was ever taken back of him" /> : null}
      {seller.balances.map((balance) => (
        <dl className="told" key={balance.currency}>
          {COLUMNS.map(([field, head]) => (
            <div key={field}>
              <dt>{head}</dt>
              <dd>
                <Amount money={moneyOf(balance[field], balance.currency)} />
              </dd>
            </div>
          ))}
        </dl>
      ))}
    </Panel>
  );
}

function Shares({ seller }: { readonly seller: SellerAnswer }) {
  if (seller.transfers.length === 0) return null;
  return (
    <Panel title="Shares that are not with him">
      <ul className="stack">
        {seller.transfers.map(({ id, status, amount, currency }) => (
          <li key={id}>
            <ItemLink kind="transfer" id={id} row /> <Amount money={moneyOf(amount, currency)} />{' '}
            <StatusTag kind="transfer" status={status} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Story({ seller }: { readonly seller: SellerAnswer }) {
  if (seller.story.length === 0) return null;
  return (
    <Panel title="How it came about">
      <ul className="stack">
        {seller.story.map((line) => (
          <li key={`${line.at} ${line.what} ${line.reversal_id} ${line.offset_transfer_id}`}>
            <When at={line.at} /> {capital(spoken(line.what))} <Amount money={moneyOf(line.amount, line.currency)} />:
            reversal <ItemLink kind="reversal" id={line.reversal_id} row />
            {line.offset_transfer_id === null ? null : (
              <>
                , kept of transfer <ItemLink kind="transfer" id={line.offset_transfer_id} />
              </>
            )}
            , order{' '}
            <ItemLink kind="order" id={line.order_id}>
              {shortId(line.order_id)}
            </ItemLink>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
