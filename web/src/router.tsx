import { useQuery } from '@tanstack/react-query';
import { createRootRoute, createRoute, createRouter, Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { CONSOLE_PAGES, CONSOLE_PATH } from '../../src/domain/console-addresses.js';
import { onSignedOut } from './api/client.js';
import { queryClient, sessionQuery } from './api/queries.js';
import { Approvals } from './pages/Approvals.js';
import { Bulk } from './pages/Bulk.js';
import { Drift } from './pages/Drift.js';
import { ItemPage } from './pages/ItemPage.js';
import { ListPage } from './pages/ListPage.js';
import { Overview } from './pages/Overview.js';
import { Payouts } from './pages/Payouts.js';
import { Runbook, Runbooks } from './pages/Runbook.js';
import { SearchPage } from './pages/SearchPage.js';
import { Seller } from './pages/Seller.js';
import { SignIn } from './pages/SignIn.js';
import { Shell } from './parts/Shell.js';
import { Empty, Loading, Problem } from './parts/States.js';

/** Without a session there is no page but the one to sign in; the address stays, so one comes back to it. */
function Gate() {
  const session = useQuery(sessionQuery);
  const [ended, setEnded] = useState(false);
  useEffect(
    () =>
      onSignedOut(() => {
        setEnded(true);
        queryClient.setQueryData(sessionQuery.queryKey, null);
      }),
    [],
  );
  if (session.isPending) return <Loading what="the session" />;
  if (session.isError)
    return (
      <main className="sign-in">
        <Problem error={session.error} retry={() => void session.refetch()} />
      </main>
    );
  return session.data ? <Shell /> : <SignIn ended={ended} />;
}

/** Filters are plain text in the address: `?status=pending`. */
type Search = Record<string, string>;
const asText = (search: Record<string, unknown>): Search =>
  Object.fromEntries(
    Object.entries(search).flatMap(([name, value]) =>
      typeof value === 'string' && value !== '' ? [[name, value]] : [],
    ),
  );

const root = createRootRoute({
  component: Gate,
  notFoundComponent: NotFound,
  errorComponent: ({ error }) => <Problem error={error} />,
});
const at = <Path extends string>(path: Path, component: () => React.ReactNode) =>
  createRoute({ getParentRoute: () => root, path, component, validateSearch: asText });

const routeTree = root.addChildren([
  at('/', Overview),
  at('/approvals', Approvals),
  at('/decide', Bulk),
  at(CONSOLE_PAGES.drift, Drift),
  at(CONSOLE_PAGES.payouts, Payouts),
  at(CONSOLE_PAGES.seller, Seller),
  at('/search', SearchPage),
  at('/runbooks', Runbooks),
  at('/runbooks/$name', Runbook),
  at(CONSOLE_PAGES.item, ItemPage),
  at('/$list', ListPage),
]);

function NotFound() {
  return (
    <Empty icon="search" title="There is no such page">
      <Link to="/">Back to the overview</Link>
    </Empty>
  );
}

export const router = createRouter({
  routeTree,
  basepath: CONSOLE_PATH,
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch(search) {
    const text = new URLSearchParams(asText(search)).toString();
    return text === '' ? '' : `?${text}`;
  },
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
