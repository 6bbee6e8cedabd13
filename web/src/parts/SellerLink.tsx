import { Link } from '@tanstack/react-router';

/** To the page of a seller, wherever his account is shown. */
export function SellerLink({ account, children }: { readonly account: string; readonly children?: React.ReactNode }) {
  return (
    <Link to="/seller/$account" params={{ account }} className="item-link" title={account}>
      {children ?? <code>{account}</code>}
    </Link>
  );
}
