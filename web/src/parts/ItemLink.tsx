import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { shortId } from '../format/text.js';

/** To the page of an item. */
export function ItemLink({
  kind,
  id,
  row,
  children,
}: {
  readonly kind: string;
  readonly id: string;
  /** It is what `j` and `k` go to. */
  readonly row?: true;
  readonly children?: ReactNode;
}) {
  return (
    <Link to="/item/$kind/$id" params={{ kind, id }} className="item-link" title={id} {...(row && { 'data-row': '' })}>
      {children ?? <code>{shortId(id)}</code>}
    </Link>
  );
}
